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
        cmocka_unit_test(finds_the_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
