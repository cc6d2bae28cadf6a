/* The ball and the range: what every adversarial image is held against. */
#include "attack/check.h"

#include <bioft/attack.h>
#include <math.h>

/* float32 rounding alone exceeds an L-infinity ball by some 1e-8. */
static const double tolerance = 1e-6;

const char *norm_name(uint32_t norm)
{
    static const char *const names[] = { "", "linf", "l2", "l1", "l0" };
    return norm >= BIOFT_LINF && norm <= BIOFT_L0 ? names[norm] : names[0];
}

bioft_status check_image(uint32_t norm, double epsilon, const float *clean, const float *adversarial, size_t pixels,
                         struct deltas *ret, struct error *err)
{
    double largest = 0.0, sum = 0.0, squares = 0.0, size;
    size_t changed = 0;

    for (size_t k = 0; k < pixels; k++) {
        const float v = adversarial[k];
        if (!(v >= 0.0f && v <= 1.0f))
            return error_set(err, BIOFT_ERR_INVALID, "value %zu is %.9g, outside [0,1]", k, (double)v);
        const double d = fabs((double)v - (double)clean[k]);
        largest = d > largest ? d : largest;
        sum += d;
        squares += d * d;
        changed += d > 0.0;
    }
    size = norm == BIOFT_LINF ? largest : norm == BIOFT_L2 ? sqrt(squares) : norm == BIOFT_L1 ? sum
         : (double)changed / (double)pixels;
    if (size > epsilon + tolerance * (norm == BIOFT_L1 ? (double)pixels : norm == BIOFT_L2 ? sqrt((double)pixels) : 1.0))
        return error_set(err, BIOFT_ERR_INVALID, "its %s distance is %.9g, epsilon is %.9g", norm_name(norm), size,
                         epsilon);
    *ret = (struct deltas){ .largest = largest, .mean = sum / (double)pixels };
    return BIOFT_OK;
}
