/* What is predicted on: an array that is already normalised, an array of pixels, or a folder of
 * images. */
#ifndef CLI_PREDICT_INPUT_H
#define CLI_PREDICT_INPUT_H

#include "base/log.h"
#include "data/transform.h"
#include "formats/npy.h"

struct input_params {
    const char *path;                  /* of an .npy or a folder */
    const struct image_format *image;  /* what the network takes as it was made */
    const struct transform_spec *spec; /* how images become that */
    uint32_t size;                     /* height and width instead; 0: the image's */
    struct pool *pool;
    const struct log *log;
};
struct input {
    size_t count, broken;      /* broken: images that could not be read */
    struct image_format image; /* what the network is to be built for */
    struct npy array;          /* of floats, or of pixels */
    const char *folder;
    const char **names;                /* [count], below the folder; or NULL */
    size_t name_capacity, passed_over; /* passed_over: files that are no images */
    struct transform transform;        /* of images and pixels */
    struct arena *arena;
    struct input_worker *workers; /* one a thread of the pool */
    struct pool *pool;
    const struct log *log;
};
bioft_status input_open(const struct input_params *p, struct input *ret, struct error *err);
void input_close(struct input *in); /* zero is fine */
/* Number first to first + n - 1, normalised, [n][channels][height][width]. ret_broken[i]: that
 * image could not be read, which is logged. */
bioft_status input_read(struct input *in, size_t first, uint32_t n, float *ret, bool *ret_broken, struct error *err);
/* The name of an image in a folder; in an array, its number. */
enum { INPUT_NAME = 32 };
const char *input_name(const struct input *in, size_t index, char ret[INPUT_NAME]);

#endif
