/* The ball and the range: what every adversarial image is held against. */
#ifndef ATTACK_CHECK_H
#define ATTACK_CHECK_H

#include "base/error.h"

struct deltas {
    double largest, mean;                          /* of |x_adv - x| over the pixels */
};
/* Every value in [0,1] exactly, and the difference inside the ball of `norm` with 1e-6 of tolerance (L0: the part of
 * values changed). The error says which and by how much. */
bioft_status check_image(uint32_t norm, double epsilon, const float *clean, const float *adversarial, size_t pixels,
                         struct deltas *ret, struct error *err);
const char *norm_name(uint32_t norm);              /* "linf", "l2", "l1", "l0" */

#endif
