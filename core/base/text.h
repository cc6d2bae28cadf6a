/* Text: building, numbers that read back, quoting for people, near words. Never the locale. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing text, always terminated; a failed allocation sets `failed` and the rest is dropped. */
struct text {
    char *data; /* NULL while empty */
    size_t length, capacity;
    bool failed;
};
void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t length);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes from the start of s that are shown as they are; behind them *ret_hidden, 0 at the end, that are none of UTF-8's
 * or of a character that a terminal acts on: controls but newline and tab, and what turns the order of text around. */
size_t text_visible(const char *s, size_t length, size_t *ret_hidden);
/* As text_add_n, hidden bytes as \xNN. */
void text_add_visible(struct text *t, const char *s, size_t length);
/* RFC 4648, with padding. */
void text_add_base64(struct text *t, const uint8_t *bytes, size_t size);
void text_free(struct text *t); /* NULL-safe; leaves it empty */

/* What names, or their beginnings, are replaced by. */
struct name_change {
    const char *from, *to;
};

/* How many significant digits, `least` or more, tell all values apart that differ; 17 at most. */
int text_digits(const double *values, size_t count, int least);
/* Shortest decimal that reads back to the same double (15, 16 or 17 digits), '.' always; "nan",
 * "inf", "-inf". */
enum { TEXT_NUMBER = 32 };
const char *text_number(char ret[TEXT_NUMBER], double value);
/* The whole of `s` as a decimal number, with '.', never by the locale, no hex, no nan or inf, and
 * no number so small that it would be 0. */
bool text_to_double(const char *s, size_t length, double *ret);
/* The next line of `size` bytes from *at on, without its end, and *at behind it; false where none is left or the
 * last one has no end: it is unfinished. */
bool text_next_line(const char *bytes, size_t size, size_t *at, const char **ret, size_t *ret_length);

/* Bytes outside 0x20..0x7e and the backslash as \xNN, cut at 80 bytes of the input with "...";
 * returns ret. */
enum { TEXT_ESCAPED = 80 * 4 + 4 };
const char *text_escape(char ret[TEXT_ESCAPED], const char *s, size_t length);

/* The candidate nearest to `word` by edits (transpositions count one, another case none), or NULL
 * where none is near enough to suggest: at most a third of the word's length, at least 1, at most 3
 * edits. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* The same; NULL is as "". */
bool same_text(const char *a, const char *b);

/* Shell-like pattern with '*' and '?', over the whole of s. */
bool text_match(const char *pattern, const char *s);

/* "12.3 MiB", "1.2 GiB", "45.0 s", "3 min 20 s", "2 h 5 min" for people; returns ret. */
const char *text_size(char ret[TEXT_NUMBER], uint64_t bytes);
const char *text_duration(char ret[TEXT_NUMBER], double seconds);

#endif
