/* An experiment's trials one after another, in this process. */
#ifndef RUN_TRIALS_H
#define RUN_TRIALS_H

#include "run/failures.h"
#include "run/process.h"

struct trials {
    const struct experiment *experiment;
    const char *out;  /* the output folder, which the caller has locked */
    int lock;         /* on OUT/.lock; below 0: the caller's parent has it */
    const char *only; /* one trial's number or id; NULL: all */
    bool child;       /* of a run in parallel, which makes results.csv itself */
    bool fail_fast;
    struct shared_data *shared;
    struct process process;             /* argv and argc by the caller */
    const struct log *log, *engine_log; /* engine_log hears which engine was chosen, once; NULL: nobody does */
    const struct stop *stop;
    /* A trial begins, in its folder, or has its results; ends. why: of one that failed. May be NULL. */
    bioft_status (*begin)(void *ctx, const struct trial *t, const char *folder, bool done, struct error *err);
    void (*end)(void *ctx, const struct trial *t, bool done, const char *why);
    void *ctx;
};
/* Runs what has no results yet, and holds what has against its files. BIOFT_OK with no failures: every figure of the
 * manifest is on disk. Failures of single trials go to `failures`; what ends the run is returned. */
bioft_status trials_run(struct trials *s, struct failures *failures, struct error *err);
/* Is t what `only` names? NULL: any is. */
bool trials_wants(const char *only, const struct trial *t);
/* Is OUT still the folder that is locked? Files that are made in one which somebody removed come up in another of its name,
 * without the rest. lock below 0: yes. */
bioft_status trials_check_folder(const char *out, int lock, struct error *err);
bool trials_have_results(const char *out, const struct trial *t);

#endif
