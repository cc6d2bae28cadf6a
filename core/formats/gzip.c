/* gzip (RFC 1952), by zlib's inflate: member after member into one buffer that never outgrows its
 * bound. */
#include "formats/gzip.h"

#define ZLIB_CONST /* zlib only reads what it unpacks */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Deflate cannot expand more than 1032 to 1; a little more is room for the last, partly filled
 * block. */
enum { EXPANSION = 1032, SLACK = 64 << 10, SMALLEST = 512 };

struct unpacking {
    const char *name;
    const uint8_t *in;
    size_t in_size, in_at;
    uint8_t *out;
    size_t out_size, capacity; /* one byte of the capacity is kept for the NUL */
    size_t limit;              /* of out_size: one above what is allowed, to see that there is more */
    uint64_t max;
};

bool gzip_is(const uint8_t *bytes, size_t size) { return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b; }

static bool enlarge(struct unpacking *u)
{
    size_t room = u->capacity - 1;
    size_t wanted = room > u->limit / 2 ? u->limit : room * 2;
    uint8_t *larger = realloc(u->out, wanted + 1);
    if (!larger)
        return false;
    u->out = larger;
    u->capacity = wanted + 1;
    return true;
}

static bioft_status begin(struct unpacking *u, struct error *err)
{
    uint64_t possible;
    if (__builtin_mul_overflow((uint64_t)u->in_size, (uint64_t)EXPANSION, &possible) ||
        __builtin_add_overflow(possible, (uint64_t)SLACK, &possible) || possible > PTRDIFF_MAX)
        possible = PTRDIFF_MAX;
    u->limit = (size_t)(u->max < possible ? u->max + 1 : possible);
    /* The last four bytes are the size of the last member: a first guess, true for most files,
     * trusted only as far as most files compress. */
    size_t guess = 0, plausible = u->in_size < SIZE_MAX / 32 ? u->in_size * 32 : u->in_size;
    if (u->in_size >= 4) {
        const uint8_t *end = u->in + u->in_size - 4;
        guess = (size_t)end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
        guess++;
    }
    guess = guess > plausible ? plausible : guess;
    guess = guess < SMALLEST ? SMALLEST : guess;
    guess = guess > u->limit ? u->limit : guess;
    u->out = malloc(guess + 1);
    u->capacity = guess + 1;
    return u->out ? BIOFT_OK : error_memory(err, u->name);
}

static bioft_status data_error(const struct unpacking *u, const z_stream *z, bool in_header, struct error *err)
{
    const char *why = z->msg ? z->msg : "damaged data";
    if (in_header)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: bad gzip header: %s (at compressed byte %zu)", u->name, why,
                         u->in_at);
    if (strcmp(why, "incorrect data check") == 0)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: gzip: the checksum differs from the data's (at compressed byte %zu)", u->name, u->in_at);
    if (strcmp(why, "incorrect length check") == 0)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: gzip: the size in the trailer differs from the data's (at compressed "
                         "byte %zu)",
                         u->name, u->in_at);
    return error_set(err, BIOFT_ERR_FORMAT, "%s: gzip: corrupt at compressed byte %zu: %s", u->name, u->in_at, why);
}

/* One member: from its header to the end of its trailer. */
static bioft_status member(struct unpacking *u, z_stream *z, struct error *err)
{
    gz_header header = { .done = 0 };
    if (inflateReset(z) != Z_OK || inflateGetHeader(z, &header) != Z_OK)
        return error_set(err, BIOFT_ERR_INVALID, "%s: zlib refuses to start", u->name);
    for (;;) {
        if (u->out_size == u->capacity - 1 && u->capacity - 1 < u->limit && !enlarge(u))
            return error_memory(err, u->name);
        size_t in = u->in_size - u->in_at, out = u->capacity - 1 - u->out_size;
        z->next_in = u->in + u->in_at;
        z->avail_in = in > UINT_MAX ? UINT_MAX : (uInt)in;
        z->next_out = u->out + u->out_size;
        z->avail_out = out > UINT_MAX ? UINT_MAX : (uInt)out;
        int result = inflate(z, Z_NO_FLUSH);
        u->in_at = (size_t)(z->next_in - u->in);
        u->out_size = (size_t)(z->next_out - u->out);
        if (u->out_size > u->max)
            return error_set(err, BIOFT_ERR_FORMAT, "%s: unpacks to more than the %llu bytes allowed", u->name,
                             (unsigned long long)u->max);
        if (result == Z_STREAM_END)
            return BIOFT_OK;
        if (result == Z_MEM_ERROR)
            return error_memory(err, u->name);
        if (result == Z_BUF_ERROR || (result == Z_OK && u->in_at == u->in_size && u->out_size < u->capacity - 1))
            return error_set(err, BIOFT_ERR_FORMAT,
                             header.done != 1 ? "%s: bad gzip header: truncated, the file ends "
                                                "inside it (at compressed byte %zu)"
                                              : "%s: gzip: truncated, the file ends inside the "
                                                "data (at compressed byte %zu)",
                             u->name, u->in_at);
        if (result != Z_OK)
            return data_error(u, z, header.done != 1, err);
    }
}

/* What may follow a member: nothing, zeros to the end, or another member. */
static bioft_status after_member(const struct unpacking *u, bool *ret_more, struct error *err)
{
    *ret_more = gzip_is(u->in + u->in_at, u->in_size - u->in_at);
    if (*ret_more)
        return BIOFT_OK;
    for (size_t at = u->in_at; at < u->in_size; at++)
        if (u->in[at] != 0)
            return error_set(err, BIOFT_ERR_FORMAT,
                             "%s: gzip: %zu bytes of trailing garbage after the data (at "
                             "compressed byte %zu)",
                             u->name, u->in_size - u->in_at, at);
    return BIOFT_OK;
}

bioft_status gzip_unpack(const char *name, const uint8_t *bytes, size_t size, uint64_t max, uint8_t **ret,
                         size_t *ret_size, struct error *err)
{
    struct unpacking u = { .name = name, .in = bytes, .in_size = size, .max = max };
    z_stream z = { .zalloc = Z_NULL };
    bool more = true;

    if (!gzip_is(bytes, size))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: not gzip: it does not begin with 1f 8b", name);
    if (inflateInit2(&z, 15 + 16) != Z_OK) /* 16: gzip's wrapping, and no other */
        return error_memory(err, name);
    bioft_status st = begin(&u, err);
    while (st == BIOFT_OK && more) {
        st = member(&u, &z, err);
        if (st == BIOFT_OK)
            st = after_member(&u, &more, err);
    }
    inflateEnd(&z);
    if (st != BIOFT_OK) {
        free(u.out);
        return st;
    }
    u.out[u.out_size] = 0;
    *ret = u.out;
    *ret_size = u.out_size;
    return BIOFT_OK;
}

const char *gzip_library_version(void) { return zlibVersion(); }
