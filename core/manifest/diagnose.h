/* Diagnostics worth reading: file:line:column, the line, a caret, a near miss; all at once. */
#ifndef MANIFEST_DIAGNOSE_H
#define MANIFEST_DIAGNOSE_H

#include "base/text.h"
#include "manifest/yaml.h"

struct diagnostics {
    const struct source *source;
    const struct source *sets; /* of --set: those of mark.source 1, 2, ... */
    size_t set_count;
    struct text text; /* what was said so far, each thing once */
    struct said {     /* where each lies in the text, its notes included */
        struct mark mark;
        size_t begin, end; /* the last one's end is that of the text */
    } *said;
    size_t said_count, said_room;
    size_t errors, warnings; /* distinct ones */
    bool silent;             /* the last one was not said: nor are its notes */
};
enum { DIAGNOSE_MOST = 100 }; /* errors shown; the rest is only counted */
/* "path:12:5: error: TEXT", the line and a caret under `mark`; "--set: error: TEXT" for what came from there. length:
 * characters underlined, 0 for one. */
void diagnose_error(struct diagnostics *d, struct mark mark, size_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diagnose_warning(struct diagnostics *d, struct mark mark, size_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "note: TEXT" after the last one. */
void diagnose_note(struct diagnostics *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts the text into the order of the file, what has no place first, --set last; equal places as they were said. At
 * the end of it all. false: out of memory. */
bool diagnostics_sort(struct diagnostics *d);
void diagnostics_free(struct diagnostics *d);

#endif
