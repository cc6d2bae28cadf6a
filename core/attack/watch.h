/* Whose images an attack's passes are, and what it tells of them: subset, trace and credit of bioft_victim. */
#ifndef ATTACK_WATCH_H
#define ATTACK_WATCH_H

#include "attack/course.h"
#include "data/batch.h"

struct watch {
    const struct image_format *format;
    uint32_t max_batch;
    /* The attack's run in progress; all NULL between two runs. */
    const bioft_batch *clean, *aimed; /* with the true labels; with labels and targets as the attack has them */
    struct course_image *course;      /* [clean->n] */
    uint32_t norm;
    double epsilon;
    uint32_t n, *image; /* [n]: index in the batch of each image of a pass of n */
    bool is_subset;
    bioft_batch part; /* the subset as rules see it, its arrays [max_batch] below */
    float *x;         /* NULL where no rule reads batches */
    uint64_t *sample, *labels;
    int32_t *label;
};

/* reads: some rule reads batches. */
bioft_status watch_create(struct watch *w, const struct image_format *p, uint32_t max_batch, uint32_t label_words,
                          bool reads, struct error *err);
void watch_free(struct watch *w);
void watch_begin(struct watch *w, const bioft_batch *clean, const bioft_batch *aimed, uint32_t norm, double epsilon,
                 struct course_image *course);
void watch_end(struct watch *w);

bioft_status watch_subset(struct watch *w, uint32_t n, const uint32_t *image, struct error *err);
bioft_status watch_credit(struct watch *w, uint32_t n, const uint32_t *image, const char *part, struct error *err);
bioft_status watch_objectives(struct watch *w, uint64_t iteration, uint32_t n, const uint32_t *image,
                              const float *objective, struct error *err);
/* The network's answers at x, [n][outputs] of a classifier: an image that is fooled there, inside the ball and the
 * range, is found. */
void watch_answers(struct watch *w, uint32_t n, const uint32_t *image, const float *x, const float *out,
                   uint32_t outputs);
/* `times` passes of n images; a backward pass of n. */
void watch_queries(struct watch *w, uint32_t n, uint32_t times);
void watch_gradients(struct watch *w, uint32_t n, const float *dx);
/* The numbers of the samples of a pass of n images; NULL where nobody knows. */
const uint64_t *watch_samples(struct watch *w, uint32_t n);
/* The batch that belongs to a pass of n images, for rules that read it; NULL where nobody knows. */
const bioft_batch *watch_batch(const struct watch *w, uint32_t n);

#endif
