/* What the tests of this room share: cmocka, a folder that goes away, and a rule without fault. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* it would take host->fail too */
#define test_fail(...) (print_error(__VA_ARGS__), _fail(__FILE__, __LINE__))

#include "plugin/load.h"
#include "plugin/options.h"
#include "plugin/check.h"
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline int test_remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* Set-up and tear-down: an empty folder that is the working directory meanwhile; *state is its path. */
static inline int test_enter_folder(void **state)
{
    char folder[] = "plugin-test-XXXXXX", *made = mkdtemp(folder);
    *state = made ? realpath(made, NULL) : NULL;
    return *state ? chdir(*state) : -1;
}

static inline int test_leave_folder(void **state)
{
    int status = chdir("..");
    status |= nftw(*state, test_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return status;
}

static inline void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        test_fail("'%s' is not in '%s'\n", part, text);
}

/* An instance with room for every type. */
struct sample {
    double number;
    int64_t integer;
    int32_t truth, choice;
    const char *text, *path;
    bioft_list numbers, integers, texts;
};

#endif
