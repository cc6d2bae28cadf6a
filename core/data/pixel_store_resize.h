/* Which images are kept resized, and where: in memory or in a cache's file. */
#ifndef DATA_PIXEL_STORE_RESIZE_H
#define DATA_PIXEL_STORE_RESIZE_H

#include "data/transform.h"

/* What a transform finds at hand of a split; NULL: nothing that it can use. It places these
 * images as it does those that they are made from: an image whose shorter side has the size
 * wanted is not resized again. */
const struct pixel_store *pixel_store_resized(const struct dataset *d, const struct split *s,
                                              const struct transform *t);

/* Keeps images as the transform resizes them for that input, where their pixels are not held as they are, so that a
 * batch decodes nothing: in memory up to 1 GiB with those, or (cache: a folder) in a file a split, made by the first run
 * and mapped, which takes at most half of the disk's free room. train: the splits that are trained and selected on too.
 * What cannot be kept is said and decoded at each use; so is what a random resized crop is cut from. Without batches of
 * this dataset. */
bioft_status pixel_store_keep_resized(struct dataset *d, const struct image_format *input, bool train,
                                      struct pool *pool, const struct log *log, struct error *err);

#endif
