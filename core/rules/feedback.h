/* The learning rules of a stage on a model: which rule a layer has, its V, its routes and its
 * hooks. */
#ifndef RULES_FEEDBACK_H
#define RULES_FEEDBACK_H

#include "engine/engine.h"
#include "manifest/experiment.h"

struct feedback;
/* Makes one instance a rule entry, matches layers (first match wins; a pattern that matches nothing
 * and a layer matched by none are errors with the nearest name), asks depth 1 and 3, attaches. The
 * model's feedback is set for 0 updates done. */
bioft_status feedback_create(struct model *m, const struct rule_spec *rules, size_t count, uint64_t seed,
                             struct pool *pool, uint32_t max_batch, struct feedback **ret, struct error *err);
void feedback_destroy(struct feedback *f); /* NULL is fine */
/* How many stages before this one had the same rules: what they draw anew is keyed by it, so that two stages do not draw
 * the same. 63 at most; 0 after create. V is made for 0 updates done. */
bioft_status feedback_rank(struct feedback *f, uint32_t rank, struct error *err);

/* V of the model for `step` updates done: after create, after each update, after loading a
 * checkpoint. */
bioft_status feedback_refresh(struct feedback *f, uint64_t step, struct error *err);
/* Another draw of V for stochastic rules (draw 0: their own for `step`). */
bioft_status feedback_redraw(struct feedback *f, uint64_t step, uint64_t draw, struct error *err);
bool feedback_is_random(const struct feedback *f); /* some layer redraws */
/* Is every layer's V = W, with no route: is the rule's backward pass the true gradient? */
bool feedback_is_exact(const struct feedback *f);

/* One a layer, or NULL where no rule routes anything. observe: read dy at every layer too, for
 * alignment. */
const bioft_route *feedback_routes(struct feedback *f, bool observe);
/* Hooks for a backward pass on this batch (may be NULL) and its d_out ([n][outputs], for E).
 * observer: called with each layer's dy before the rule's own hook; may be NULL. */
typedef void feedback_observer(void *ctx, uint32_t layer, const float *dy, size_t count);
const bioft_hooks *feedback_hooks(struct feedback *f, const bioft_batch *batch, const float *d_out,
                                  feedback_observer *observer, void *ctx, uint64_t step);
/* The hooks' error, where a rule's callback failed inside the engine. */
bioft_status feedback_error(struct feedback *f, bioft_status status, struct error *err);
bioft_status feedback_step_end(struct feedback *f, uint64_t step, struct error *err);

/* The rule's own training step where it has one ("bioft.step/0"), else NULL. It is then the only
 * rule, and the network a chain. */
const bioft_own_step *feedback_own(const struct feedback *f);
const bioft_layer *feedback_layer(const struct feedback *f, uint32_t index); /* NULL: none */

/* The instances in the order of their entries, for checkpoints. */
size_t feedback_count(const struct feedback *f);
struct instance *feedback_instance(const struct feedback *f, size_t index);

#endif
