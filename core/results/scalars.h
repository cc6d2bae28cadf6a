/* A trial's figures as named scalars over steps: metrics.jsonl's, and those of results.csv at the end of their stage. */
#ifndef RESULTS_SCALARS_H
#define RESULTS_SCALARS_H

#include "base/memory.h"
#include "eval/figure.h"
#include "formats/scalar.h"

struct scalars {
    struct scalar *items; /* free() */
    size_t count, room;
    struct arena *arena; /* of the names */
    double started;      /* seconds since 1970, of the first line; 0: there is none */
};
/* The lines of a metrics.jsonl: "train/STAGE/loss", and "train/STAGE/alignment/LAYER" of what is by layer. An
 * unfinished last line, and a file that does not exist, are nothing. */
bioft_status scalars_metrics(const char *path, struct scalars *ret, struct error *err);
/* "test/STAGE/accuracy" and "attack/NAME/OPTIONS/GRADIENT/METRIC/epsilon_0.1", after the lines of their stages. */
bioft_status scalars_figures(const struct figure *figures, size_t count, double time, struct scalars *ret,
                             struct error *err);

#endif
