/* The charts of a panel: robustness over epsilon, training, alignment. */
#ifndef REPORT_PLOTS_H
#define REPORT_PLOTS_H

#include "report/chart.h"
#include "report/study.h"
#include "report/table.h"

struct plots {
    struct chart *robustness, *training; /* training: losses, accuracies, angles */
    size_t robustness_count, training_count;
    struct table durations; /* of the stage's training, a row a rule; rows 0: not known */
};
/* `number` of the panel goes into the names. metrics.jsonl is read of each series' first trial;
 * where there is none, there is no curve. Everything in the arena. */
bioft_status plots_read(const struct panel *p, size_t number, struct arena *arena, struct plots *ret,
                        struct error *err);
/* What tells a grid's files from those of an earlier one of the same attack and metric: "", "-2". */
const char *plots_again(const struct panel *p, const struct grid *g, struct arena *arena);
/* The name of an attack with its options, for people. */
const char *plots_attack(const char *attack, const char *options, struct arena *arena);

#endif
