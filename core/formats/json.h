/* JSON: writing into a text, and reading small files into a tree (by yajl, bounded). */
#ifndef FORMATS_JSON_H
#define FORMATS_JSON_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

/* Writing. A member is `json_key` then a value; commas are added where one is needed. */
void json_begin_object(struct text *t);
void json_end_object(struct text *t);
void json_begin_array(struct text *t);
void json_end_array(struct text *t);
void json_key(struct text *t, const char *key);
void json_string(struct text *t, const char *value); /* NULL: null */
void json_number(struct text *t, double value);      /* not finite: null */
void json_integer(struct text *t, int64_t value);
void json_bool(struct text *t, bool value);

/* Reading. */
enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
struct json {
    enum json_type type;
    bool boolean;
    double number;
    const char *text;     /* STRING, and NUMBER as written */
    size_t length, count; /* of text; of children */
    struct json **items;  /* ARRAY and OBJECT */
    const char **keys;    /* OBJECT: each once */
};
/* Depth 32, strings of 1 MiB, a million values, 64 MiB at most; a key given twice is an error. */
bioft_status json_parse(const char *name, const char *bytes, size_t size, struct arena *arena, struct json **ret,
                        struct error *err);
/* NULL: none, or no object. */
const struct json *json_get(const struct json *object, const char *key);

/* What yajl would let pass: bytes that are not UTF-8, control characters as blanks, the escapes of
 * NUL and of half a surrogate pair. NULL where there is none, else what is wrong, at *ret_at. */
const char *json_check_text(const uint8_t *bytes, size_t size, size_t *ret_at);

#endif
