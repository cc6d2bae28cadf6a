/* Codes and labels of a retrieval task in .npy files. */
#ifndef RUN_RETRIEVAL_FILES_H
#define RUN_RETRIEVAL_FILES_H

#include "codes/codes.h"
#include <stdbool.h>

struct retrieval_files {
    const char *query_codes, *query_labels, *database_codes, *database_labels;
};
/* Codes are float32 [n][bits] of -1 and +1, or uint8 [n][bits / 8] as numpy.packbits makes them;
 * labels int64 [n], or uint8 [n][classes] of 0 and 1. Everything is checked: errors name the file,
 * and the sample where it is one. */
bioft_status retrieval_read(const struct retrieval_files *f, struct codes *ret_query, struct codes *ret_database,
                            struct error *err);
/* Codes alone, as they are read: bytes where the bits fill them, else floats. */
bioft_status retrieval_write_codes(const char *path, const struct codes *c, struct error *err);
/* PREFIX.codes.npy and PREFIX.labels.npy; sets of labels where `sets`. */
bioft_status retrieval_write(const char *prefix, const struct codes *c, bool sets, struct error *err);
/* Has a sample other than exactly one label? */
bool retrieval_has_sets(const struct codes *c);

#endif
