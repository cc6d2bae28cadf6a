/* All that is wrong with a file, listed together. */
#include "train/faults.h"

#include <stdarg.h>
#include <stdio.h>

enum { LISTED = 20 };

void faults_add(struct faults *f, const char *format, ...)
{
    char line[512];
    va_list args;
    if (++f->count > LISTED)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    text_printf(&f->text, "\n  %s", line);
}

bool faults_full(const struct faults *f) { return f->count >= LISTED; }

bioft_status faults_end(struct faults *f, const char *path, const char *what, struct error *err)
{
    bioft_status st = BIOFT_OK;
    if (f->count > LISTED)
        text_printf(&f->text, "\n  and %zu more", f->count - LISTED);
    if (f->text.failed)
        st = error_memory(err, path);
    else if (f->count > 0)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: %s:%s", path, what, f->text.data);
    text_free(&f->text);
    f->count = 0;
    return st;
}

const char *shape_text(char ret[SHAPE_TEXT], unsigned dims, const uint64_t *shape)
{
    size_t at = 0;
    ret[at++] = '[';
    for (unsigned i = 0; i < dims && i < 8; i++)
        at += (size_t)snprintf(ret + at, SHAPE_TEXT - at, "%s%llu", i > 0 ? ", " : "", (unsigned long long)shape[i]);
    ret[at++] = ']';
    ret[at] = '\0';
    return ret;
}
