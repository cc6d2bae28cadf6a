/* How networks were trained and attacked, in a line each, from trials/ID/settings.csv. */
#ifndef REPORT_RECIPE_H
#define REPORT_RECIPE_H

#include "report/study.h"

/* "30000 images, 469 steps; epochs 1, batch_size 64, adam, lr 0.0001, ..."; "" where the settings are not there. */
bioft_status recipe_training(const struct panel *p, struct arena *arena, const char **ret, struct error *err);
/* "steps 5, rel_stepsize 0.333333, random_start false, ...; n = 500"; of a worst case n alone. */
bioft_status recipe_attack(const struct panel *p, const struct grid *g, struct arena *arena, const char **ret,
                           struct error *err);

#endif
