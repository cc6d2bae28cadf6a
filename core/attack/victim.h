/* The victim: a trained program behind normalisation, pixels in, outputs out, with a gradient of the chosen kind, and
 * a memory of its last forward and gradient. */
#ifndef ATTACK_VICTIM_H
#define ATTACK_VICTIM_H

#include "attack/attack.h"

#include <bioft/attack.h>

struct victim_counts {
    uint64_t forwards, backwards; /* asked of the program, in images: what memory answered not counted */
    uint64_t queries;             /* asked by the attack, in images */
};
struct victim;
/* Its gradient is the rule's, where the target has one, until victim_gradient() says otherwise. */
struct victim_params {
    uint32_t eot;               /* draws of a random V that each backward pass is the mean of; 0: V as
                                                      it is */
    bool rescale;               /* outputs are divided, image by image, by the clean image's margin */
    struct smoothing smoothing; /* of GRADIENT_SMOOTHED; zero: that gradient is not asked for */
};
/* p: NULL for none of that. */
bioft_status victim_create(const struct trained *t, uint32_t max_batch, const struct victim_params *p,
                           struct victim **ret, struct error *err);
void victim_destroy(struct victim *v); /* NULL is fine */
const bioft_victim *victim_view(const struct victim *v);
/* Outputs that are remembered stay so, gradients do not. */
void victim_gradient(struct victim *v, enum gradient_kind gradient);
/* The batch that the attack is about to run on: for rules that read it. */
void victim_batch(struct victim *v, const bioft_batch *batch);
/* One call of an attack's run() begins: its batch with labels and targets as it sees them, in a ball. All images are
 * there, and V is the network's own draw; `restart` keys the draws of eot. course: [batch->n], where what happens to each
 * image is added; NULL: nowhere. */
struct victim_run {
    const bioft_batch *aimed;
    uint32_t norm, restart;
    double epsilon;
    struct course_image *course;
};
bioft_status victim_begin(struct victim *v, const struct victim_run *run, struct error *err);
/* Has the attack drawn V anew itself since victim_create? */
bool victim_was_redrawn(const struct victim *v);
/* It is over: what the attack still asks is counted nowhere. */
void victim_end(struct victim *v);
struct victim_counts victim_counts(const struct victim *v);
/* What went wrong inside a call, where an attack returned its status. */
bioft_status victim_error(const struct victim *v, bioft_status status, struct error *err);

#endif
