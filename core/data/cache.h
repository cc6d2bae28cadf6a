/* The look at a split's pictures kept on disk, so that the next run decodes none. */
#ifndef DATA_CACHE_H
#define DATA_CACHE_H

#include "base/file.h"
#include "data/look.h"

/* The file for a split as it was chosen, in the folder the manifest names with `cache`: its name
 * has the SHA-256 of all that decides what it holds. *ret: free(); NULL where none is named. */
bioft_status cache_path(const struct dataset *d, const struct split *s, char **ret,
                        struct error *err);
/* Reads it into look's arrays, which have room for look->count; the pixels stay in *ret_map. false:
 * it is not there, not whole, or of other pictures (what is told in `why`, "" where it is not
 * there). */
bool cache_load(const struct dataset *d, const char *path, struct look *look,
                struct file_map *ret_map, struct error *why);
/* The pixels of the pictures that are fine in what cache_load read, or NULL. */
const uint8_t *cache_pixels(const struct file_map *map, const struct look *look);
/* Whole or not at all, whoever else writes it at the same time. */
bioft_status cache_save(const struct dataset *d, const char *path, const struct look *look,
                        struct error *err);

#endif
