/* From a sample's pixels to the network's input: where it is cropped, resized, mirrored, and its
 * numbers. */
#ifndef DATA_TRANSFORM_H
#define DATA_TRANSFORM_H

#include "data/batch.h"
#include "data/sample.h"

struct transform {
    const struct transform_spec *spec;
    struct image_format image;
    bool train, normalise;
    bool natural; /* photographs, not arrays whose mirror image may mean something else: those
                   * that auto augments */
    bool small;   /* none of the images is larger than the input */
    uint64_t seed, epoch;
    char stream[24];     /* of augmentation's random numbers */
    float value[4][256]; /* [channel][byte]: what a byte becomes */
};
void transform_init(struct transform *t, const struct batches_params *p);
/* For images that are of no dataset: evaluation, normalised; `small` is the caller's to set. */
void transform_init_alone(struct transform *t, const struct transform_spec *spec, const struct image_format *image);

/* What happens to one sample: the box is cut out of it and resized to height x width (not at all
 * where that is its size), the window of the network's size is taken out of that (top and left may
 * be negative: zeros beyond the edges), and mirrored. */
struct placement {
    uint32_t box_top, box_left, box_height, box_width;
    uint32_t height, width;
    int64_t top, left;
    bool flip;
};
/* For pixels of source_height x source_width. sample: its number in the split, which keys the
 * augmentation. */
bioft_status transform_place(const struct transform *t, uint32_t source_height, uint32_t source_width, uint64_t sample,
                             struct placement *ret, struct error *err);

struct canvas { /* one thread's room for resized pixels */
    uint8_t *pixels;
    size_t capacity;
};
void canvas_finish(struct canvas *c);
/* Writes [channels][height][width] floats of the image to ret. */
bioft_status transform_apply(const struct transform *t, const struct pixels *p, uint64_t sample, struct canvas *canvas,
                             float *ret, struct error *err);

#endif
