/* The zip archive of a .pth or .npz (PKWARE's APPNOTE, with zip64), read by its central directory alone: none of the
 * entries twice, none over another. */
#ifndef FORMATS_ZIP_H
#define FORMATS_ZIP_H

#include "base/threads.h"
#include <stdbool.h>

enum zip_kind {
    ZIP_TORCH, /* .pth: stored as they are, all under one folder */
    ZIP_NUMPY  /* .npz: stored or deflated, in no folder */
};
struct zip_entry {
    const char *path; /* below the folder, in the archive: not terminated */
    size_t path_length;
    const uint8_t *bytes;
    size_t size;       /* of the bytes */
    uint64_t unpacked; /* as the directory says; size where it is stored */
    bool deflated;
    enum zip_kind kind;
    uint32_t crc;         /* CRC-32, not compared yet */
    uint64_t header, end; /* in the file: of the local header, past the data */
};
struct zip {
    struct zip_entry *entries; /* sorted by path */
    size_t count;
};

/* name: for messages. bytes must outlive *ret. */
bioft_status zip_parse(const char *name, const uint8_t *bytes, size_t size, enum zip_kind kind, struct zip *ret,
                       struct error *err);
void zip_free(struct zip *zip); /* zero is fine */
const struct zip_entry *zip_find(const struct zip *zip, const char *path, size_t length);
/* Compares the sums of some stored entries, with the pool's threads (pool may be NULL). */
bioft_status zip_verify(const char *name, const struct zip_entry *const *entries, size_t count, struct pool *pool,
                        struct error *err);

/* A deflated entry's bytes, as many as the directory says and of its sum; *ret: free(). */
bioft_status zip_unpack(const char *name, const struct zip_entry *e, uint8_t **ret, struct error *err);
/* The sum of what an entry holds, against the directory's. */
bioft_status zip_check_sum(const char *name, const struct zip_entry *e, uint32_t sum, struct error *err);

#endif
