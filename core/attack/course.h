/* The course of an attack on a batch, image by image: what its gradients were, what it asked, what it found. */
#ifndef ATTACK_COURSE_H
#define ATTACK_COURSE_H

#include "base/error.h"
#include <stdbool.h>

enum { COURSE_TAIL = 11 }; /* an objective and the ten after it */

struct course_image {
    uint64_t queries, gradients;    /* forward and backward passes asked for */
    uint64_t zero, nonfinite;       /* of the gradients: all of its values 0; one of them not finite */
    uint64_t told;                  /* objectives since the last restart, the host's or the attack's own */
    float first, tail[COURSE_TAIL]; /* the first of them; the last ones, number i at i % COURSE_TAIL */
    bool found;                     /* the network failed at a point inside the ball */
    const char *part;               /* that made the image; NULL: the attack names none */
};

/* images: [n]. All is zero. */
void course_clear(struct course_image *images, uint32_t n);
/* Another restart by the host: objectives begin again, what was found stays. */
void course_restart(struct course_image *images, uint32_t n);
/* A gradient of `pixels` values. */
void course_gradient(struct course_image *image, const float *g, size_t pixels);
void course_objective(struct course_image *image, uint64_t iteration, float objective);
/* Was the objective still rising when the attack ended: has its best value over the last ten iterations (or all, where
 * they were fewer) grown by more than a twentieth of its growth since the first? False where it told fewer than two. */
bool course_rising(const struct course_image *image);

#endif
