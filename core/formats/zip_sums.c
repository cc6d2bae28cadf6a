/* The CRC-32 of a .pth's entries, long ones in pieces that several threads take. */
#include "formats/zip.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <zlib.h>

enum { PIECE = 4 << 20 };

struct piece {
    const uint8_t *bytes;
    uInt size;
    uLong sum;
};

static void take_sum(void *ctx, size_t index, uint32_t thread)
{
    struct piece *p = (struct piece *)ctx + index;
    (void)thread;
    p->sum = crc32(crc32(0, NULL, 0), p->bytes, p->size);
}

static size_t pieces_of(const struct zip_entry *e) { return e->size / PIECE + (e->size % PIECE != 0); }

bioft_status zip_verify(const char *name, const struct zip_entry *const *entries, size_t count, struct pool *pool,
                        struct error *err)
{
    size_t all = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        all += pieces_of(entries[i]);
    struct piece *pieces = mem_array(all, sizeof *pieces);
    if (!pieces)
        return error_memory(err, name);
    for (size_t i = 0; i < count; i++)
        for (size_t done = 0; done < entries[i]->size; done += pieces[at++].size) {
            const size_t left = entries[i]->size - done;
            pieces[at].bytes = entries[i]->bytes + done;
            pieces[at].size = (uInt)(left < PIECE ? left : PIECE);
        }
    pool_run(pool, all, take_sum, pieces);
    bioft_status st = BIOFT_OK;
    at = 0;
    for (size_t i = 0; i < count && st == BIOFT_OK; i++) {
        uLong sum = crc32(0, NULL, 0);
        for (size_t k = pieces_of(entries[i]); k > 0; k--, at++)
            sum = crc32_combine(sum, pieces[at].sum, (z_off_t)pieces[at].size);
        st = zip_check_sum(name, entries[i], (uint32_t)sum, err);
    }
    free(pieces);
    return st;
}

bioft_status zip_check_sum(const char *name, const struct zip_entry *e, uint32_t sum, struct error *err)
{
    char escaped[TEXT_ESCAPED];
    if (sum == e->crc)
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_FORMAT,
                     "%s: zip entry '%s': checksum %08x, the directory has %08x: the file is "
                     "damaged, fetch it again%s",
                     name, text_escape(escaped, e->path, e->path_length), sum, e->crc,
                     e->kind == ZIP_TORCH ? " (bioft weights convert --no-verify reads it as it is, "
                                            "for who knows where it comes from)"
                                          : "");
}
