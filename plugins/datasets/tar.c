/* The members of a tar archive. */
#include "tar.h"

enum {
    BLOCK = 512,
    NAME = 100,
    SIZE_AT = 124,
    SUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX = 155,
    MOST_EXTENDED = 1 << 20
};

static bioft_status damaged(const struct tar *t, uint64_t at, const char *what)
{
    return files_of(t->host)->fail_at(t->host, BIOFT_ERR_FORMAT, t->path, 0, at, what);
}

/* Octal digits, ended by a blank or NUL; GNU's base 256 where the first bit is set. 0: no number. */
static int number(const uint8_t *field, size_t length, uint64_t *ret)
{
    uint64_t value = 0;
    size_t i = 0;

    if (field[0] & 0x80) {
        for (i = 1; i + 8 < length; i++)
            if (field[i])
                return 0;
        if (field[0] != 0x80)
            return 0;
        for (; i < length; i++)
            value = value << 8 | field[i];
        *ret = value;
        return 1;
    }
    while (i < length && field[i] == ' ')
        i++;
    const size_t first = i;
    for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(field[i] - '0');
    *ret = value;
    return i > first && (i == length || field[i] == ' ' || field[i] == '\0');
}

/* The sum of all bytes, with blanks in its own place. */
static int sum_agrees(const uint8_t *header)
{
    uint64_t sum = 0, stored = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + 8 ? ' ' : header[i];
    return number(header + SUM_AT, 8, &stored) && stored == sum;
}

static int is_zero(const uint8_t *block)
{
    for (size_t i = 0; i < BLOCK; i++)
        if (block[i])
            return 0;
    return 1;
}

/* prefix/name, neither of which need end with a NUL. */
static void header_path(const uint8_t *header, char *ret)
{
    const int ustar = !memcmp(header + MAGIC_AT, "ustar", 6);
    const char *prefix = (const char *)header + PREFIX_AT;
    const char *end = memchr(prefix, 0, PREFIX);
    const int n = !ustar ? 0 : end ? (int)(end - prefix) : PREFIX;

    snprintf(ret, TAR_PATH, "%.*s%s%.*s", n, prefix, n ? "/" : "", NAME, (const char *)header);
}

struct extended { /* what the headers before a member say of it */
    int has_path, has_size;
    char path[TAR_PATH];
    uint64_t size;
};

static bioft_status take_path(const struct tar *t, uint64_t at, const uint8_t *text, uint64_t length,
                              struct extended *x)
{
    if (!length || length >= TAR_PATH || memchr(text, 0, length))
        return damaged(t, at, "tar: an extended name that is empty, too long or has a NUL");
    memcpy(x->path, text, length);
    x->path[length] = '\0';
    x->has_path = 1;
    return BIOFT_OK;
}

static int decimal(const uint8_t *text, uint64_t length, uint64_t *ret)
{
    uint64_t value = 0;
    for (uint64_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return 0;
    }
    *ret = value;
    return length > 0;
}

/* Records "LENGTH key=value\n"; the length is the record's own. */
static bioft_status read_pax(const struct tar *t, uint64_t at, const uint8_t *text, uint64_t size, struct extended *x)
{
    while (size) {
        const uint8_t *blank = memchr(text, ' ', size), *equals;
        uint64_t length = 0;
        if (!blank || !decimal(text, (uint64_t)(blank - text), &length) || length > size ||
            length < (uint64_t)(blank - text) + 3 || text[length - 1] != '\n')
            return damaged(t, at, "tar: a pax record of a wrong length");
        const uint8_t *key = blank + 1, *end = text + length - 1;
        equals = memchr(key, '=', (size_t)(end - key));
        if (!equals)
            return damaged(t, at, "tar: a pax record without '='");
        const uint64_t value = (uint64_t)(end - equals) - 1;
        if (equals - key == 4 && !memcmp(key, "path", 4)) {
            const bioft_status st = take_path(t, at, equals + 1, value, x);
            if (st != BIOFT_OK)
                return st;
        } else if (equals - key == 4 && !memcmp(key, "size", 4)) {
            if (!decimal(equals + 1, value, &x->size))
                return damaged(t, at, "tar: a pax size that is not a number");
            x->has_size = 1;
        }
        text += length;
        size -= length;
    }
    return BIOFT_OK;
}

/* One header with its data; *ret_done: it was a member, not of one to come. */
static bioft_status read_header(struct tar *t, struct extended *x, struct tar_member *ret, int *ret_done)
{
    const uint64_t at = t->at;
    const uint8_t *h = t->bytes + at, *data = h + BLOCK;
    const char type = (char)h[TYPE_AT];
    uint64_t size = 0, left = t->size - at - BLOCK;

    if (!sum_agrees(h))
        return damaged(t, at, "tar: a header's sum differs: damaged, or not a tar archive");
    if (!number(h + SIZE_AT, 12, &size))
        return damaged(t, at, "tar: a size that is not a number");
    if (x->has_size && type != 'x' && type != 'L')
        size = x->size;
    if (size > left)
        return damaged(t, at, "tar: a member runs past the end: cut short");
    const uint64_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
    if (padded > left)
        return damaged(t, at, "tar: a member runs past the end: cut short");
    t->at = at + BLOCK + padded;
    if (type == 'x' || type == 'L' || type == 'g' || type == 'K') {
        if (size > MOST_EXTENDED)
            return damaged(t, at, "tar: an extended header of more than 1 MiB");
        if (type == 'x')
            return read_pax(t, at, data, size, x);
        while (type == 'L' && size && !data[size - 1])
            size--;
        return type == 'L' ? take_path(t, at, data, size, x) : BIOFT_OK;
    }
    *ret_done = 1;
    ret->file = type == '0' || type == '\0' || type == '7';
    ret->bytes = data;
    ret->size = size;
    ret->header = at;
    if (x->has_path)
        memcpy(ret->path, x->path, sizeof ret->path);
    else
        header_path(h, ret->path);
    return BIOFT_OK;
}

bioft_status tar_next(struct tar *t, struct tar_member *ret, int *ret_more)
{
    struct extended x = { .has_path = 0 };
    int done = 0;
    bioft_status st = BIOFT_OK;

    while (st == BIOFT_OK && !done) {
        if (t->size - t->at < BLOCK)
            return damaged(t, t->at, "tar: cut short: it has no end of an archive");
        if (is_zero(t->bytes + t->at)) {
            if (x.has_path || x.has_size)
                return damaged(t, t->at, "tar: an extended header of no member");
            *ret_more = 0;
            return BIOFT_OK;
        }
        st = read_header(t, &x, ret, &done);
    }
    *ret_more = 1;
    return st;
}
