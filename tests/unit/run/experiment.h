/* A small experiment in a folder of the test's own, with the tests' own plugins. */
#ifndef TESTS_RUN_EXPERIMENT_H
#define TESTS_RUN_EXPERIMENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "run/trial.h"

/* Fails the test with what went wrong. */
#define OK(call, err) \
    do { \
        if ((call) != BIOFT_OK) \
            fail_msg("%s: %s", #call, (err).text); \
    } while (0)

/* cmocka's set-up and tear-down: the test works in an empty folder, *state is its path. */
int folder_open(void **state);
int folder_close(void **state);

/* What was written to a log. */
struct heard {
    struct log log;
    struct text text;
};
void hear(struct heard *h);
void put_file(const char *path, const char *text);
char *get_file(const char *path); /* free() */
/* The manifest of the tests, one stage and one attack, with `more` lines at its end. */
struct experiment *read_experiment(const char *more, const struct log *log);

#endif
