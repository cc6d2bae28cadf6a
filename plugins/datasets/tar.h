/* The members of a tar archive in memory: POSIX ustar and pax (IEEE Std 1003.1), and GNU's long names. */
#ifndef TAR_H
#define TAR_H

#include "dataset_util.h"

enum { TAR_PATH = 4096 };

struct tar {
    const bioft_host *host;
    const char *path; /* for messages */
    const uint8_t *bytes;
    uint64_t size, at; /* at: of the next header */
};
struct tar_member {
    char path[TAR_PATH];
    const uint8_t *bytes;
    uint64_t size;
    uint64_t header; /* where it begins */
    int file;        /* a regular one; of links and folders the rest is not filled */
};
/* The next member into *ret; *ret_more 0 at the archive's end, which must be there. Sums, sizes and names are checked. */
bioft_status tar_next(struct tar *t, struct tar_member *ret, int *ret_more);

#endif
