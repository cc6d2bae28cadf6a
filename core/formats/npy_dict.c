/* The Python dict in a .npy file's header, by the grammar of docs/formats.md: three keys, nothing
 * evaluated. */
#include "formats/npy_dict.h"
#include "base/text.h"

#include <string.h>

enum { LONGEST = 10000 }; /* what numpy itself reads at most */
static const uint64_t LARGEST = UINT64_C(1) << 40;

enum { SEEN_DESCR = 1, SEEN_ORDER = 2, SEEN_SHAPE = 4, SEEN_ALL = 7 };

struct cursor {
    const char *name, *text;
    size_t size, at;
    struct error *err;
};

static bioft_status malformed(const struct cursor *c, const char *what)
{
    return error_set(c->err, BIOFT_ERR_FORMAT, "%s: .npy: malformed header at column %zu: %s", c->name, c->at + 1,
                     what);
}

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->size && (c->text[c->at] == ' ' || c->text[c->at] == '\t' || c->text[c->at] == '\n'))
        c->at++;
}

/* Blanks, then `wanted`, if that is what comes. */
static bool take(struct cursor *c, char wanted)
{
    skip_blanks(c);
    if (c->at == c->size || c->text[c->at] != wanted)
        return false;
    c->at++;
    return true;
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word);
    skip_blanks(c);
    if (c->size - c->at < length || memcmp(c->text + c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* A string without escapes in either quote. */
static bool take_string(struct cursor *c, const char **ret, size_t *ret_length)
{
    char quote = take(c, '\'') ? '\'' : take(c, '"') ? '"' : '\0';
    if (quote == '\0')
        return false;
    size_t start = c->at;
    while (c->at < c->size && c->text[c->at] != quote && c->text[c->at] != '\\' && c->text[c->at] != '\n')
        c->at++;
    if (c->at == c->size || c->text[c->at] != quote)
        return false;
    *ret = c->text + start;
    *ret_length = c->at++ - start;
    return true;
}

static bool is(const char *s, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(s, word, length) == 0;
}

static bioft_status read_descr(struct cursor *c, struct npy_dict *ret)
{
    const char *s;
    size_t length;
    skip_blanks(c);
    if (c->at < c->size && c->text[c->at] == '[')
        return error_set(c->err, BIOFT_ERR_UNSUPPORTED,
                         "%s: .npy: a structured dtype is not supported: save one field as a plain "
                         "array",
                         c->name);
    if (!take_string(c, &s, &length))
        return malformed(c, "'descr' must be a string without escapes");
    if (length >= sizeof ret->descr) {
        char escaped[TEXT_ESCAPED];
        return error_set(c->err, BIOFT_ERR_UNSUPPORTED, "%s: .npy: dtype '%s' is not supported", c->name,
                         text_escape(escaped, s, length));
    }
    memcpy(ret->descr, s, length);
    ret->descr[length] = '\0';
    return BIOFT_OK;
}

static bioft_status read_order(struct cursor *c, struct npy_dict *ret)
{
    ret->fortran_order = take_word(c, "True");
    if (!ret->fortran_order && !take_word(c, "False"))
        return malformed(c, "'fortran_order' must be True or False");
    return BIOFT_OK;
}

static bioft_status read_number(struct cursor *c, uint64_t *ret)
{
    uint64_t value = 0;
    size_t start = c->at;
    for (; c->at < c->size && c->text[c->at] >= '0' && c->text[c->at] <= '9'; c->at++)
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(c->text[c->at] - '0'), &value))
            return malformed(c, "number too large");
    if (c->at == start)
        return malformed(c, "'shape' must be a tuple of decimal numbers");
    if (value > LARGEST)
        return error_set(c->err, BIOFT_ERR_FORMAT, "%s: .npy: a dimension of %llu is too large, at most 2^40", c->name,
                         (unsigned long long)value);
    if (c->at < c->size && c->text[c->at] == 'L') /* Python 2's long */
        c->at++;
    *ret = value;
    return BIOFT_OK;
}

static bioft_status read_shape(struct cursor *c, struct npy_dict *ret)
{
    bool comma = true; /* a number may come */
    unsigned dims = 0;
    if (!take(c, '('))
        return malformed(c, "'shape' must be a tuple");
    while (!take(c, ')')) {
        if (!comma)
            return malformed(c, "',' or ')' expected in 'shape'");
        if (dims == NPY_DIMS)
            return malformed(c, "too many dimensions, at most 8");
        bioft_status st = read_number(c, &ret->shape[dims]);
        if (st != BIOFT_OK)
            return st;
        dims++;
        comma = take(c, ',');
    }
    if (dims == 1 && !comma)
        return malformed(c, "'shape' must be a tuple: (n,)");
    ret->dims = dims;
    return BIOFT_OK;
}

static bioft_status read_pair(struct cursor *c, unsigned *seen, struct npy_dict *ret)
{
    const char *key;
    size_t length;
    if (!take_string(c, &key, &length))
        return malformed(c, "a key in quotes expected");
    unsigned which = is(key, length, "descr")           ? SEEN_DESCR
                     : is(key, length, "fortran_order") ? SEEN_ORDER
                     : is(key, length, "shape")         ? SEEN_SHAPE
                                                        : 0;
    if (which == 0 || (*seen & which)) {
        char escaped[TEXT_ESCAPED];
        return error_set(c->err, BIOFT_ERR_FORMAT, "%s: .npy: malformed header at column %zu: key '%s' %s", c->name,
                         c->at, text_escape(escaped, key, length), which ? "is given twice" : "is unknown");
    }
    *seen |= which;
    if (!take(c, ':'))
        return malformed(c, "':' expected");
    return which == SEEN_DESCR ? read_descr(c, ret) : which == SEEN_ORDER ? read_order(c, ret) : read_shape(c, ret);
}

bioft_status npy_dict_parse(const char *name, const char *text, size_t size, struct npy_dict *ret, struct error *err)
{
    struct cursor c = { .name = name, .text = text, .size = size, .err = err };
    struct npy_dict dict = { .dims = 0 };
    unsigned seen = 0;
    bool comma = true;
    if (!take(&c, '{'))
        return malformed(&c, "'{' expected");
    while (!take(&c, '}')) {
        if (!comma)
            return malformed(&c, "',' or '}' expected");
        bioft_status st = read_pair(&c, &seen, &dict);
        if (st != BIOFT_OK)
            return st;
        comma = take(&c, ',');
    }
    if (seen != SEEN_ALL)
        return malformed(&c, seen & SEEN_DESCR
                                 ? seen & SEEN_ORDER ? "key 'shape' is missing" : "key 'fortran_order' is missing"
                                 : "key 'descr' is missing");
    if (c.at > LONGEST)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: a header of %zu characters, at most %d", name, c.at,
                         LONGEST);
    skip_blanks(&c);
    if (c.at != c.size)
        return malformed(&c, "text after the '}'");
    *ret = dict;
    return BIOFT_OK;
}
