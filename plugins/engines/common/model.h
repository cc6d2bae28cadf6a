/* A model: the parameters with their gradients and moments, and each layer's feedback. */
#ifndef COMMON_MODEL_H
#define COMMON_MODEL_H

#include "network.h"
#include "engine.h"

struct parameter {
    size_t count;
    float *value;
    float *gradient, *moment1, *moment2; /* NULL until something is trained; RUNNING has none */
    float *change;                       /* w_new - w_old of a layer's weight, for hooks */
    uint64_t version;                    /* of the value: counts what wrote it */
};

enum feedback_source { FEEDBACK_WEIGHTS = 0, FEEDBACK_DECLARED, FEEDBACK_WRITTEN };
struct feedback {
    enum feedback_source source;
    bioft_feedback declared;
    uint64_t draw;
    float *v, *m; /* m: magnitudes that stay; NULL where there are none */
    bool v_made, m_made;
    uint64_t version;  /* of W that v was made of */
    uint64_t revision; /* of v: counts what made or wrote it */
};

struct update_chunk { /* a piece of a parameter that one task updates */
    uint32_t parameter;
    size_t first, count;
};

struct model {
    struct engine *engine;
    struct network network;
    struct parameter *parameters;
    struct feedback *feedback;   /* [layer_count] */
    struct update_chunk *chunks; /* in the order of the parameters */
    size_t chunk_count;
    unsigned char *nonfinite; /* [chunks] found by the last update */
    double *norms;            /* [largest layer's feedback chunks][2], for MATCH_NORM */
};

bioft_status cpu_model_create(struct engine *e, const bioft_graph *graph, struct model **ret);
void cpu_model_destroy(struct model *m); /* NULL is fine */
/* Gradients, moments and changes, for the first program that trains. */
bioft_status model_trainable(struct model *m);
bioft_status cpu_model_read(struct model *m, uint32_t what, uint32_t parameter, float *ret, size_t count);
bioft_status cpu_model_write(struct model *m, uint32_t what, uint32_t parameter, const float *values, size_t count);

bioft_status feedback_set(struct model *m, uint32_t layer, const bioft_feedback *feedback, uint64_t draw);
bioft_status feedback_write(struct model *m, uint32_t layer, const float *v);
/* V as backward uses it now: made where W or the draw has changed. NULL: host->random failed, and has said why. */
const float *feedback_get(struct model *m, uint32_t layer);
void feedback_free(struct feedback *f);

bioft_status cpu_model_update(struct model *m, const bioft_update *u, const bioft_hooks *hooks,
                              uint32_t *ret_first_nonfinite);

enum { UPDATE_CHUNK = 16384, FEEDBACK_CHUNK = 16384 };

#endif
