/* Results on disk: a file a figure, and results.csv and trials.csv built from them. */
#ifndef RESULTS_RESULTS_H
#define RESULTS_RESULTS_H

#include "base/memory.h"
#include "eval/figure.h"

struct trial_label { /* the columns that all figures of a trial share */
    const char *id;
    uint64_t seed;
    const char *backbone, *engine, *precision;
    const char *identity; /* all that determines it but the seed, 16 hex digits; "": not known */
};
/* A figure's file name, from what it is: "fine-tune.test.pgd.steps=5.exact.0.1"; filesystem-safe. ret: size bytes. */
void figure_file(const struct figure *f, char *ret, size_t size);
/* Figures of one evaluation, `count` metrics of the same samples, have their files in common:
 * folder/predictions/NAME.csv first, folder/results/NAME.csv second, each whole or not at all. */
bioft_status figure_save(const char *folder, const struct trial_label *t, const struct figure *f, size_t count,
                         struct error *err);
/* The saved figures of that evaluation with their predictions; *ret_found false where there are
 * none, or of other metrics. Strings and arrays in the arena; ret may be wanted. */
bioft_status figure_load(const char *folder, const struct figure *wanted, size_t count, struct arena *arena,
                         struct figure *ret, bool *ret_found, struct error *err);
struct figure_found {
    bool found;
    const char *other; /* not NULL: of another network or other settings; both values, in the arena */
};
/* The same for a run that continues with them: they have to be of this trial and this network, and agree with their
 * predictions. BIOFT_ERR_FORMAT with both values: a file was altered. */
bioft_status figure_resume(const char *folder, const struct trial_label *l, const struct figure *wanted, size_t count,
                           struct arena *arena, struct figure *ret, struct figure_found *ret_found, struct error *err);
/* A finished trial's rows of one evaluation against its files: there, and the same, and what their predictions give. */
bioft_status figure_check(const char *folder, const struct trial_label *l, const struct figure *rows, size_t count,
                          struct arena *arena, struct error *err);

/* The figures of one trial with what they share. */
struct trial_figures {
    struct trial_label label;
    struct figure *figures;
    size_t count;
    size_t seeds; /* trials whose means these are; 0: it is one trial */
};
/* results.csv of one trial, in the order given. */
bioft_status results_write(const char *path, const struct trial_figures *trial, struct error *err);
/* results.csv of several: their rows one after another under one header, a column for each key that the trials differ in
 * beside the others. A file that does not exist is left out; one that lacks columns has them empty. */
struct results_part {
    const char *path;
    const char *const *swept; /* [swept_count] this trial's values of those keys */
};
bioft_status results_join(const char *path, const char *const *swept, size_t swept_count,
                          const struct results_part *parts, size_t count, struct error *err);
/* The trials of a results.csv, without predictions; columns are found by their names. Everything in the arena. */
bioft_status results_read(const char *path, struct arena *arena, struct trial_figures **ret, size_t *ret_count,
                          struct error *err);

#endif
