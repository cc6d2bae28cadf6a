/* Everything that can be known of a run before it trains: the plugins' first instances, data, networks, weights, rules,
 * losses and attacks of all trials, with all mistakes and their places. */
#ifndef RUN_REHEARSE_H
#define RUN_REHEARSE_H

#include "run/trial.h"

struct rehearsal {
    const struct experiment *experiment;
    const char *path; /* of the manifest, for places */
    const struct log *log, *engine_log;
    struct shared_data *shared; /* the data stays open in it */
    /* For `check`: a stage or an attack that is right; NULL: nobody asks. [stage]: network and training split. */
    void (*trial)(void *ctx, const struct trial *t);
    bioft_status (*stage)(void *ctx, struct trial_run *r, size_t stage, struct network *n, const struct split *train,
                          struct error *err);
    void (*attack)(void *ctx, struct trial_run *r, const struct attack_spec *a, const struct split *s);
    void *ctx;

    struct text faults; /* a line each: "PATH:LINE:COLUMN: error: TEXT" */
    size_t errors;
    bool io, data;             /* one of them is of files or memory; of what is in a file */
    unsigned told;             /* what was logged, each thing once; bits */
    bool failed;               /* out of memory for their texts */
    char (*known)[SHA256_HEX]; /* trials that were rehearsed, without their seeds */
    size_t known_count, known_capacity;
};
/* Makes an instance of every plugin with its options, in a process of its own. Mistakes go to h->faults. */
bioft_status rehearse_plugins(struct rehearsal *h, struct error *err);
/* Opens data and networks of one trial as a run does. Only what no other trial would get past is returned: no memory,
 * cancelled. */
bioft_status rehearse_trial(struct rehearsal *h, const struct trial *t, struct error *err);
/* Both, of all trials, or of one alone (NULL: all). */
bioft_status rehearse(struct rehearsal *h, const struct trial *only, struct error *err);
void rehearsal_finish(struct rehearsal *h);

#endif
