/* From a plugin's split to ours: the classes that the manifest keeps, labels in memory, samples
 * left out and limited. */
#ifndef DATA_SELECT_H
#define DATA_SELECT_H

#include "data/dataset.h"
#include "data/describe.h"

/* The manifest's choice of classes. */
struct class_map {
    uint32_t raw;    /* classes of the plugin */
    int32_t *number; /* [raw] ours, -1: not kept */
};

/* Fills d->classes, label_words and class_names, and *ret in the arena. */
bioft_status select_classes(struct dataset *d, const struct description *what, struct arena *arena,
                            struct class_map *ret, struct error *err);
/* Fills s->index, label, labels, count and left_out from s->name and s->number, whose plugin has
 * `count` samples. Freed with split_finish. */
bioft_status select_samples(const struct dataset *d, const struct class_map *map, uint64_t count, struct split *s,
                            struct error *err);
/* Keeps at most `limit` samples, class-balanced, ascending. */
bioft_status split_limit(const struct dataset *d, struct split *s, uint64_t limit, struct error *err);
/* Keeps only the positions where keep[i] is not 0. */
void split_filter(const struct dataset *d, struct split *s, const uint8_t *keep);
void split_finish(struct split *s);

#endif
