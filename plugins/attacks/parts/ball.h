/* Balls around an image, cut with [0,1]: distances, projections, random points; and the nearest point of a hyperplane. */
#ifndef ATTACKS_BALL_H
#define ATTACKS_BALL_H

#include <bioft/attack.h>

/* Names of the norms for an option: index + BIOFT_LINF is the norm. */
extern const char *const ball_norms[];        /* "linf", "l2", "l1", NULL */
extern const char *const ball_norms_smooth[]; /* "linf", "l2", NULL */

double ball_distance(uint32_t norm, size_t pixels, const float *a, const float *b);
/* The length of a vector. */
double ball_length(uint32_t norm, size_t pixels, const float *a);
/* x into the ball and into [0,1]. Linf: both clipped; L2: along the radius, then clipped, as attacks do it; L1: the
 * nearest point of the intersection (Croce and Hein, ICML 2021, proposition 2.1). */
void ball_project(uint32_t norm, size_t pixels, const float *clean, double epsilon, float *x);
struct ball {
    uint32_t norm;
    size_t pixels;
    const float *clean; /* its centre */
    double epsilon;
};
/* A random point: of the ball's surface before [0,1] for Linf and L2, of a normal one projected for L1. stream, sample
 * and first: of the host's random numbers. */
bioft_status ball_random(const bioft_host *host, const struct ball *b, const char *stream, uint64_t sample,
                         uint64_t first, float *ret);
/* The smallest step d from x inside [0,1] onto w . (x + d) = w . x - c, or as near as [0,1] lets it (Croce and Hein,
 * ICML 2020, equation 4). work [pixels]: for L1. */
void ball_to_plane(uint32_t norm, size_t pixels, const float *x, const float *w, double c, uint32_t *work,
                   float *ret_d);

#endif
