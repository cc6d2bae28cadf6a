/* The calls of bioft/engine.h that are the same for every engine here: `self` is a struct engine. */
#ifndef COMMON_API_H
#define COMMON_API_H

#include "engine.h"

bioft_status engine_supports(void *self, const bioft_graph *graph, const bioft_use *use, char *why, size_t size);
bioft_status engine_create_model(void *self, const bioft_graph *graph, void **ret_model);
void engine_destroy_model(void *self, void *model);
bioft_status engine_read(void *self, void *model, uint32_t what, uint32_t parameter, float *ret, size_t count);
bioft_status engine_write(void *self, void *model, uint32_t what, uint32_t parameter, const float *values,
                          size_t count);
bioft_status engine_set_feedback(void *self, void *model, uint32_t layer, const bioft_feedback *feedback,
                                 uint64_t draw);
bioft_status engine_create_program(void *self, void *model, const bioft_use *use, const bioft_route *routes,
                                   void **ret_program);
void engine_destroy_program(void *self, void *program);
uint64_t engine_program_bytes(void *self, const void *program);
bioft_status engine_forward(void *self, void *program, uint32_t n, const float *x, uint64_t dropout_key,
                            float *ret_out);
bioft_status engine_backward(void *self, void *program, const float *d_out, uint32_t flags, float *ret_dx,
                             const bioft_hooks *hooks);
bioft_status engine_update(void *self, void *model, const bioft_update *u, const bioft_hooks *hooks,
                           uint32_t *ret_first_nonfinite);
bioft_status engine_profile(void *self, void *program, char *ret_json, size_t size);
/* Linear layers and convolutions over columns. */
bioft_status engine_layer(void *self, const bioft_layer *layer, uint32_t phase, uint32_t n, const float *a,
                          const float *b, float *ret);

/* These calls as an engine's table has them; score and identity are its own. */
#define ENGINE_CALLS \
    .struct_size = sizeof(bioft_engine), .draft = BIOFT_ENGINE_DRAFT, .supports = engine_supports, \
    .model_create = engine_create_model, .model_destroy = engine_destroy_model, .read = engine_read, \
    .write = engine_write, .set_feedback = engine_set_feedback, .program_create = engine_create_program, \
    .program_destroy = engine_destroy_program, .program_bytes = engine_program_bytes, .forward = engine_forward, \
    .backward = engine_backward, .update = engine_update, .profile = engine_profile, .layer = engine_layer

/* What every instance has, OpenBLAS and threads; cpu_engine_close() gives it back. */
bioft_status cpu_engine_open(struct engine *e, const struct backend *backend, const bioft_host *host);
void cpu_engine_close(struct engine *e);

#endif
