/* A trial from its manifest to its files, on a tiny engine and dataset. */
#include "experiment.h"

#include "base/file.h"
#include "run/summary.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Metrics that were synced at least as often as checkpoints were put into place. */
static struct {
    size_t metrics, checkpoints, late;
} calls;

int fsync(int fd)
{
    char link[64], name[1024];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, name, sizeof name);
    calls.metrics += n > 14 && memcmp(name + n - 14, "/metrics.jsonl", 14) == 0;
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    if (strstr(to, "/stages/") && strstr(to, "/checkpoint.safetensors"))
        calls.late += ++calls.checkpoints > calls.metrics;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* Runs a trial of the experiment; the files are under ./out. */
static bioft_status run(const struct experiment *e, size_t trial, const struct stop *stop, struct heard *h,
                        char *ret_activity)
{
    struct error err = { 0 };
    struct status_file status = { 0 };
    struct trial_run r = { .experiment = e,
                           .trial = &e->trials[trial],
                           .out = "out",
                           .log = &h->log,
                           .engine_log = &h->log,
                           .stop = stop,
                           .status = &status };

    bioft_status st = trial_open(&r, &err);
    if (st == BIOFT_OK)
        st = file_make_folder(r.folder, &err);
    if (st == BIOFT_OK)
        st = trial_run(&r, &err);
    if (st != BIOFT_OK && st != BIOFT_ERR_CANCELLED)
        fail_msg("%s", err.text);
    if (ret_activity)
        snprintf(ret_activity, sizeof status.now.activity, "%s", status.now.activity);
    trial_close(&r);
    return st;
}

static size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void leaves_results_metrics_and_a_checkpoint(void **state)
{
    struct heard h;
    char activity[200];
    (void)state;

    hear(&h);
    struct experiment *e = read_experiment("", &h.log);
    assert_int_equal(e->trial_count, 1);
    assert_int_equal(run(e, 0, NULL, &h, activity), BIOFT_OK);
    assert_true(calls.checkpoints > 0); /* a checkpoint counts on the lines before it */
    assert_int_equal(calls.late, 0);
    /* A header; the clean figure; two epsilons by two gradients; at both the worst case of the exact gradient, of the
     * rule's and of all. */
    char *path = trial_results_path("out", &e->trials[0]), *results = get_file(path);
    assert_int_equal(lines(results), 1 + 1 + 4 + 6);
    assert_non_null(strstr(results, "tiny_attack"));
    assert_non_null(strstr(results, "learn"));
    assert_non_null(strstr(h.text.data, "tiny_engine"));
    assert_non_null(strstr(h.text.data, "epoch 2 of 2"));
    assert_int_equal(strncmp(activity, "tiny_attack", strlen("tiny_attack")), 0);
    char *folder = strdup(path), *metrics;
    assert_non_null(folder);
    *strrchr(folder, '/') = '\0';
    struct text file = { 0 };
    text_printf(&file, "%s/metrics.jsonl", folder);
    metrics = get_file(file.data);
    assert_true(lines(metrics) >= 2);
    assert_non_null(strstr(metrics, "\"epoch\":1,"));
    text_free(&file);
    text_printf(&file, "%s/checkpoint.safetensors", folder);
    assert_true(file_exists(file.data));
    text_free(&file);
    free(metrics);
    free(folder);
    free(results);
    free(path);
    text_free(&h.text);
    experiment_destroy(e);
}

static void computes_nothing_again(void **state)
{
    struct heard first, again;
    (void)state;

    hear(&first);
    struct experiment *e = read_experiment("", &first.log);
    run(e, 0, NULL, &first, NULL);
    char *path = trial_results_path("out", &e->trials[0]), *before = get_file(path);
    assert_non_null(strstr(first.text.data, "epsilons"));
    assert_int_equal(unlink(path), 0);
    hear(&again);
    run(e, 0, NULL, &again, NULL);
    char *after = get_file(path);
    assert_string_equal(before, after);
    assert_null(strstr(again.text.data, "epoch"));
    assert_null(strstr(again.text.data, "epsilons"));
    free(before);
    free(after);
    free(path);
    text_free(&first.text);
    text_free(&again.text);
    experiment_destroy(e);
}

static void stops_and_goes_on_to_the_same_bytes(void **state)
{
    struct heard h;
    struct stop stop = { .signal = 15 };
    (void)state;

    hear(&h);
    struct experiment *e = read_experiment("", &h.log);
    char *path = trial_results_path("out", &e->trials[0]);
    assert_int_equal(run(e, 0, &stop, &h, NULL), BIOFT_ERR_CANCELLED);
    assert_false(file_exists(path));
    assert_int_equal(run(e, 0, NULL, &h, NULL), BIOFT_OK);
    char *resumed = get_file(path);
    assert_int_equal(rename("out", "first"), 0);
    assert_int_equal(run(e, 0, NULL, &h, NULL), BIOFT_OK);
    char *whole = get_file(path);
    assert_string_equal(resumed, whole);
    free(resumed);
    free(whole);
    free(path);
    text_free(&h.text);
    experiment_destroy(e);
}

static void joins_the_trials_that_are_done(void **state)
{
    struct heard h;
    struct error err = { 0 };
    (void)state;

    hear(&h);
    struct experiment *e = read_experiment("sweep:\n  seed: [1, 2]\n", &h.log);
    assert_int_equal(e->trial_count, 2);
    run(e, 1, NULL, &h, NULL);
    OK(summary_results("out", e, &err), err);
    char *results = get_file("out/results.csv"), *trials = get_file("out/trials.csv");
    assert_int_equal(lines(results), 1 + 11);
    assert_int_equal(lines(trials), 3);
    assert_non_null(strstr(results, e->trials[1].id));
    assert_null(strstr(results, e->trials[0].id));
    free(results);
    run(e, 0, NULL, &h, NULL);
    OK(summary_results("out", e, &err), err);
    results = get_file("out/results.csv");
    assert_int_equal(lines(results), 1 + 22);
    /* In the manifest's order, not in that of the runs. */
    assert_true(strstr(results, e->trials[0].id) < strstr(results, e->trials[1].id));
    free(results);
    free(trials);
    text_free(&h.text);
    experiment_destroy(e);
}

static void refuses_data_without_a_database(void **state)
{
    struct heard h;
    struct error err = { 0 };
    (void)state;

    hear(&h);
    struct experiment *e = read_experiment("", &h.log);
    struct trial t = e->trials[0];
    struct head_spec head = t.head;
    head.bits = 16; /* hash codes need a database, which this dataset lacks */
    t.head = head;
    struct status_file status = { 0 };
    struct trial_run r = { .experiment = e, .trial = &t, .out = "out", .log = &h.log, .status = &status };
    bioft_status st = trial_open(&r, &err);
    if (st == BIOFT_OK)
        st = trial_run(&r, &err);
    assert_int_equal(st, BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "database"));
    assert_null(strstr(h.text.data, "epoch")); /* before anything was trained */
    trial_close(&r);
    text_free(&h.text);
    experiment_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leaves_results_metrics_and_a_checkpoint, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(computes_nothing_again, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(stops_and_goes_on_to_the_same_bytes, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(joins_the_trials_that_are_done, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(refuses_data_without_a_database, folder_open, folder_close),
    };
    return cmocka_run_group_tests_name("trial", tests, NULL, NULL);
}
