/* Findings: each rule against the baseline, on the same samples or over the same seeds, after
 * Holm's correction. */
#ifndef REPORT_FINDINGS_H
#define REPORT_FINDINGS_H

#include "eval/compare.h"
#include "report/study.h"

struct finding {
    const struct series *series;
    struct place place;
    struct comparison found; /* the rule's figure minus the baseline's */
    bool over_seeds;         /* else one network beside one, sample by sample */
    bool whole;              /* every figure's predictions are there */
    double adjusted;         /* p after Holm's correction */
    bool significant;        /* at the level of 5%; never over fewer than COMPARE_SEEDS seeds, nor
                                without the predictions */
};
/* All of a panel: clean and at each epsilon above 0. One family for Holm's correction is a panel's
 * metric: every rule, attack, gradient and epsilon. Without a baseline, or where nothing can be
 * paired, none. In the arena. */
bioft_status findings_read(const struct panel *p, struct arena *arena, struct finding **ret, size_t *ret_count,
                           struct error *err);
/* Is it under the rule's own gradient, where more is masking at best and not evidence of robustness? */
bool finding_follows_rule(const struct finding *f);
/* The largest gap under attack of a series and metric, to either side; NULL: none. One under the rule's own gradient
 * only where there is no other. */
const struct finding *findings_largest(const struct finding *f, size_t count, const struct series *s,
                                       const char *metric);

#endif
