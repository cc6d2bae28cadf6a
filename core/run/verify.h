/* Recomputing an output's figures from what it keeps: checkpoints and predictions. */
#ifndef RUN_VERIFY_H
#define RUN_VERIFY_H

#include "run/trial.h"

struct verify_params {
    const struct experiment *experiment; /* read from OUT/manifest.yaml */
    const char *out;
    bool attacks; /* run them again too; else their figures are recounted from predictions */
    struct shared_data *shared;
    const struct log *log;
    const struct stop *stop;
};
struct verified {
    size_t figures, differing; /* rows of results.csv; what is not as kept */
    struct text differences;   /* a line each; text_free() */
};
/* One trial that has results: its clean figures from the stages' checkpoints, its attacks' from the images' predictions or
 * anew, its worst cases and warnings from these; held against OUT/trials/ID/results.csv, OUT/results.csv and the predictions,
 * text for text. Adds to *ret. Changes nothing in OUT. BIOFT_ERR_INVALID: a stage has no complete checkpoint there. */
bioft_status verify_trial(const struct verify_params *p, const struct trial *t, struct verified *ret,
                          struct error *err);

#endif
