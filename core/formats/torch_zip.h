/* The zip archive of a .pth (PKWARE's APPNOTE, with zip64), read by its central directory alone:
 * entries stored as they are, all under one folder, none of them twice, none over another. */
#ifndef FORMATS_TORCH_ZIP_H
#define FORMATS_TORCH_ZIP_H

#include "base/threads.h"
#include <stdbool.h>

struct zip_entry {
    const char *path;               /* below the folder, in the archive: not terminated */
    size_t path_length;
    const uint8_t *bytes;
    size_t size;
    uint32_t crc;                   /* CRC-32, not compared yet */
    uint64_t header, end;           /* in the file: of the local header, past the data */
};
struct zip {
    struct zip_entry *entries;      /* sorted by path */
    size_t count;
};

/* name: for messages. bytes must outlive *ret. */
bioft_status zip_parse(const char *name, const uint8_t *bytes, size_t size, struct zip *ret,
                       struct error *err);
void zip_free(struct zip *zip);     /* zero is fine */
const struct zip_entry *zip_find(const struct zip *zip, const char *path, size_t length);
/* Compares the sums of some entries, with the pool's threads (pool may be NULL). */
bioft_status zip_verify(const char *name, const struct zip_entry *const *entries, size_t count,
                        struct pool *pool, struct error *err);

#endif
