/* bioft run --slurm: the trials as a job array, one element a trial. */
#ifndef CLI_SLURM_H
#define CLI_SLURM_H

#include "base/log.h"
#include "manifest/experiment.h"

struct slurm_params {
    const struct experiment *experiment;
    const char *out; /* the output folder */
    const char *const *plugin_paths;
    size_t plugin_path_count;
    bool trust_plugins;
    const char *const *options; /* for sbatch: "--partition=gpu" */
    size_t option_count;
};
/* Can its options be kept? An array of unequal steps cannot. */
bioft_status slurm_check(const struct slurm_params *p, struct error *err);
/* Writes OUT/slurm.sh and gives it to sbatch, whose answer goes to standard output. An element runs one trial with
 * --only-trial; one that is requeued, or told by SIGUSR1 that its time ends, goes on from its checkpoint. */
bioft_status slurm_submit(const struct slurm_params *p, struct error *err);

#endif
