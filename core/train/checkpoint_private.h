/* A checkpoint's tensors and metadata, as the files that save and load it share them. */
#ifndef TRAIN_CHECKPOINT_PRIVATE_H
#define TRAIN_CHECKPOINT_PRIVATE_H

#include "formats/safetensors.h"
#include "train/checkpoint.h"

struct item { /* one tensor and where its values live */
    const char *name;
    unsigned dims;
    uint64_t shape[4];
    size_t count;
    uint32_t what, parameter; /* of the model: BIOFT_VALUE, ...; else 0 */
    float *floats;            /* of a rule or a loss */
    uint64_t *integer;        /* a counter: I64, no dimensions */
};
struct plan { /* in the file's order: floats, then integers */
    struct item *items;
    size_t count, capacity, largest; /* largest: count of the longest float item */
    struct arena *arena;             /* of the names */
    bool failed;
};
/* What `c` has to save or load. step: the counter behind "optim/step". */
bioft_status plan_make(const struct checkpoint *c, uint64_t *step, struct plan *ret, struct error *err);
void plan_free(struct plan *p);

enum { CHECKPOINT_META = 24 };
/* The metadata's strings, in the arena; *ret_count of CHECKPOINT_META. */
bioft_status meta_make(const struct checkpoint *c, struct arena *arena, struct safetensors_meta *ret, size_t *ret_count,
                       struct error *err);
/* Back from a file's metadata. */
bioft_status meta_progress(const struct safetensors *file, const char *path, struct progress *ret, struct error *err);

#endif
