/* A trial's small files: metrics, status, failures. */
#include "experiment.h"

#include "base/file.h"
#include "run/failures.h"
#include "run/metrics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void metrics_are_cut_to_the_checkpoint(void **state)
{
    struct error err = { 0 };
    (void)state;

    put_file("m.jsonl", "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1}\n{\"step\":3,\"loss\":0}\n{\"step\":2");
    OK(metrics_cut("m.jsonl", 2, &err), err);
    char *text = get_file("m.jsonl");
    assert_string_equal(text, "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1}\n");
    free(text);
    OK(metrics_cut("m.jsonl", 0, &err), err);
    text = get_file("m.jsonl");
    assert_string_equal(text, "");
    free(text);
    OK(metrics_cut("none.jsonl", 0, &err), err);
    assert_false(file_exists("none.jsonl"));
}

static void metrics_of_stages_are_joined(void **state)
{
    struct error err = { 0 };
    (void)state;

    put_file("a", "1\n");
    put_file("c", "3\n");
    OK(metrics_join("all", (const char *const[]){ "a", "b", "c" }, 3, &err), err);
    char *text = get_file("all");
    assert_string_equal(text, "1\n3\n");
    free(text);
}

static void status_is_read_by_others(void **state)
{
    struct status_file file;
    struct status s;
    struct text line = { 0 };
    (void)state;

    status_open("status", &file);
    assert_true(file.fd > 0);
    status_activity(&file, "%s: %s", "fine-tune", "clean");
    assert_true(status_read("status", &s));
    assert_string_equal(s.activity, "fine-tune: clean");
    assert_true(s.live && !s.failed && isnan(s.loss) && s.pid == (long)getpid());
    status_line(&s, &line);
    assert_string_equal(line.data, "fine-tune: clean");
    text_free(&line);
    file.now.steps = 800;
    file.now.step = 120;
    file.now.epoch = 1;
    file.now.epochs = 5;
    file.now.loss = 0.5;
    file.now.left = 182.0;
    /* A clock that was put back since: what is shown is told by one that nobody sets. */
    file.now.updated = file.now.started = status_clock() + 3600.0;
    file.written = 0.0;
    file.begun -= 100.0;
    status_progress(&file);
    assert_true(status_read("status", &s));
    assert_true(s.step == 120 && status_age(&s) >= 100.0 && status_age(&s) < 200.0);
    status_line(&s, &line);
    assert_string_equal(line.data, "fine-tune: clean: 3 min 2 s left, epoch 2 of 5, loss 0.5000, step 120 of 800");
    text_free(&line);
    status_close(&file, "status", true);
    assert_true(status_read("status", &s));
    assert_true(s.failed && !s.live);
    status_open("status", &file);
    status_activity(&file, "again");
    status_close(&file, "status", false);
    assert_false(status_read("status", &s));
}

static void status_is_no_reason_to_fail(void **state)
{
    struct status_file file;
    struct status s;
    (void)state;

    status_open("no/such/folder/status", &file);
    status_activity(&file, "lost");
    status_close(&file, "no/such/folder/status", true);
    put_file("status", "{\"activity\": ");
    assert_false(status_read("status", &s));
}

static void failures_are_kept(void **state)
{
    struct failures f = { 0 };
    (void)state;

    for (int i = 0; i < 40; i++)
        failures_add(&f, "00", i == 39 ? "the last" : "one of many");
    assert_int_equal(f.failed, 40);
    assert_int_equal(f.count, 40);
    assert_string_equal(f.items[39].why, "the last");
    failures_free(&f);
    assert_int_equal(f.failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics_are_cut_to_the_checkpoint, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(metrics_of_stages_are_joined, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(status_is_read_by_others, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(status_is_no_reason_to_fail, folder_open, folder_close),
        cmocka_unit_test(failures_are_kept),
    };
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
