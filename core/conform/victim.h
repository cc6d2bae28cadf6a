/* A small network to attack, computed image by image, so that an image's numbers are its own. */
#ifndef CONFORM_VICTIM_H
#define CONFORM_VICTIM_H

#include "conform/private.h"
#include "data/batch.h"

enum {
    PREY_CHANNELS = 2,
    PREY_SIDE = 6,
    PREY_PIXELS = PREY_CHANNELS * PREY_SIDE * PREY_SIDE,
    PREY_HIDDEN = 12,
    PREY_CLASSES = 4,
    PREY_BITS = 16,
    PREY_BATCH = 8,
    PREY_DATABASE = 32
};
/* outputs = w2 tanh(w1 (x - 1/2)): classes, or bits of a code. */
struct prey {
    struct conform *c;
    bioft_victim view;
    float w1[PREY_HIDDEN][PREY_PIXELS], w2[PREY_BITS][PREY_HIDDEN];
    float x[PREY_BATCH][PREY_PIXELS]; /* of the last forward */
    uint32_t last;                    /* images in it; 0: none */
    uint64_t queries;
    uint32_t batch; /* images of the run in progress; 0: none */
    uint64_t codes[PREY_DATABASE], labels[PREY_DATABASE];
};
extern const struct image_format prey_image;
void prey_make(struct conform *c, bool codes, struct prey *ret);
/* Outputs of one image. */
void prey_outputs(const struct prey *p, const float *x, float *ret);

#endif
