/* MLflow's file store: a folder of experiments, each with a folder a run, each with a file a metric, parameter and tag. */
#ifndef FORMATS_MLRUNS_H
#define FORMATS_MLRUNS_H

#include "base/error.h"
#include "formats/scalar.h"
#include <stddef.h>

enum mlruns_status { MLRUNS_RUNNING = 1, MLRUNS_FINISHED = 3, MLRUNS_FAILED = 4 }; /* MLflow's own numbers */
struct mlruns_pair {
    const char *key, *value;
};
struct mlruns_run {
    const char *folder; /* the store's, absolute */
    const char *part;   /* a path in the same file system for a file that is being written */
    const char *experiment, *experiment_id;
    const char *name, *id; /* id: 32 hexadecimal digits */
    const char *artifacts; /* folder, absolute */
    double started, ended; /* seconds since 1970; ended 0: not yet */
    enum mlruns_status status;
    const struct mlruns_pair *params, *tags;
    size_t param_count, tag_count;
    const struct scalar *scalars; /* of a name in the order in which they are to stand */
    size_t scalar_count;
};
/* Writes the run, and the experiment where there is none. Every file is whole or not there; a run that is written again
 * has what it had and what is new. Letters that MLflow allows in no key are '_'. */
bioft_status mlruns_write(const struct mlruns_run *run, struct error *err);

#endif
