/* Engines, models and programs, with checked calls: from a graph to numbers. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/log.h"
#include "graph/graph.h"

struct engine {
    struct instance *instance;
    const bioft_engine *api;
    char why[256];       /* why this one */
    char identity[256];  /* library, version, kernel set */
    bool threads_matter; /* the number of threads changes the bits */
};
struct engine_params {
    struct registry *registry;
    const struct plugin *plugin; /* NULL: the highest score among those found */
    const struct option_value *values;
    struct pool *pool;
    uint64_t seed; /* of dropout and feedback */
    const struct log *log;
};
bioft_status engine_open(const struct engine_params *p, struct engine **ret, struct error *err);
void engine_close(struct engine *e); /* NULL is fine */

struct model {
    struct engine *engine;
    const struct graph *graph;
    void *self;
    uint64_t *counters; /* [graph->counter_count] num_batches_tracked */
};
bioft_status model_create(struct engine *e, const struct graph *g, struct model **ret, struct error *err);
void model_destroy(struct model *m); /* NULL is fine */
bioft_status model_read(struct model *m, uint32_t what, uint32_t parameter, float *ret, struct error *err);
bioft_status model_write(struct model *m, uint32_t what, uint32_t parameter, const float *values, struct error *err);
bioft_status model_feedback(struct model *m, uint32_t layer, const bioft_feedback *feedback, uint64_t draw,
                            struct error *err);
/* *ret_first_nonfinite: a parameter or BIOFT_NONE. */
bioft_status model_update(struct model *m, const bioft_update *u, const bioft_hooks *hooks,
                          uint32_t *ret_first_nonfinite, struct error *err);

struct program {
    struct model *model;
    bioft_use use;
    void *self;
};
/* max_batch images at once, on the pool's threads; pool NULL: one. No flags. */
bioft_use program_use(uint32_t kind, uint32_t precision, uint32_t max_batch, const struct pool *pool);
bioft_status program_create(struct model *m, const bioft_use *use, const bioft_route *routes, struct program **ret,
                            struct error *err);
void program_destroy(struct program *p); /* NULL is fine */
bioft_status program_forward(struct program *p, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out,
                             struct error *err);
bioft_status program_backward(struct program *p, const float *d_out, uint32_t flags, float *ret_dx,
                              const bioft_hooks *hooks, struct error *err);

#endif
