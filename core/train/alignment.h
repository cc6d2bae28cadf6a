/* How near a rule's backward pass is to backpropagation's: the angle of their deltas, and of V and
 * W, by layer. */
#ifndef TRAIN_ALIGNMENT_H
#define TRAIN_ALIGNMENT_H

#include "rules/feedback.h"

struct alignment {
    struct model *model;
    uint32_t layer_count;
    float **dy;   /* [layer_count]: true deltas of some images */
    size_t *kept; /* [layer_count]: values in each */
    float *w, *v; /* room for the largest layer */
    /* [layer_count], angles in degrees; NaN where a norm is 0. */
    double *delta_angle, *weight_angle, *weight_ratio;
};
/* Keeps the deltas of as many images of a batch as take 256 MiB, at least one. */
bioft_status alignment_create(struct model *m, uint32_t max_batch, struct alignment **ret, struct error *err);
void alignment_destroy(struct alignment *a); /* NULL is fine */

/* A backward pass with the true derivatives, at the program's last forward: keeps each layer's dy.
 * The program must have been made with routes that observe. */
bioft_status alignment_exact(struct alignment *a, struct program *p, const float *d_out, struct error *err);
/* The feedback_observer of the rule's own pass after it: delta_angle. ctx: the alignment. */
void alignment_observe(void *ctx, uint32_t layer, const float *dy, size_t count);
/* weight_angle and weight_ratio of the V that the model has; NaN for layers whose dx the rule
 * writes itself (routes: the rules', or NULL): V has no part there. */
bioft_status alignment_weights(struct alignment *a, const bioft_route *routes, struct error *err);
/* Does the rule send what backpropagation sends, at every layer below the last? */
bool alignment_is_none(const struct alignment *a);

#endif
