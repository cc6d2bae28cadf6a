/* A deflated entry of a zip archive, by zlib's inflate. */
#include "formats/zip.h"

#include "base/memory.h"
#include "base/text.h"

#define ZLIB_CONST /* zlib only reads what it unpacks */
#include <stdlib.h>
#include <zlib.h>

enum { PIECE = 1 << 30 }; /* zlib counts in 32 bits */

static uInt piece(size_t left) { return (uInt)(left < PIECE ? left : PIECE); }

/* Inflates into exactly `size` bytes. false: damaged, or of another size. */
static bool inflate_all(const struct zip_entry *e, uint8_t *to, size_t size, uint32_t *ret_sum)
{
    z_stream z = { .next_in = e->bytes };
    size_t in = 0, out = 0;
    int got = Z_OK;
    uLong sum = crc32(0, NULL, 0);
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return false;
    while (got == Z_OK) {
        const uInt give = piece(e->size - in), take = piece(size - out);
        uint8_t none, *at = take ? to + out : &none; /* zlib wants a place, and no byte may come */
        z.next_in = e->bytes + in;
        z.avail_in = give;
        z.next_out = at;
        z.avail_out = take ? take : 1;
        got = inflate(&z, Z_NO_FLUSH);
        const uInt made = (take ? take : 1) - z.avail_out, used = give - z.avail_in;
        if (!take && made)
            got = Z_DATA_ERROR;
        sum = crc32(sum, at, made);
        in += used;
        out += made;
        if (got == Z_OK && !made && !used)
            got = Z_BUF_ERROR;
    }
    inflateEnd(&z);
    *ret_sum = (uint32_t)sum;
    return got == Z_STREAM_END && out == size && in == e->size;
}

bioft_status zip_unpack(const char *name, const struct zip_entry *e, uint8_t **ret, struct error *err)
{
    char escaped[TEXT_ESCAPED];
    uint32_t sum = 0;
    uint8_t *to = e->unpacked < SIZE_MAX ? malloc((size_t)e->unpacked + 1) : NULL;
    if (!to)
        return error_memory(err, name);
    bioft_status st = BIOFT_OK;
    if (inflate_all(e, to, (size_t)e->unpacked, &sum))
        st = zip_check_sum(name, e, sum, err);
    else
        st = error_set(err, BIOFT_ERR_FORMAT,
                       "%s: zip entry '%s': damaged, or not of the %llu bytes that its directory declares", name,
                       text_escape(escaped, e->path, e->path_length), (unsigned long long)e->unpacked);
    if (st == BIOFT_OK)
        *ret = to;
    else
        free(to);
    return st;
}
