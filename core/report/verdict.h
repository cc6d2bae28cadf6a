/* Is it robust, or does it hide? One verdict for each row of a table, norm and epsilon: docs/report.md, "The verdict". */
#ifndef REPORT_VERDICT_H
#define REPORT_VERDICT_H

#include "report/study.h"

#define VERDICT_BASELINE  "baseline"
#define VERDICT_MASKING   "masking"
#define VERDICT_UNDECIDED "undecided"
#define VERDICT_ROBUST    "robust"
#define VERDICT_NO_MORE   "no more robust"

struct verdict {
    const struct series *series;
    struct place place;     /* of the worst case that it speaks of */
    const char *word, *why; /* why: a few words with the numbers */
};
/* Of a panel, in the order of its series; from the worst cases over what does not follow the rule's own gradient. What an
 * attack's rows in results.csv do not say was not measured, and leaves a verdict undecided. In the arena. */
bioft_status verdicts_read(const struct study *s, const struct panel *p, struct arena *arena, struct verdict **ret,
                           size_t *ret_count, struct error *err);

/* Puts them into the columns `verdict` and `verdict_why` of the folder's results.csv, at the worst cases that they speak
 * of: whatever gradient, of that metric, norm and epsilon. */
bioft_status verdicts_keep(const char *folder, const struct verdict *v, size_t count, struct error *err);

#endif
