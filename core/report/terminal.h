/* The table at the end of a run, for people. */
#ifndef REPORT_TERMINAL_H
#define REPORT_TERMINAL_H

#include "base/text.h"
#include "results/results.h"

/* Trials that differ in the seed alone as one, with the means of their figures and the first one's verdicts; the others
 * as they are. In the arena; false: out of memory. */
bool terminal_series(const struct trial_figures *trials, size_t count, struct arena *arena, struct trial_figures **ret,
                     size_t *ret_count);
/* What a trial, or the mean of several, is called in a table: its rule, unless another has the same one. */
enum { TERMINAL_LABEL = 256 };
const char *terminal_label(const struct trial_figures *trials, size_t count, size_t i, const struct figure *f,
                           char ret[TERMINAL_LABEL]);
/* The verdicts that stand in results.csv, a line for each rule; nothing where there are none. */
void terminal_verdicts(const struct trial_figures *trials, size_t count, struct text *ret);
/* Accuracy or mean average precision with its interval per trial, or the mean over seeds; the same under attack per rule,
 * attack, gradient and epsilon; one line on what the two gradients show; warnings. False: out of memory. */
bool terminal_table(const struct trial_figures *trials, size_t count, struct text *ret);

#endif
