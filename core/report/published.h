/* Published figures: what papers print, from a CSV that a person typed, to stand beside ours. */
#ifndef REPORT_PUBLISHED_H
#define REPORT_PUBLISHED_H

#include "report/study.h"
#include "report/table.h"

struct published_figure {
    const char *backbone, *dataset, *rule, *source; /* source: "Table 1", or "" */
    struct place place;
    double value, low, high; /* NaN where n is not given, or the metric is no share */
    uint64_t n;              /* 0: not given */
    size_t line;
    enum mark mark; /* without attack: among the rules of one source, network, dataset and metric */
    bool shown;     /* set by the tables: it stands beside one of ours */
};
struct published {
    const char *path;
    struct published_figure *figures;
    size_t count;
    const char **sources; /* each once, in the order in which they come */
    size_t source_count;
};

/* Columns have the names of results.csv's, in any order (docs/report.md). Everything in the arena.
 */
bioft_status published_read(const char *path, struct arena *arena, struct published *ret, struct error *err);
/* The figure of that source beside ours of a series; NULL where there is none, of either. Epsilons
 * are equal that print alike. */
struct published_figure *published_beside(const struct published *p, const char *source, const struct panel *panel,
                                          const struct series *series, const struct place *place);
/* How many stand beside nothing. */
size_t published_unmatched(const struct published *p);
/* "line 2: resnet18, cifar10, usf, accuracy 93.75 (Table 1)" */
void published_describe(const struct published_figure *f, struct text *ret);

#endif
