/* The table at the end of a run, for people. */
#ifndef REPORT_TERMINAL_H
#define REPORT_TERMINAL_H

#include "base/text.h"
#include "results/results.h"

/* Accuracy or mean average precision with its interval per trial; the same under attack per rule,
 * attack, gradient and epsilon; one line on what the two gradients show; warnings. */
void terminal_table(const struct trial_figures *trials, size_t count, struct text *ret);

#endif
