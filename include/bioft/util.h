/* Inline helpers for plugin authors. Nothing here is part of the ABI. */
#ifndef BIOFT_UTIL_H
#define BIOFT_UTIL_H

#include <bioft/plugin.h>
#include <stdarg.h>
#include <stdio.h>

/* host->fail with a printf format; texts are cut at 511 bytes. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static inline bioft_status
bioft_failf(const bioft_host *host, bioft_status status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return host->fail(host, status, text);
}
#endif
