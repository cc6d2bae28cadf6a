/* What a task showed, in a few sentences and one table: the top of the page. */
#ifndef REPORT_HEADLINE_H
#define REPORT_HEADLINE_H

#include "report/findings.h"
#include "report/table.h"
#include "report/verdict.h"

/* What is known of one series. */
struct fact {
    const struct series *series;
    bool measured;
    struct point clean;
    bool constant;                 /* one answer to every clean image */
    const struct finding *against; /* clean, beside the baseline; NULL: not compared */
    const struct verdict *verdict; /* the weightiest over norms and epsilons; NULL: none */
    size_t verdicts;               /* how many have its word, of how many */
    size_t of;
};
struct headline {
    const struct panel *panel;
    const char *metric;
    struct fact *facts;          /* of each series */
    const struct fact *baseline; /* NULL: none */
    double chance;               /* share of the largest class; NAN: not a share of classes */
    size_t classes;
    const struct grid *grid; /* whose figures the table has; NULL: no attack */
    const struct grid *own;  /* that with the rule's own gradient beside it: of a worst case maybe over
                                                      fewer attacks; NULL: none, or the same gradient */
    const char *text;        /* sentences */
    struct table table;
};
struct headline_params {
    const struct study *study;
    size_t number; /* of the panel */
    const struct finding *findings;
    size_t finding_count;
    const struct verdict *verdicts;
    size_t verdict_count;
};
/* From the first metric of a panel, its findings and verdicts. In the arena. */
bioft_status headline_read(const struct headline_params *p, struct arena *arena, struct headline *ret,
                           struct error *err);
/* Its sentences; false: out of memory. */
bool headline_words(struct headline *h, size_t comparisons, struct arena *arena);

#endif
