/* The root of a dataset: names that leave it, links that leave it, files that are none. */
#include "fixture.h"

#include "data/root.h"
#include <sys/stat.h>
#include <unistd.h>

static void test_names(void **state)
{
    static const char *const bad[] = { "..", "../x", "a/../b", "a/..", "./../x" };
    struct root r;
    struct error e;
    char *full;

    assert_int_equal(root_init(&r, *state, &e), BIOFT_OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(root_path(&r, bad[i], &full, &e), BIOFT_ERR_FORMAT);
        assert_contains(e.text, "leaves the folder");
        assert_int_equal(root_kind(&r, bad[i]), 0);
    }
    assert_int_equal(root_path(&r, "a/..b/c..", &full, &e), BIOFT_OK);
    assert_contains(full, "/a/..b/c..");
    assert_int_equal(strncmp(full, *state, strlen(*state)), 0);
    free(full);
    assert_int_equal(root_path(&r, "/etc/x", &full, &e), BIOFT_OK);
    assert_string_equal(full, "/etc/x");
    free(full);

    char *longest = malloc(5000);
    memset(longest, 'a', 4999);
    longest[4999] = '\0';
    assert_int_equal(root_path(&r, longest, &full, &e), BIOFT_ERR_FORMAT);
    free(longest);
    root_finish(&r);

    assert_int_equal(root_init(&r, NULL, &e), BIOFT_OK);
    assert_int_equal(root_path(&r, "x", &full, &e), BIOFT_ERR_INVALID);
    assert_contains(e.text, "root");
    root_finish(&r);
}

static void test_links(void **state)
{
    struct root r;
    struct error e;
    char *full;
    int fd;

    (void)state;
    assert_int_equal(mkdir("data", 0777), 0);
    assert_int_equal(mkdir("data/a", 0777), 0);
    write_file("data/a/x", "1", 1);
    write_file("outside", "2", 1);
    assert_int_equal(symlink("a/x", "data/in"), 0);
    assert_int_equal(symlink("../outside", "data/out"), 0);
    assert_int_equal(symlink("..", "data/up"), 0);
    assert_int_equal(symlink("nowhere", "data/dangling"), 0);
    assert_int_equal(mkfifo("data/fifo", 0666), 0);

    assert_int_equal(root_init(&r, "data", &e), BIOFT_OK);
    static const char *const followed[] = { "in", "out", "up/outside" };
    for (size_t i = 0; i < COUNT(followed); i++) {
        char byte = 0;
        assert_int_equal(root_path(&r, followed[i], &full, &e), BIOFT_OK);
        assert_int_equal(root_open(full, &fd, &e), BIOFT_OK);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, i ? '2' : '1');
        close(fd);
        free(full);
    }
    assert_int_equal(root_path(&r, "a/../../outside", &full, &e), BIOFT_ERR_FORMAT);
    assert_contains(e.text, "leaves the folder");
    assert_int_equal(root_path(&r, "dangling", &full, &e), BIOFT_OK);
    assert_int_equal(root_open(full, &fd, &e), BIOFT_ERR_IO);
    free(full);
    /* What a list file names stays below the root, or below a folder that somebody else named. */
    static const struct {
        const char *folder, *name;
        bool holds;
    } listed[] = { { "", "a/x", true },           { "", "in", true },         { "", "out", false },
                   { "", "up/outside", false },   { "", "up/data/in", true }, { "up", "outside", true },
                   { "up", "data/out", true },    { "a", "../a/x", false },   { "", "dangling", true },
                   { "a", "/etc/passwd", false }, { "up/", "/x", false } };
    for (size_t i = 0; i < COUNT(listed); i++)
        assert_int_equal(root_holds(&r, listed[i].folder, listed[i].name), listed[i].holds);
    assert_int_equal(root_kind(&r, "in"), 1);
    assert_int_equal(root_kind(&r, "a"), 2);
    assert_int_equal(root_kind(&r, "."), 2);
    assert_int_equal(root_kind(&r, "fifo"), 0);
    assert_int_equal(root_kind(&r, "dangling"), 0);
    root_finish(&r);

    /* A root that is a link itself is the user's choice. */
    assert_int_equal(symlink("data", "alias"), 0);
    assert_int_equal(root_init(&r, "alias", &e), BIOFT_OK);
    assert_int_equal(root_path(&r, "a/x", &full, &e), BIOFT_OK);
    free(full);
    root_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_links, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
