/* The ball and the range: what every adversarial image is held against. */
#include "attack/check.h"

#include <bioft/attack.h>
#include <math.h>

/* What float32 rounding alone may exceed a ball by. */
static const double tolerance = 1e-6;

const char *norm_name(uint32_t norm)
{
    static const char *const names[] = { "", "linf", "l2", "l1", "l0" };
    return norm >= BIOFT_LINF && norm <= BIOFT_L0 ? names[norm] : names[0];
}

bool check_inside(uint32_t norm, double epsilon, double distance)
{
    return norm == BIOFT_L0 ? distance <= epsilon : distance <= epsilon + tolerance * (epsilon > 1.0 ? epsilon : 1.0);
}

static size_t changed_places(const struct image_format *p, const float *a, const float *b)
{
    const size_t places = (size_t)p->height * p->width;
    size_t changed = 0;

    for (size_t k = 0; k < places; k++) {
        uint32_t c = 0;
        while (c < p->channels && a[c * places + k] == b[c * places + k])
            c++;
        changed += c < p->channels;
    }
    return changed;
}

bioft_status check_image(const struct image_format *p, uint32_t norm, double epsilon, const float *clean,
                         const float *adversarial, struct deltas *ret, struct error *err)
{
    const size_t pixels = (size_t)p->channels * p->height * p->width;
    double largest = 0.0, sum = 0.0, squares = 0.0;

    for (size_t k = 0; k < pixels; k++) {
        const float v = adversarial[k];
        if (!(v >= 0.0f && v <= 1.0f))
            return error_set(err, BIOFT_ERR_INVALID, "value %zu is %.9g, outside [0,1]", k, (double)v);
        const double d = fabs((double)v - (double)clean[k]);
        largest = d > largest ? d : largest;
        sum += d;
        squares += d * d;
    }
    ret->largest = largest;
    ret->mean = sum / (double)pixels;
    ret->distance = norm == BIOFT_LINF ? largest
                    : norm == BIOFT_L2 ? sqrt(squares)
                    : norm == BIOFT_L1 ? sum
                                       : (double)changed_places(p, clean, adversarial);
    if (!check_inside(norm, epsilon, ret->distance))
        return error_set(err, BIOFT_ERR_INVALID, "its %s distance is %.9g, epsilon is %.9g", norm_name(norm),
                         ret->distance, epsilon);
    return BIOFT_OK;
}
