/* Errors: a status and a text that says what, where, and what to do. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* Formats aside first, so that the arguments may point into err->text. */
static void format_text(struct error *err, const char *format, va_list args, const char *rest)
{
    char text[sizeof err->text];
    int n = vsnprintf(text, sizeof text, format, args);

    if (n < 0) {
        n = 0;
        text[0] = '\0';
    }
    if ((size_t)n < sizeof text)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s", rest);
    if ((size_t)n >= sizeof text)
        memcpy(text + sizeof text - 4, "...", 4);
    memcpy(err->text, text, sizeof text);
}

bioft_status error_set(struct error *err, bioft_status status, const char *format, ...)
{
    va_list args;

    if (!err)
        return status;
    va_start(args, format);
    format_text(err, format, args, "");
    va_end(args);
    err->status = status;
    return status;
}

bioft_status error_prefix(struct error *err, const char *format, ...)
{
    char rest[sizeof err->text + 2];
    va_list args;

    if (!err)
        return BIOFT_OK;
    snprintf(rest, sizeof rest, ": %s", err->text);
    va_start(args, format);
    format_text(err, format, args, rest);
    va_end(args);
    return err->status;
}

bioft_status error_memory(struct error *err, const char *what)
{
    return error_set(err, BIOFT_ERR_MEMORY, "out of memory for %s", what);
}
