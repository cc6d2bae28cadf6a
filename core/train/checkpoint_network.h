/* The network that a checkpoint is of, from its metadata: enough to use it without a manifest. */
#ifndef TRAIN_CHECKPOINT_NETWORK_H
#define TRAIN_CHECKPOINT_NETWORK_H

#include "train/checkpoint.h"

struct checkpoint_network {
    const struct plugin *backbone;
    struct option_value *values;
    uint32_t outputs;
    bool bits;                       /* of codes; else classes */
    struct image_format image;       /* what it was trained on */
    struct transform_spec transform; /* auto where the file does not say */
    const char *const *classes;      /* their names, or NULL */
    size_t class_count;
};
/* w: an open checkpoint (checkpoint_is). Strings live in the arena. */
bioft_status checkpoint_network(const struct weights *w, const char *path, struct registry *registry,
                                struct arena *arena, struct checkpoint_network *ret, struct error *err);

#endif
