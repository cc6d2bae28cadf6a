/* Diagnostics as compilers write them: the place, what is wrong, the line and a caret. */
#include "manifest/diagnose.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 100, BEFORE = 60 }; /* characters of a long line, and those left of its caret */

static const struct source *source_of(const struct diagnostics *d, struct mark mark)
{
    if (mark.source == 0)
        return d->source;
    return mark.source <= d->set_count ? &d->sets[mark.source - 1] : NULL;
}

/* The bytes of line `number`, from 1, without its end; false: there is none. */
static bool find_line(const struct source *source, uint32_t number, const char **ret, const char **ret_end)
{
    const char *s = source->bytes, *end = source->bytes + source->size;

    if (source->size >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
        s += 3;
    for (uint32_t line = 1; line < number; line++) {
        while (s < end && *s != '\n' && *s != '\r')
            s++;
        if (s == end)
            return false;
        s += *s == '\r' && s + 1 < end && s[1] == '\n' ? 2 : 1;
    }
    *ret = s;
    while (s < end && *s != '\n' && *s != '\r')
        s++;
    *ret_end = s;
    return true;
}

/* Characters `first` to `last`, counted from 1; what a terminal might obey is shown as '?'. */
static void add_characters(struct text *t, const char *s, const char *end, size_t first, size_t last)
{
    for (size_t i = 1; s < end && i <= last; i++) {
        uint32_t c;
        size_t n = utf8_next(s, end, &c);
        if (i >= first && n > 0 && c >= 0x20 && (c < 0x7f || c > 0x9f))
            text_add_n(t, s, n);
        else if (i >= first)
            text_add(t, n > 0 && c == '\t' ? " " : "?");
        s += n ? n : 1;
    }
}

static void add_line(struct diagnostics *d, struct mark mark, size_t length)
{
    const struct source *source = source_of(d, mark);
    const char *s, *end;

    if (!source || mark.line == 0 || !find_line(source, mark.line, &s, &end))
        return;
    const size_t characters = utf8_count(s, (size_t)(end - s));
    const size_t first = characters > SHOWN && mark.column > BEFORE ? mark.column - BEFORE : 1;
    const size_t last = characters - first >= SHOWN ? first + SHOWN - 1 : characters;
    const size_t left = mark.column >= first ? mark.column - first : 0;

    if (mark.source == 0)
        text_printf(&d->text, "%5u | ", mark.line);
    else
        text_add(&d->text, "      | ");
    text_add(&d->text, first > 1 ? "..." : "");
    add_characters(&d->text, s, end, first, last);
    text_add(&d->text, last < characters ? "...\n      | " : "\n      | ");
    text_add(&d->text, first > 1 ? "   " : "");
    for (size_t i = 0; i < left; i++)
        text_add_n(&d->text, " ", 1);
    text_add(&d->text, "^");
    for (size_t i = 1; i < length && mark.column + i <= last; i++)
        text_add_n(&d->text, "~", 1);
    text_add(&d->text, "\n");
}

/* Was this very line said before? */
static bool is_said(const struct diagnostics *d, const char *line)
{
    const char *at = d->text.data;

    while (at && (at = strstr(at, line))) {
        if (at == d->text.data || at[-1] == '\n')
            return true;
        at++;
    }
    return false;
}

static bool format_text(char **ret, const char *format, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    *ret = n < 0 ? NULL : malloc((size_t)n + 1);
    if (*ret)
        vsnprintf(*ret, (size_t)n + 1, format, args);
    return *ret;
}

/* What is said from here on is of `mark`. */
static void begin(struct diagnostics *d, struct mark mark)
{
    if (!mem_grow(&d->said, &d->said_room, d->said_count + 1, sizeof *d->said)) {
        d->text.failed = true;
        return;
    }
    if (d->said_count > 0)
        d->said[d->said_count - 1].end = d->text.length;
    d->said[d->said_count++] = (struct said){ .mark = mark, .begin = d->text.length };
}

static void say(struct diagnostics *d, struct mark mark, size_t length, const char *severity, size_t *count,
                const char *format, va_list args)
{
    const struct source *source = source_of(d, mark);
    struct text line = { 0 };
    char *what;

    d->silent = true;
    if (!format_text(&what, format, args)) {
        d->text.failed = true;
        ++*count;
        return;
    }
    text_add(&line, source ? source->path : "manifest");
    if (mark.source == 0 && mark.line > 0)
        text_printf(&line, ":%u:%u", mark.line, mark.column);
    text_printf(&line, ": %s: ", severity);
    add_characters(&line, what, what + strlen(what), 1, SIZE_MAX);
    text_add(&line, "\n");
    free(what);
    d->text.failed = d->text.failed || line.failed;
    if (!line.failed && !is_said(d, line.data) && ++*count <= DIAGNOSE_MOST) {
        begin(d, mark);
        text_add(&d->text, line.data);
        add_line(d, mark, length);
        d->silent = false;
    } else if (*count == DIAGNOSE_MOST + 1 && d->silent) {
        ++*count;
        begin(d, (struct mark){ .source = UINT32_MAX });
        text_printf(&d->text, "%s: the first %d are shown\n", severity, (int)DIAGNOSE_MOST);
    }
    text_free(&line);
}

void diagnose_error(struct diagnostics *d, struct mark mark, size_t length, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(d, mark, length, "error", &d->errors, format, args);
    va_end(args);
}

void diagnose_warning(struct diagnostics *d, struct mark mark, size_t length, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(d, mark, length, "warning", &d->warnings, format, args);
    va_end(args);
}

void diagnose_note(struct diagnostics *d, const char *format, ...)
{
    va_list args;
    char *what;

    if (d->silent)
        return;
    va_start(args, format);
    if (format_text(&what, format, args)) {
        text_add(&d->text, "note: ");
        add_characters(&d->text, what, what + strlen(what), 1, SIZE_MAX);
        text_add(&d->text, "\n");
        free(what);
    } else {
        d->text.failed = true;
    }
    va_end(args);
}

static int compare_said(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    const struct mark m = x->mark, n = y->mark;

    if (m.source != n.source)
        return m.source < n.source ? -1 : 1;
    if (m.line != n.line)
        return m.line < n.line ? -1 : 1;
    if (m.column != n.column)
        return m.column < n.column ? -1 : 1;
    return x->begin < y->begin ? -1 : 1;
}

bool diagnostics_sort(struct diagnostics *d)
{
    struct text sorted = { 0 };

    if (d->said_count == 0)
        return true;
    d->said[d->said_count - 1].end = d->text.length;
    qsort(d->said, d->said_count, sizeof *d->said, compare_said);
    for (size_t i = 0; i < d->said_count; i++)
        text_add_n(&sorted, d->text.data + d->said[i].begin, d->said[i].end - d->said[i].begin);
    if (sorted.failed) {
        text_free(&sorted);
        return false;
    }
    text_free(&d->text);
    d->text = sorted;
    d->said_count = 0;
    return true;
}

void diagnostics_free(struct diagnostics *d)
{
    if (!d)
        return;
    text_free(&d->text);
    free(d->said);
    d->said = NULL;
    d->said_count = d->said_room = 0;
}
