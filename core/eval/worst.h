/* The worst case over attacks: a sample counts only where every one of them left it right. */
#ifndef EVAL_WORST_H
#define EVAL_WORST_H

#include "base/memory.h"
#include "eval/figure.h"

/* Worst cases of a trial's figures, of those of one stage, split, metric, norm and epsilon on the same
 * samples, as further figures: attack ATTACK_WORST, options the attacks that it holds
 * ("fgsm+pgd[steps=5]"), gradient "" over all of them; and where some follow the rule's own gradient
 * and others do not, one of each part too, gradient "rule" and "exact" (whatever else an attack
 * follows, or none, is not the rule's). An epsilon that fewer attacks have holds fewer, and says so:
 * it is no figure of the same kind. Figures need their predictions. All is in the arena. */
bioft_status worst_make(const struct figure *figures, size_t count, struct arena *arena, struct figure **ret,
                        size_t *ret_count, struct error *err);

#endif
