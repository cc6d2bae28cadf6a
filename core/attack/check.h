/* The ball and the range: what every adversarial image is held against. */
#ifndef ATTACK_CHECK_H
#define ATTACK_CHECK_H

#include "data/batch.h"

struct deltas {
    double largest, mean; /* of |x_adv - x| over the pixels */
    double distance;      /* in the norm; L0: places (y, x) where any channel differs */
};
/* Every value in [0,1] exactly, and the difference inside the ball of `norm` with 1e-6 of tolerance, of epsilon where
 * that is above 1 (L0 without). The error says which and by how much. *ret is filled wherever the range holds. */
bioft_status check_image(const struct image_format *p, uint32_t norm, double epsilon, const float *clean,
                         const float *adversarial, struct deltas *ret, struct error *err);
/* Is a distance inside the ball, with that tolerance? */
bool check_inside(uint32_t norm, double epsilon, double distance);
const char *norm_name(uint32_t norm); /* "linf", "l2", "l1", "l0" */

#endif
