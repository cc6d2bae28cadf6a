/* The victim: a trained program behind normalisation, pixels in, outputs out, with a gradient of the chosen kind, and
 * a memory of its last forward and gradient. */
#ifndef ATTACK_VICTIM_H
#define ATTACK_VICTIM_H

#include "attack/attack.h"

struct victim_counts {
    uint64_t forwards, backwards;                  /* asked of the program, in images: what memory answered not counted */
    uint64_t queries;                              /* asked by the attack, in images */
};
struct victim;
/* Its gradient is the rule's, where the target has one, until victim_gradient() says otherwise. */
bioft_status victim_create(const struct attack_target *t, uint32_t max_batch, struct victim **ret,
                           struct error *err);
void victim_destroy(struct victim *v);             /* NULL is fine */
const bioft_victim *victim_view(const struct victim *v);
/* Outputs that are remembered stay so, gradients do not. */
void victim_gradient(struct victim *v, enum gradient_kind gradient);
/* The batch that the attack is about to run on: for rules that read it. */
void victim_batch(struct victim *v, const bioft_batch *batch);
/* One call of an attack's run() begins: its batch with labels and targets as it sees them, in a ball. All images are
 * there, and V is the network's own draw. course: [batch->n], where what happens to each image is added. */
bioft_status victim_begin(struct victim *v, const bioft_batch *aimed, uint32_t norm, double epsilon,
                          struct course_image *course, struct error *err);
/* It is over: what the attack still asks is counted nowhere. */
void victim_end(struct victim *v);
struct victim_counts victim_counts(const struct victim *v);
/* What went wrong inside a call, where an attack returned its status. */
bioft_status victim_error(const struct victim *v, bioft_status status, struct error *err);

#endif
