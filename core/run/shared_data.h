/* Data sets that one trial after the other uses, each opened once. */
#ifndef RUN_SHARED_DATA_H
#define RUN_SHARED_DATA_H

#include "data/dataset.h"

struct shared_data {
    struct pool *pool; /* of the data sets; made with the first */
    bool retold;       /* notes are logged at each use, not at the first alone */
    struct dataset **items;
    size_t count, capacity;
};
/* The one that was opened for a section that says the same, else a new one, which this owns. */
bioft_status shared_data_open(struct shared_data *s, const struct dataset_spec *spec, uint32_t threads,
                              const struct log *log, struct dataset **ret, struct error *err);
/* Closes those that a trial has no use for; NULL: all. */
void shared_data_keep(struct shared_data *s, const struct trial *t);
/* One plugin with the same values of its options. */
bool choice_same(const struct choice *a, const struct choice *b);

#endif
