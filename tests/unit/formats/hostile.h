/* What every reader of hostile bytes is put through: exact copies, prefixes, changed bytes. */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* After those it needs. */
#include <cmocka.h>

/* Reads the bytes and throws away what came out; the status is all that is asked. */
typedef bioft_status read_fn(const uint8_t *bytes, size_t size, struct error *err);

/* The same on a copy of exactly `size` bytes, so that the address sanitizer sees a byte too far. */
static inline bioft_status read_copy(read_fn *read, const void *bytes, size_t size, struct error *err)
{
    uint8_t *copy = size <= PTRDIFF_MAX ? malloc(size ? size : 1) : NULL;
    assert_non_null(copy);
    if (copy && size) /* the compiler cannot know that the assertion does not return */
        memcpy(copy, bytes, size);
    err->text[0] = '\0';
    bioft_status st = read(copy, size, err);
    free(copy);
    return st;
}

/* The bytes are refused in one line that has the file's name ("t") first, and each of the words. */
static inline void expect_refused(read_fn *read, const char *what, const void *bytes, size_t size, const char *words)
{
    struct error err;
    bioft_status st = read_copy(read, bytes, size, &err);
    if (st == BIOFT_OK || strncmp(err.text, "t: ", 3) != 0 || !strstr(err.text, words) || strchr(err.text, '\n'))
        fail_msg("%s: status %d, '%s' where '%s' is expected", what, (int)st, err.text, words);
}

static inline void expect_read(read_fn *read, const char *what, const void *bytes, size_t size)
{
    struct error err;
    bioft_status st = read_copy(read, bytes, size, &err);
    if (st != BIOFT_OK)
        fail_msg("%s: %s", what, err.text);
}

/* Every prefix is an error with a text. */
static inline void expect_prefixes_refused(read_fn *read, const void *bytes, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        struct error err;
        bioft_status st = read_copy(read, bytes, n, &err);
        if (st == BIOFT_OK || err.text[0] == '\0')
            fail_msg("the first %zu of %zu bytes were read", n, size);
    }
}

/* Every value of every byte gives an error with a text, or is read; the sanitizers watch. */
static inline void change_every_byte(read_fn *read, const void *bytes, size_t size)
{
    uint8_t *changed = malloc(size);
    assert_non_null(changed);
    memcpy(changed, bytes, size);
    for (size_t i = 0; i < size; i++) {
        uint8_t before = changed[i];
        for (unsigned value = 0; value < 256; value++) {
            struct error err;
            changed[i] = (uint8_t)value;
            if (read_copy(read, changed, size, &err) != BIOFT_OK && err.text[0] == '\0')
                fail_msg("byte %zu as %u: an error without a text", i, value);
        }
        changed[i] = before;
    }
    free(changed);
}

#endif
