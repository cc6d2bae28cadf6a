/* The table at the end of a run, for people. */
#ifndef REPORT_TERMINAL_H
#define REPORT_TERMINAL_H

#include "base/text.h"
#include "results/results.h"

/* Accuracy or mean average precision with its interval per trial; the same under attack per rule,
 * attack, gradient and epsilon; one line on what the two gradients show; warnings. */
/* What a trial is called in a table: its rule, unless another trial has the same one. */
const char *terminal_label(const struct trial_figures *trials, size_t count, size_t i, const struct figure *f);
/* The verdicts that stand in results.csv, a line for each rule; nothing where there are none. */
void terminal_verdicts(const struct trial_figures *trials, size_t count, struct text *ret);
void terminal_table(const struct trial_figures *trials, size_t count, struct text *ret);

#endif
