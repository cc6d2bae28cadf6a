/* Trials in parallel, each in a process of its own. */
#ifndef RUN_JOBS_H
#define RUN_JOBS_H

#include "base/stop.h"
#include "base/log.h"
#include "run/failures.h"
#include "manifest/experiment.h"

struct jobs_params {
    const struct experiment *experiment;
    const char *out; /* the output folder, which the caller has locked */
    int lock;        /* by that */
    uint32_t jobs;   /* at most so many at once */
    bool fail_fast;
    const char *const *plugin_paths;
    size_t plugin_path_count;
    bool trust_plugins;
    char **argv; /* what the user typed, for provenance */
    int argc;
    const struct log *log;
    const struct stop *stop; /* passed on to the trials */
};
/* Runs the trials that have no results yet. BIOFT_ERR_CANCELLED: stopped, and every process has saved and ended. */
bioft_status jobs_run(const struct jobs_params *p, struct failures *failures, struct error *err);

/* A child's side: its first argument is "--worker=PID", its last ones after "--" the user's command line. */
struct worker {
    bool is_one;
    int user_argc;
    char **user_argv;
};
/* Takes that apart; *argc and *argv are left with what every run has. The process dies with its parent. */
bool worker_begin(int *argc, char ***argv, struct worker *ret);

#endif
