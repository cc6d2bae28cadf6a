/* Errors: a status and a text that says what, where, and what to do. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <bioft/plugin.h>
#include <stdarg.h>

struct error {
    bioft_status status;
    char text[2048]; /* one line or several, without a newline at the end */
};

/* Sets the text and returns status: `return error_set(...)` is one line. err may be NULL. */
bioft_status error_set(struct error *err, bioft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text that is there; returns err's status. */
bioft_status error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "out of memory" for `what`. */
bioft_status error_memory(struct error *err, const char *what);

#endif
