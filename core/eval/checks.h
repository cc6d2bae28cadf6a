/* Sanity checks over a trial's figures: what makes a robustness figure suspect (Athalye, Carlini and Wagner 2018;
 * Carlini et al. 2019). */
#ifndef EVAL_CHECKS_H
#define EVAL_CHECKS_H

#include "base/memory.h"
#include "eval/figure.h"

/* Words of the column `warnings`:
 *   exact-weaker-than-rule   the exact gradient leaves more than 0.02 more accuracy than the rule's: it should not
 *   masking                  under the rule's gradient clearly more accuracy than under the exact one: the intervals
 *                            do not meet, so the figure says how well the gradient hides, not how robust the network is
 *   attack-too-weak          at an L-infinity epsilon of 0.5 or more every image can become the same grey one, so more
 *                            than the largest class share means that the attack failed
 *   rises-with-epsilon       more accuracy than at a smaller epsilon of the same attack, intervals apart
 *   budget-unused            more than half of the images that were right use less than half of epsilon, each by its
 *                            distance in the attack's norm (where that is not known: no image's largest change does)
 *   vanished-gradient        images that survive had gradients that are zero or not finite, so many that without them
 *                            the figure would leave its own interval: the attack did nothing to them. Cross-entropy on
 *                            large logits does that; `rescale_logits: true`, or a loss of the margin, is the remedy
 *   small-n                  fewer than 100 samples */

/* Sets `warnings` of a trial's figures, and makes the worst case over attacks and gradients of each epsilon, sample by
 * sample, as further figures (attack "worst"). class_share: the largest part that one class has of the attacked
 * samples. Figures need their predictions. All is allocated in the arena. */
bioft_status checks_run(struct figure *figures, size_t count, double class_share, struct arena *arena,
                        struct figure **ret_worst, size_t *ret_worst_count, struct error *err);

#endif
