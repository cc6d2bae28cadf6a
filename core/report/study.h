/* A study: the trials of one or several output folders, put together as what a reader compares. */
#ifndef REPORT_STUDY_H
#define REPORT_STUDY_H

#include "results/results.h"

struct study_trial {
    struct trial_figures *results;
    const char *out, *folder; /* OUT, and OUT/trials/ID */
};
/* One row of a table: trials that differ in the seed alone. */
struct series {
    const char *name;     /* the rule, and what else its sweep chose or its settings have */
    const char *identity; /* of its trials; "": not known */
    const char *rule;
    unsigned colour, marker; /* colours.h */
    struct study_trial *trials;
    size_t count;
};
/* One attack with its grid of epsilons, over all series of a panel. */
struct grid {
    const char *metric, *attack, *options, *norm;
    bool rule, exact, straight, smoothed, all; /* gradients that occur; all: a worst case over every one */
    double *epsilon;                           /* ascending */
    size_t count;
};
/* What may stand in one table: one network on one protocol of one dataset. */
struct panel {
    const char *backbone, *dataset, *protocol, *engine, *precision, *stage, *split;
    struct series *series;
    size_t count;
    const struct series *baseline; /* NULL: none; what the others are compared with */
    const char **metrics;          /* those in the first convention, without '/' */
    size_t metric_count;
    struct grid *grids;
    size_t grid_count;
};
struct published;
struct study {
    const char *const *folders;
    size_t folder_count;
    struct panel *panels;
    size_t count;
    struct published *published; /* what papers print, to stand beside; study_read: NULL, none */
};

/* Reads results.csv of each folder. The last stage of a trial is what counts. Trials are repetitions,
 * one row, where their identity is the same (where it is not known: their name); a trial of one
 * identity and seed with another folder's is a copy of it, and an error. The baseline of a panel is the
 * first series of rule `baseline`; NULL: there is none. Everything in the arena. */
bioft_status study_read(const char *const *folders, size_t count, const char *baseline, struct arena *arena,
                        struct study *ret, struct error *err);

/* The names of all series over all panels, each once; NULL: out of memory. */
const char **study_names(const struct study *s, size_t *ret_count, struct arena *arena);

/* Which number: of a metric, clean (attack NULL) or under an attack. */
struct place {
    const char *metric, *attack, *options, *gradient;
    double epsilon;
    const char *norm;
};
/* The figure of one trial; NULL: none. */
struct figure *study_figure(const struct study_trial *t, const struct panel *p, const struct place *place);
/* Over the seeds of a series: one has its own interval, several the mean with Student's, which is
 * never narrower than their own intervals on average, since all stand on the same samples; low and
 * high are NaN where there is none. */
struct point {
    double value, low, high;
    uint64_t n;
    size_t seeds;
    bool masking, weak, small; /* warnings of any of them */
};
bool study_point(const struct panel *p, const struct series *s, const struct place *place, struct point *ret);
/* The same figure with its predictions, read from the trial's folder; *ret_found false: no such
 * file. */
bioft_status study_predictions(const struct study_trial *t, const struct figure *f, struct arena *arena,
                               struct figure *ret, bool *ret_found, struct error *err);

#endif
