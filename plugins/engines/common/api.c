/* The contract's calls, handed on. */
#include "api.h"

#include "memory.h"
#include "program.h"
#include "compile.h"

bioft_status engine_supports(void *self, const bioft_graph *graph, const bioft_use *use, char *why, size_t size)
{
    const struct engine *e = self;
    struct network n;
    bioft_status st;

    why[0] = '\0';
    st = network_copy(graph, &n, why, size);
    if (st == BIOFT_OK) {
        st = compile_check(e->backend, &n, use, why, size);
        network_free(&n);
    }
    return st == BIOFT_OK ? BIOFT_OK : BIOFT_ERR_UNSUPPORTED;
}

bioft_status engine_create_model(void *self, const bioft_graph *graph, void **ret_model)
{
    struct model *m;
    bioft_status st = cpu_model_create(self, graph, &m);

    if (st == BIOFT_OK)
        *ret_model = m;
    return st;
}

void engine_destroy_model(void *self, void *model)
{
    (void)self;
    cpu_model_destroy(model);
}

bioft_status engine_read(void *self, void *model, uint32_t what, uint32_t parameter, float *ret, size_t count)
{
    (void)self;
    return cpu_model_read(model, what, parameter, ret, count);
}

bioft_status engine_write(void *self, void *model, uint32_t what, uint32_t parameter, const float *values, size_t count)
{
    (void)self;
    return cpu_model_write(model, what, parameter, values, count);
}

bioft_status engine_set_feedback(void *self, void *model, uint32_t layer, const bioft_feedback *feedback, uint64_t draw)
{
    (void)self;
    return feedback_set(model, layer, feedback, draw);
}

bioft_status engine_create_program(void *self, void *model, const bioft_use *use, const bioft_route *routes,
                                   void **ret_program)
{
    struct program *p;
    bioft_status st = cpu_program_create(model, use, routes, &p);

    (void)self;
    if (st == BIOFT_OK)
        *ret_program = p;
    return st;
}

void engine_destroy_program(void *self, void *program)
{
    (void)self;
    cpu_program_destroy(program);
}

uint64_t engine_program_bytes(void *self, const void *program)
{
    (void)self;
    return ((const struct program *)program)->bytes;
}

bioft_status engine_forward(void *self, void *program, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out)
{
    (void)self;
    return cpu_program_forward(program, n, x, dropout_key, ret_out);
}

bioft_status engine_backward(void *self, void *program, const float *d_out, uint32_t flags, float *ret_dx,
                             const bioft_hooks *hooks)
{
    (void)self;
    return cpu_program_backward(program, d_out, flags, ret_dx, hooks);
}

bioft_status engine_update(void *self, void *model, const bioft_update *u, const bioft_hooks *hooks,
                           uint32_t *ret_first_nonfinite)
{
    (void)self;
    return cpu_model_update(model, u, hooks, ret_first_nonfinite);
}

bioft_status engine_profile(void *self, void *program, char *ret_json, size_t size)
{
    (void)self;
    return program_profile(program, ret_json, size);
}

bioft_status cpu_engine_open(struct engine *e, const struct backend *backend, const bioft_host *host)
{
    char why[400];
    bioft_status st = blas_open(&e->blas, why, sizeof why);

    if (st != BIOFT_OK)
        return host->fail(host, st, why);
    e->host = host;
    e->backend = backend;
    if (!parallel_init(&e->parallel, host))
        return host->fail(host, BIOFT_ERR_MEMORY, "out of memory for the engine");
    st = blas_reserve(&e->blas, parallel_threads(&e->parallel), why, sizeof why);
    if (st == BIOFT_OK)
        st = blas_check(&e->blas, why, sizeof why);
    if (st == BIOFT_OK)
        return BIOFT_OK;
    cpu_engine_close(e);
    return host->fail(host, st, why);
}

void cpu_engine_close(struct engine *e)
{
    memory_give(e->layer_work);
    parallel_finish(&e->parallel);
}
