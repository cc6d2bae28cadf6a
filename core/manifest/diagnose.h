/* Diagnostics worth reading: file:line:column, the line, a caret, a near miss; all at once. */
#ifndef MANIFEST_DIAGNOSE_H
#define MANIFEST_DIAGNOSE_H

#include "base/text.h"
#include "manifest/yaml.h"

struct diagnostics {
    const struct source *source;
    struct text text;                              /* what was said so far */
    size_t errors, warnings;
};
/* "path:12:5: error: TEXT", the line and a caret under `mark`. length: characters underlined, 0 for one. */
void diagnose_error(struct diagnostics *d, struct mark mark, size_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diagnose_warning(struct diagnostics *d, struct mark mark, size_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "note: TEXT" after the last one. */
void diagnose_note(struct diagnostics *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diagnostics_free(struct diagnostics *d);

#endif
