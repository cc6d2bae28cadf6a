/* An attack entry at work, shared by the files that make its figures. */
#ifndef RUN_ENTRY_H
#define RUN_ENTRY_H

#include "eval/gradients.h"
#include "run/trial.h"

/* An attack entry at work: the figures of both gradients over its grid. */
struct entry {
    const struct attack_spec *spec;
    struct trained target;
    uint64_t *positions, count;
    size_t metrics;
    struct figure *figures[GRADIENT_KINDS]; /* [gradient_count][epsilon_count * metrics] */
    bool *found[GRADIENT_KINDS];
    const struct figure **broken;     /* with only: survivors, [gradient_count * epsilon_count][count]: the
                                                      figure that an image was broken in before, or NULL */
    struct gradients_found gradients; /* of these images */
};

/* broken.c. Which images the attacks before have broken already, each by the first that did: e->broken. Nothing without
 * `only: survivors`. */
bioft_status entry_find_broken(struct trial_run *r, struct entry *e, struct error *err);
/* What an attack leaves out, from e->broken: [cells][count]. */
bioft_status entry_masks(struct trial_run *r, const struct entry *e, const bool *const **ret, struct error *err);
/* Images that were left out are what the attack before made of them, and its name is given. p: [count]. */
void entry_take_broken(const struct entry *e, size_t cell, struct prediction *p);

/* recalled.c. The gradients' agreement from the trial's figures so far, where an attack on the same images has measured all
 * that this one's figures say of it. false: it is to be measured. */
bool entry_recall_gradients(const struct trial_run *r, const struct entry *e, struct gradients_found *ret);
/* Where the rule's backward pass is the true gradient, the figures of `rule` and `exact` are the same ones: the other of the
 * two, or g itself. */
size_t entry_twin(const struct trial_run *r, const struct entry *e, size_t g);
/* targets.c. What the attack makes of the images, "" where they have no target; NULL: out of memory. */
const char *entry_target_word(struct trial_run *r, const struct attack_spec *s);
/* A targeted attack has nothing to do with images that are the target: takes them out of the entry's positions. */
void entry_leave_targets_out(struct entry *e);

#endif
