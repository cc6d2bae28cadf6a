/* The optimizer's mathematics: learning rates by schedule, and the plain step for arrays that no
 * engine has. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "graph/graph.h"
#include "manifest/experiment.h"

/* lr's factor at this point. epoch counts from 0; step and steps are of the whole stage. */
double schedule_factor(const struct schedule_spec *s, uint64_t epoch, uint64_t step, uint64_t steps);
/* The step specified in bioft/engine.h on one plain array: loss trainables, and the engines'
 * oracle. m and v as the kind needs them. */
void optimizer_step(const bioft_update *u, double lr, float *w, const float *g, float *m, float *v, size_t count);

#endif
