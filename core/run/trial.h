/* One trial from beginning to end: data, network, stages, attacks, its files. */
#ifndef RUN_TRIAL_H
#define RUN_TRIAL_H

#include "network/network.h"
#include "run/shared_data.h"
#include "run/status_file.h"
#include "codes/codebook.h"
#include "results/results.h"
#include "train/stage.h"

struct process;           /* process.h */
struct stage_place {      /* where a stage stands on disk */
    char key[SHA256_HEX]; /* of all that determines its network */
    char *folder, *checkpoint, *metrics;
};

struct trial_run {
    const struct experiment *experiment;
    const struct trial *trial;
    const char *out; /* the output folder */
    char *folder;    /* OUT/trials/<id> */
    const struct log *log;
    const struct log *engine_log; /* hears which engine was chosen; NULL: nobody does */
    const struct stop *stop;
    struct shared_data *shared; /* where data is opened, for trials after this one; NULL: nowhere */
    struct process *process;    /* what this process does is kept there; NULL: nowhere */
    double started;
    struct status_file *status; /* what the trial is doing */

    struct arena *arena;
    struct pool *pool;
    struct engine *engine;
    struct dataset **data;          /* [stage_count + 1]: of each stage, and the trial's own last */
    struct stage_place *places;     /* [stage_count]; without stages one, of the weights, in no folder */
    struct network network, before; /* of the stage at hand; of the one before it */
    struct feedback *feedback;      /* of the stage at hand, at `step` updates */
    uint64_t step;
    struct codebook *codebook; /* the network's codes, where its head has bits */

    bool network_only; /* its figures are another process's, or another time's */
    struct trial_label label;
    struct settings identity; /* all that decides its results but the seed (identity.h) */
    bool recounting;          /* figures that are there are taken as they are: to be told where wrong */
    size_t remade;            /* figures of another network that stood in its files */
    struct figure *figures;
    size_t figure_count, figure_capacity;
};
/* Runs, or goes on, until OUT/trials/<id>/results.csv stands. */
bioft_status trial_run(struct trial_run *r, struct error *err);
/* Opens engine and data, and says what provenance wants of them. */
bioft_status trial_open(struct trial_run *r, struct error *err);
void trial_close(struct trial_run *r); /* zero is fine */
/* The file that a stage begins with, or NULL; what its head is new by, "bits" or "classes", or NULL where it is kept. */
const struct weights_spec *trial_weights(const struct trial_run *r, size_t stage);
const char *trial_new_head(const struct trial_run *r, size_t stage);
/* 16 digits of the stage's key, which every figure of its network has; in the arena. NULL: out of memory. */
const char *trial_network_key(const struct trial_run *r, size_t stage);
char *trial_results_path(const char *out, const struct trial *t); /* free() */
char *trial_status_path(const char *out, const struct trial *t);

#endif
