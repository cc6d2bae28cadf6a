/* The tables of a report: clean, under attack, against the baseline. */
#ifndef REPORT_TABLES_H
#define REPORT_TABLES_H

#include "report/findings.h"
#include "report/verdict.h"
#include "report/table.h"

/* One metric without attack: a row a rule, a column a panel, marked by the paper's rule; right of a
 * panel's a column for each source of published figures. Everything in the arena; false: out of
 * memory, as below. */
bool tables_clean(const struct study *s, const char *metric, struct arena *arena, struct table *ret);
/* One attack of a panel: a row a rule and gradient, below it one for each source of published
 * figures; a column an epsilon. */
bool tables_attack(const struct study *s, size_t number, const struct grid *g, struct arena *arena, struct table *ret);
/* A matrix for each attack with images made on other networks of the sweep (`from`): rows, the network that they were
 * made on, by epsilon; columns, the rules that they were shown to. */
bool tables_transfer(const struct panel *p, size_t number, struct arena *arena, struct table **ret, size_t *ret_count);
/* Each rule against the baseline: the clean difference and the largest gap under attack. */
bool tables_gaps(const struct panel *p, size_t number, const struct finding *f, size_t count, const char *metric,
                 struct arena *arena, struct table *ret);
/* Every comparison. */
bool tables_findings(const struct panel *p, size_t number, const struct finding *f, size_t count, struct arena *arena,
                     struct table *ret);
/* A metric for people: mAP@100 for map@100. */
const char *tables_metric(const char *metric, struct arena *arena);

/* What a panel is called: "cifar10, lenet5". */
const char *panel_title(const struct study *s, const struct panel *p, struct arena *arena);

/* The verdicts of a panel. */
bool tables_verdicts(const struct panel *p, size_t number, const struct verdict *v, size_t count, struct arena *arena,
                     struct table *ret);

#endif
