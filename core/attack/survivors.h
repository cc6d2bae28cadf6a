/* A part of a batch, attacked as a batch of its own. */
#ifndef ATTACK_SURVIVORS_H
#define ATTACK_SURVIVORS_H

#include "attack/course.h"
#include "data/batch.h"

struct survivors {
    bioft_batch clean, aimed; /* those that are left, in order */
    uint32_t *at;             /* [clean.n]: where each of them was */
    float *x;
    uint64_t *sample, *labels;
    int32_t *label, *true_label, *target;
};
bioft_status survivors_create(struct survivors *s, const struct image_format *p, uint32_t max_batch,
                              uint32_t label_words, struct error *err);
void survivors_free(struct survivors *s); /* zero is fine */
/* leave: [clean->n]. */
void survivors_take(struct survivors *s, const struct image_format *p, const bioft_batch *clean,
                    const bioft_batch *aimed, const bool *leave);
/* Puts what was made of them back in place; the others are as they were, with nothing in their course. */
void survivors_put_back(const struct survivors *s, const struct image_format *p, const bioft_batch *clean,
                        float *adversarial, struct course_image *course);

#endif
