/* The images that are left out of a dataset: each with its split, its name and the reason. */
#ifndef DATA_OMITTED_H
#define DATA_OMITTED_H

#include "data/dataset.h"

enum omission { OMITTED_UNLABELLED, OMITTED_MISSING, OMITTED_BROKEN };
struct omitted {
    const char *split, *name;
    enum omission why;
};
/* Leaves out one image, by the plugin's number: counts and keeps it. */
bioft_status omitted_add(const struct dataset *d, struct split *s, uint64_t index, enum omission why,
                         struct error *err);
/* Warns of images left out: how many, and why; nothing where there are none. */
void dataset_warn_omitted(const struct dataset *d, const struct log *log);
/* As LOG_DETAIL, for a trial's own log: the notes, and each image left out by name. */
void dataset_log_notes(const struct dataset *d, const struct log *log);

#endif
