/* The gradients that attacks follow, held against each other and against differences of the network's output. */
#ifndef EVAL_GRADIENTS_H
#define EVAL_GRADIENTS_H

#include "attack/attack.h"

/* Means over images of a classifier, at points near the clean ones; NAN where there is nothing to take a mean of. */
struct gradients_found {
    uint64_t n; /* images looked at */
    /* The rule's gradient of the cross-entropy by the pixels and the exact one: cosine, and the share of pixels in which
     * their signs agree, over images where neither is zero. */
    double cosine, signs;
    /* The share of images where the exact gradient is not what differences of the output say: the derivative along it
     * of the margin z_y - z_k (k: the strongest other class) is off by more than a twentieth. */
    double differs;
};

/* Looks at up to `count` of the positions of the target's split, 100 at most, each moved by uniform noise of 0.01 in
 * every pixel: at clean images with flat areas max pooling has ties, where there is no derivative. */
bioft_status gradients_compare(const struct trained *t, const uint64_t *positions, uint64_t count,
                               struct gradients_found *ret, struct error *err);

#endif
