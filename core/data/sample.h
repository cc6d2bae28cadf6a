/* A sample's pixels: asked of the plugin, decoded where it is a file, checked. */
#ifndef DATA_SAMPLE_H
#define DATA_SAMPLE_H

#include "data/dataset.h"

/* format: BIOFT_SAMPLE_U8_HWC or BIOFT_SAMPLE_F32_CHW. */
struct pixels {
    uint32_t format, height, width, channels;
    const void *data;
};

/* One thread's: the plugin's reader, and room for bytes and pixels. */
struct reader;
bioft_status reader_open(const struct dataset *d, struct reader **ret, struct error *err);
void reader_close(struct reader *r); /* NULL is fine */
/* By the plugin's numbers. *ret lives until the next call; *ret_encoded (may be NULL; set also
 * where the image is broken): it is an image's file. BIOFT_ERR_IO where the file is not to be
 * had, BIOFT_ERR_FORMAT where it is broken. */
bioft_status reader_sample(struct reader *r, uint32_t split, uint64_t index, struct pixels *ret, bool *ret_encoded,
                           struct error *err);
/* SHA-256 of the bytes that the last sample came from, its file's where it is one. */
void reader_source(const struct reader *r, char ret[SHA256_HEX]);
/* "dataset 'x': NAME: " before the text of an error; returns status. */
bioft_status reader_blame(const struct reader *r, uint32_t split, uint64_t index, bioft_status status,
                          struct error *err);
/* By position in a split as it was chosen, from memory where it is held. */
bioft_status reader_pixels(struct reader *r, const struct split *s, uint64_t position, struct pixels *ret,
                           struct error *err);

#endif
