/* A profile's JSON in a buffer of the caller's. */
#ifndef ENGINE_PROFILE_TEXT_H
#define ENGINE_PROFILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Text that grows in a buffer; `full` once something did not fit. */
struct profile_text {
    char *text;
    size_t size, used;
    bool full;
};
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void profile_put(struct profile_text *o, const char *format, ...);
/* Names are those of layers and kernels; what JSON would have to escape becomes '?'. */
void profile_put_name(struct profile_text *o, const char *name);

#endif
