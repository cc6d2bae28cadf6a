/* What is kept on disk of a split's images, so that the next run decodes none: the look at them,
 * and the images resized. */
#ifndef DATA_CACHE_H
#define DATA_CACHE_H

#include "base/file.h"
#include "data/inspect.h"

/* The file for a split, in the folder the manifest names with `cache`: its name has the SHA-256 of
 * what it is made from. transform: what was done to the images, in words; NULL: nothing, it is
 * the look at the split as it was chosen. *ret: free(); NULL where no folder is named. */
bioft_status cache_path(const struct dataset *d, const struct split *s, const char *transform, char **ret,
                        struct error *err);
/* Reads it into look's arrays, which have room for look->count; the pixels stay in *ret_map. false:
 * it is not there, not whole, or of other images (what is told in `why`, "" where it is not
 * there). */
bool cache_load(const struct dataset *d, const char *path, struct inspection *look, struct file_map *ret_map,
                struct error *why);
/* The pixels of the images that are fine in what cache_load read, or NULL. */
const uint8_t *cache_pixels(const struct file_map *map, const struct inspection *look);

/* Written whole or not at all, whoever else writes it at the same time: begin, look->pixel_bytes of
 * pixels in pieces, then commit or abort. After a begin that failed neither is needed. */
struct cache_writer {
    struct file_writer file;
    struct sha256 *sum;
};
bioft_status cache_begin(const struct dataset *d, const char *path, const struct inspection *look,
                         struct cache_writer *ret, struct error *err);
bioft_status cache_add(struct cache_writer *w, const void *bytes, size_t size, struct error *err);
bioft_status cache_commit(struct cache_writer *w, struct error *err);
void cache_abort(struct cache_writer *w);
/* All of it at once, with look->pixels. */
bioft_status cache_save(const struct dataset *d, const char *path, const struct inspection *look, struct error *err);

#endif
