/* The output folder: whose it is, and what goes on in it. */
#include "experiment.h"

#include "base/file.h"
#include "run/output.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What another process does just before this one gets its lock; once. */
static void (*before_lock)(void);

int flock(int fd, int how)
{
    void (*other)(void) = before_lock;

    before_lock = NULL;
    if (other)
        other();
    return (int)syscall(SYS_flock, fd, how);
}

static bioft_status open_folder(const char *more, bool resume, bool force, struct output *ret, struct error *err)
{
    struct experiment *e = read_experiment(more, NULL);
    bioft_status st = output_open(&(struct output_params){ .resume = resume, .force = force, .sharing = OUTPUT_ALONE },
                                  &e, ret, err);
    experiment_destroy(e);
    return st;
}

static void begins_with_the_resolved_manifest(void **state)
{
    struct error err = { 0 };
    struct output o;
    (void)state;

    OK(open_folder("", false, false, &o, &err), err);
    char *manifest = get_file("out/manifest.yaml");
    assert_non_null(strstr(manifest, "tiny_engine"));
    assert_non_null(strstr(manifest, "momentum")); /* a default, filled in */
    free(manifest);
    output_close(&o);
}

static void goes_on_only_when_asked(void **state)
{
    struct error err = { 0 };
    struct output o;
    (void)state;

    OK(open_folder("", false, false, &o, &err), err);
    output_close(&o);
    assert_int_equal(open_folder("", false, false, &o, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "--resume"));
    OK(open_folder("", true, false, &o, &err), err);
    output_close(&o);
}

static void shows_how_another_manifest_differs(void **state)
{
    struct error err = { 0 };
    struct output o;
    (void)state;

    OK(open_folder("", false, false, &o, &err), err);
    output_close(&o);
    assert_int_equal(open_folder("precision: bf16\n", true, false, &o, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "bf16"));
    assert_non_null(strstr(err.text, "f32"));
    /* What changes anything but trials and attacks is not forced either, and the folder is as it was. */
    assert_int_equal(open_folder("precision: bf16\n", true, true, &o, &err), BIOFT_ERR_INVALID);
    OK(open_folder("", true, false, &o, &err), err);
    output_close(&o);
}

static void leaves_the_folders_of_others_alone(void **state)
{
    struct error err = { 0 };
    struct output o;
    (void)state;

    OK(file_make_folder("out", &err), err);
    put_file("out/letter.txt", "dear");
    assert_int_equal(open_folder("", false, false, &o, &err), BIOFT_ERR_INVALID);
    assert_int_equal(open_folder("", true, true, &o, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "manifest.yaml"));
    char *text = get_file("out/letter.txt");
    assert_string_equal(text, "dear");
    free(text);
    assert_false(file_exists("out/manifest.yaml"));
}

static void is_locked_while_in_use(void **state)
{
    struct error err = { 0 };
    struct output o, other;
    (void)state;

    OK(open_folder("", false, false, &o, &err), err);
    assert_int_not_equal(open_folder("", true, false, &other, &err), BIOFT_OK);
    output_unlock(&o);
    OK(open_folder("", true, false, &other, &err), err);
    output_close(&other);
    output_close(&o);
}

static void run_another(void)
{
    struct error err = { 0 };
    struct output o;

    OK(open_folder("precision: bf16\n", true, false, &o, &err), err);
    output_close(&o);
}

/* Both found the folder empty; only one may think that it is its own. */
static void another_run_comes_first(void **state)
{
    struct error err = { 0 };
    struct output o;
    (void)state;

    before_lock = run_another;
    assert_int_equal(open_folder("", false, false, &o, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "not empty"));
    unlink("out/manifest.yaml");
    before_lock = run_another;
    assert_int_equal(open_folder("", true, false, &o, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "bf16"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(begins_with_the_resolved_manifest, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(goes_on_only_when_asked, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(shows_how_another_manifest_differs, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(leaves_the_folders_of_others_alone, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(is_locked_while_in_use, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(another_run_comes_first, folder_open, folder_close),
    };
    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
