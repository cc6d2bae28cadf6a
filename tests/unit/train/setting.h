/* A stage with everything that decides its result, for tests. */
#ifndef TESTS_TRAIN_SETTING_H
#define TESTS_TRAIN_SETTING_H

#include "fixture.h"

struct setting {
    struct fixture f;
    struct graph *graph;
    struct model *model;
    struct dataset *data;
    struct trial *trial;
    struct stage_spec *stage;
    struct stage_params p;
    struct stop stop;
    uint64_t stop_at; /* the step after which to stop, 0: never */
    uint64_t reports, epoch_ends, measured;
    uint64_t steps; /* with their losses, as reported */
    double losses[64];
    double last_loss, last_accuracy, last_lr, delta[8], weight_angle[8];
    char warnings[512];
};

/* SGD over one epoch of `count` samples of ten classes, in batches of 8; all of it can be changed
 * before training. The training, validation and test splits are the same samples. */
void setting_open(struct setting *s, unsigned threads, const char *backbone, const char *rule, uint64_t count,
                  const char *loss);
void setting_close(struct setting *s);
void setting_train(struct setting *s);
/* Training fails with a text that has `part`. */
void setting_refused(struct setting *s, bioft_status status, const char *part);
/* Of the checkpoint's bytes. */
void setting_digest(struct setting *s, char ret[SHA256_HEX]);
float *setting_values(struct setting *s, const char *name); /* of a parameter; free() */

#endif
