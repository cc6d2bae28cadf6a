/* Checkpoints: everything that a stage's next step depends on, in one safetensors file. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "data/batch.h"
#include "formats/weights.h"
#include "rules/feedback.h"

#define CHECKPOINT_FORMAT "bioft-checkpoint-1" /* the metadata's "format" */

/* Where a stage stands. */
struct progress {
    uint64_t epoch, batch_in_epoch, step; /* of the next batch; step: updates done */
    double loss_sum;                      /* of the open epoch, in batch order */
    uint64_t correct, seen;
    bool complete; /* the stage is done */
    bool has_best; /* model_selection: val: of the best epoch yet */
    double best;
};

struct checkpoint { /* what is saved; NULL members are left out */
    struct model *model;
    struct feedback *feedback;
    struct instance *loss;
    bool moments;                  /* the optimizer's */
    uint32_t optimizer;            /* BIOFT_ADAM, BIOFT_SGD */
    double momentum;               /* SGD: 0 keeps none */
    const struct dataset *dataset; /* class names */
    const struct trial *trial;
    const struct stage_spec *stage;
    const char *key;           /* the stage's identity */
    struct image_format image; /* what the network takes */
    struct progress progress;
};
/* The older file is replaced at once by the whole new one: whatever stops the machine, one of them
 * is there. */
bioft_status checkpoint_save(const char *path, const struct checkpoint *c, struct error *err);
/* Loads all of it; missing, unexpected and misshapen names are listed together and nothing is
 * changed. Wrong key: an error. progress is filled. */
bioft_status checkpoint_load(const char *path, struct checkpoint *c, struct error *err);
/* Reads only progress and key (key: "" where there is none). */
bioft_status checkpoint_peek(const char *path, struct progress *ret, char key[SHA256_HEX], struct error *err);

/* For a head that is used again: an error with the first class that differs. A file that has no list
 * of classes (a plain state dict) passes. */
bioft_status checkpoint_check_classes(const struct weights_spec *spec, const struct dataset *d, struct error *err);

/* Is it a checkpoint, and no plain state dict? */
bool checkpoint_is(const struct weights *w);

/* What a manifest says of a file, for weights_open. */
struct torch_params weights_params(const struct weights_spec *spec);
/* Fills a model's values from a file: a bioft checkpoint, or a state dict as safetensors or .pth.
 * new_head: the head's parameters are left alone, and its outputs called that ("classes", "bits");
 * NULL: they are loaded too. All else must be there and fit, or nothing is changed: what is missing,
 * unexpected or misshapen is listed together. One line of what was done into ret_text (free()). */
bioft_status weights_load(const struct weights_spec *spec, struct model *m, const char *new_head, char **ret_text,
                          struct error *err);
/* The same from a file that is open. */
bioft_status weights_fill(const struct weights *w, const char *path, struct model *m, const char *new_head,
                          char **ret_text, struct error *err);

#endif
