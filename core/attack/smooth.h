/* A gradient without a backward pass: differences of the network's outputs on both sides of an image along random
 * directions (natural evolution strategies with antithetic sampling: Ilyas, Engstrom, Athalye and Lin, ICML 2018). The
 * directions follow from the image's pixels, the restart and the trial's seed alone: no other image, batch or thread changes
 * them. */
#ifndef ATTACK_SMOOTH_H
#define ATTACK_SMOOTH_H

#include "network/trained.h"

struct smooth;
bioft_status smooth_create(const struct smoothing *s, const struct trained *t, uint32_t max_batch, struct smooth **ret,
                           struct error *err);
void smooth_destroy(struct smooth *s); /* NULL is fine */
/* The images of sample `k`, in order from 0: x + sigma u, then x - sigma u, u standard normal and another every second time.
 * x: [n][c][h][w]. They may leave [0,1]. They live until the next call. */
float *smooth_move(struct smooth *s, uint32_t n, const float *x, uint32_t restart, uint32_t k);
/* Where the network's outputs for sample k belong: [n][outputs]. */
float *smooth_outputs(struct smooth *s, uint32_t k);
/* With those of all samples: the mean over u of <d_out, out(x + sigma u) - out(x - sigma u)> / (2 sigma) u. */
void smooth_gradient(struct smooth *s, uint32_t n, const float *d_out, float *ret_dx);

#endif
