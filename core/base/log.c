/* The log: rooms below the command line report through it and never print. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    char small[1024], *text = small;
    va_list args, again;
    int n;

    if (!log || !log->write)
        return;
    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(small, sizeof small, format, args);
    if (n >= (int)sizeof small) {
        text = malloc((size_t)n + 1);
        if (text)
            vsnprintf(text, (size_t)n + 1, format, again);
        else
            text = small; /* cut, but said */
    }
    va_end(again);
    va_end(args);
    if (n >= 0)
        log->write(log->ctx, level, text);
    if (text != small)
        free(text);
}
