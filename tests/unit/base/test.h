/* What the tests of this room share: cmocka, and a folder that goes away. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdbool.h>
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

/* Set-up and tear-down of a group: an empty folder that is the working directory meanwhile. */
static inline int test_enter_folder(void **state)
{
    char folder[] = "base-test-XXXXXX", *made = mkdtemp(folder);

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

#endif
