/* Losses: a value and its gradient by the network's outputs, on the host, in float32 whatever the engine. */
#ifndef BIOFT_LOSS_H
#define BIOFT_LOSS_H

#include <bioft/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bioft_task {
    uint32_t struct_size, outputs, classes, multi_label; /* outputs: classes, or bits for retrieval */
    uint64_t train_count, total_steps;                   /* samples of the training split; steps of the stage */
} bioft_task;

enum { BIOFT_LOSS_CLASSES = 1, BIOFT_LOSS_CODES = 2, BIOFT_LOSS_MULTI_LABEL = 4 }; /* bioft_loss.flags: what it takes */
typedef struct bioft_loss {
    uint32_t struct_size, flags;
    /* Once before the first step: states, trainables and their initial values (a resume puts the saved ones back
     * afterwards). NULL: nothing to do. [control] */
    bioft_status (*attach)(void *self, const bioft_task *task);
    /* out: [batch->n][outputs]. *ret_value: the mean over the batch, or what the paper's formula says; ret_d_out:
     * its derivative, or NULL in evaluation: then no state and no trainable gradient changes. [step] */
    bioft_status (*value)(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out);
} bioft_loss;

#ifdef __cplusplus
}
#endif
#endif
