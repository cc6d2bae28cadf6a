/* `search`: which of a trial's candidates is best on the validation split. */
#ifndef RUN_SEARCH_H
#define RUN_SEARCH_H

#include "run/process.h"

struct search_params {
    const struct experiment *experiment;
    const struct trial *trial;
    const char *out; /* the output folder */
    struct shared_data *shared;
    struct status_file *status; /* what the trial is doing */
    const struct log *log;
    const struct stop *stop;
};
/* Trains every candidate that is not trained yet, in the places that trials train their stages in, measures each once on the
 * split `val`, and writes OUT/trials/ID/search.csv, which a search that goes on takes over where it is of the same networks.
 * *ret: the best candidate, the first of equals; the trial itself where nothing is searched. A candidate whose training
 * diverges loses; BIOFT_ERR_INVALID where all do, or where there is no validation split. */
bioft_status search_run(const struct search_params *p, const struct trial **ret, struct error *err);
/* What search.csv says was chosen; the trial itself where nothing is searched, or nothing has been chosen yet.
 * BIOFT_ERR_FORMAT: it is not of this trial's candidates. */
bioft_status search_find(const char *out, const struct trial *t, const struct trial **ret, struct error *err);
/* "optimizer.lr=1e-4", for messages. Freed with text_free. */
void search_add_values(const struct trial *candidate, struct text *t);

#endif
