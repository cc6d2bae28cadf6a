/* Paths as text. */
#include "test.h"

#include "base/file.h"

static void check(char *got, const char *want)
{
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static void joins(void **state)
{
    (void)state;
    check(path_join("a", "b"), "a/b");
    check(path_join("a/", "b"), "a/b");
    check(path_join("/", "b"), "/b");
    check(path_join("", "b"), "b");
    check(path_join("a", "/b"), "/b");
    check(path_join("a", ""), "a/");
}

static void makes_absolute(void **state)
{
    char *here = realpath(".", NULL), *want;

    (void)state;
    check(path_absolute(NULL, "/a//b/./c/"), "/a/b/c");
    check(path_absolute("/x", "a/./b"), "/x/a/b");
    check(path_absolute("/x/", "./a"), "/x/a");
    check(path_absolute("/x", "/a"), "/a");
    check(path_absolute("/x", "."), "/x");
    check(path_absolute("/x", ""), "/x");
    check(path_absolute("/x", "../a"), "/x/../a");
    check(path_absolute("/x", "..a/.b/c."), "/x/..a/.b/c.");
    check(path_absolute(NULL, "/"), "/");
    check(path_absolute(NULL, "//"), "/");
    check(path_absolute("/", "."), "/");

    assert_non_null(here);
    want = path_join(here, "d/a");
    check(path_absolute("d", "a"), want);
    free(want);
    want = path_join(here, "a");
    check(path_absolute(NULL, "a"), want);
    check(path_absolute("", "a"), want);
    check(path_absolute(".", "a"), want);
    free(want);
    free(here);
}

static void knows_the_home(void **state)
{
    (void)state;
    assert_int_equal(setenv("HOME", "/home/u", 1), 0);
    check(path_of_user("/x", "~"), "/home/u");
    check(path_of_user("/x", "~/"), "/home/u");
    check(path_of_user("/x", "~/a/./b"), "/home/u/a/b");
    check(path_of_user("/x", "~other/a"), "/x/~other/a");
    check(path_of_user("/x", "a/~"), "/x/a/~");
    check(path_of_user("/x", "./~"), "/x/~");
    check(path_absolute("/x", "~/a"), "/x/~/a");
    assert_int_equal(unsetenv("HOME"), 0);
    check(path_of_user("/x", "~/a"), "/x/~/a");
}

static void finds_the_folder(void **state)
{
    (void)state;
    check(path_folder("a/b/c"), "a/b");
    check(path_folder("a"), ".");
    check(path_folder(""), ".");
    check(path_folder("/a"), "/");
    check(path_folder("/"), "/");
    check(path_folder("a/b/"), "a");
    check(path_folder("a//b"), "a");
    check(path_folder("//a"), "/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins),
        cmocka_unit_test(makes_absolute),
        cmocka_unit_test(knows_the_home),
        cmocka_unit_test(finds_the_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
