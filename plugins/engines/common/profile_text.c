/* A profile's JSON in a buffer of the caller's. */
#include "profile_text.h"

#include <stdarg.h>
#include <stdio.h>

void profile_put(struct profile_text *o, const char *format, ...)
{
    va_list args;
    int length;

    if (o->full)
        return;
    va_start(args, format);
    length = vsnprintf(o->text + o->used, o->size - o->used, format, args);
    va_end(args);
    o->full = length < 0 || (size_t)length >= o->size - o->used;
    if (!o->full)
        o->used += (size_t)length;
}

void profile_put_name(struct profile_text *o, const char *name)
{
    profile_put(o, "\"");
    for (; *name; name++)
        profile_put(o, "%c", *name < ' ' || *name == '"' || *name == '\\' ? '?' : *name);
    profile_put(o, "\"");
}
