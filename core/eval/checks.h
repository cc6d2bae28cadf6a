/* Sanity checks over a trial's figures: what makes a robustness figure suspect (Athalye, Carlini and Wagner 2018;
 * Carlini et al. 2019). */
#ifndef EVAL_CHECKS_H
#define EVAL_CHECKS_H

#include "base/memory.h"
#include "eval/figure.h"

/* Figures are compared on the same samples (compare.h): two differ where their difference is at least
 * COMPARE_MARGIN with p below COMPARE_LEVEL after Holm's correction over all comparisons of that kind
 * and metric in the trial, epsilon 0 aside.
 *
 * Words of the column `warnings`:
 *   masking                  the rule's gradient leaves more than the exact one: the figure says how well the gradient
 *                            hides, not how robust the network is
 *   gradients-undecided      neither that, nor is the 95% interval of their difference within +-COMPARE_MARGIN
 *   exact-weaker-than-rule   the exact gradient leaves more than the rule's: it should not
 *   attack-too-weak          at an L-infinity epsilon of 0.5 or more every image can become the same grey one, so more
 *                            than the largest class share means that the attack failed
 *   rises-with-epsilon       more is left than at a smaller epsilon of the same attack
 *   budget-unused            more than half of the images that were right use less than half of epsilon, each by its
 *                            distance in the attack's norm (where that is not known: no image's largest change does)
 *   vanished-gradient        images that survive had gradients that are zero or not finite, so many that without them
 *                            the figure would leave its own interval: the attack did nothing to them. Cross-entropy on
 *                            large logits does that; `rescale_logits: true`, or a loss of the margin, is the remedy
 *   small-n                  fewer than 100 samples
 * The first three come with figure.masking "masking", "undecided" and "reversed"; "none" has no warning. */

/* Sets `warnings` and `masking` of a trial's figures, and makes the worst cases (worst.h) as further
 * figures, checked among themselves. class_share: the largest part that one class has of the attacked
 * samples. Figures need their predictions. All is allocated in the arena. */
bioft_status checks_run(struct figure *figures, size_t count, double class_share, struct arena *arena,
                        struct figure **ret_worst, size_t *ret_worst_count, struct error *err);

#endif
