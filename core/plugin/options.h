/* Option values by a plugin's table: defaults, checking, writing into an instance, and as text. */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include "base/memory.h"
#include "base/text.h"
#include "plugin/registry.h"

/* The value of one option, in the arena of whoever made it. */
struct option_value {
    bool given;               /* by the user, not the default */
    double number;            /* F64 */
    int64_t integer;          /* I64, BOOL (0, 1), CHOICE (index) */
    const char *text;         /* STRING, PATH (absolute); may be NULL */
    size_t count;             /* lists */
    const double *numbers;    /* F64_LIST */
    const int64_t *integers;  /* I64_LIST */
    const char *const *texts; /* STRING_LIST */
};

/* option_count values, all defaults. */
bioft_status options_defaults(const struct plugin *p, struct arena *arena, struct option_value **ret,
                              struct error *err);
/* The default of one option, checked as a given value is. */
bioft_status option_default(const bioft_option *o, struct arena *arena, struct option_value *ret, struct error *err);
const bioft_option *options_find(const struct plugin *p, const char *name, size_t *ret_index);
/* The option with a flag that one option at most has; NULL: none. */
const bioft_option *options_flagged(const struct plugin *p, uint32_t flag, size_t *ret_index);
/* One option from a scalar as a manifest writes it ("1e-3", "8/255", "true", "xavier"); lists by their items. The
 * error says what is wrong without naming file or line: "number expected, found 'x'", "2 is above the largest, 1".
 * An item that is NULL is the manifest's null: a STRING or PATH without a value. folder: what PATH is relative to. */
bioft_status option_parse(const bioft_option *o, const char *const *items, size_t count, bool is_list,
                          const char *folder, struct arena *arena, struct option_value *ret, struct error *err);
/* As a manifest writes it: "0.001", "[0, 1]", "xavier", "'text'"; NULL strings as "null". */
void option_text(const bioft_option *o, const struct option_value *v, struct text *ret);
/* "number", "integer", "true or false", "one of a, b", ... */
void option_type_text(const bioft_option *o, struct text *ret);
/* Writes all values at their offsets; strings and lists are pointed to, not copied. */
void options_write(const struct plugin *p, const struct option_value *values, void *self);

/* What an option takes of the instance; 0 where `type` is none. Its alignment. */
size_t option_bytes(uint32_t type);
size_t option_alignment(uint32_t type);
bool option_is_list(uint32_t type);

/* A number as manifests write it: 1e-5, .001, 3, and fractions "8/255" where they are allowed. */
bool number_parse(const char *s, size_t length, bool fraction, double *ret);
/* An integer: 3, -7, also 1e4. */
bool integer_parse(const char *s, size_t length, int64_t *ret);

#endif
