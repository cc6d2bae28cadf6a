/* Running an attack over chosen samples and a grid of epsilons; ball and range checked on every image. */
#ifndef ATTACK_ATTACK_H
#define ATTACK_ATTACK_H

#include "attack/course.h"
#include "codes/codebook.h"
#include "network/trained.h"

/* One batch at one epsilon, its adversarial images made: clean and adversarial [n][c][h][w] in [0,1]. first: position
 * of the batch's first image among the chosen. delta_max, delta_mean: [n], |x_adv - x| largest and mean over pixels;
 * distance in the norm: of an attack that seeks the nearest image the one that it found, whatever epsilon, INFINITY where
 * it found none. */
struct attack_made {
    size_t gradient, epsilon; /* indices into the spec's gradients and its grid */
    uint64_t first;
    const bioft_batch *clean;
    const float *adversarial;
    const double *delta_max, *delta_mean, *distance;
    const struct course_image *course; /* [n] */
    const int32_t *target;             /* [n] as the attack was given them; NULL: none */
};
typedef bioft_status attack_sink(void *ctx, const struct attack_made *made, struct error *err);

/* How well the network does on each of n images from their outputs, batch with the true labels: the
 * restart that leaves least of it is kept. ret: [n]. */
typedef bioft_status attack_judge(void *ctx, const bioft_batch *batch, const float *out, double *ret,
                                  struct error *err);

struct attack_params {
    const struct trained *target;
    const struct attack_spec *spec;
    const bool *skip;          /* [gradient_count][epsilon_count] what is not wanted; NULL: none */
    const uint64_t *positions; /* chosen samples */
    uint64_t count;
    /* [gradient_count][epsilon_count] -> [count], or NULL: which of the samples are left out, handed over as they are;
     * NULL: none anywhere. An attack that seeks nearest images leaves none out. */
    const bool *const *leave;
    bool *redrawn; /* is set where the attack drew V anew itself; may be NULL */
    attack_sink *sink;
    attack_judge *judge; /* for several restarts */
    void *ctx;           /* of both */
};
/* All gradients and epsilons of a batch before the next batch, so that what the victim remembers serves them all.
 * Epsilon 0 gives the same bytes back. */
bioft_status attack_run(const struct attack_params *p, struct error *err);

#endif
