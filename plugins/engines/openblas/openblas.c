/* The engine `openblas`: float32 on the CPU over OpenBLAS's matrix products; the reference for other engines. */
#include "../common/engine.h"

#include "layer.h"
#include "../common/memory.h"
#include "../common/program.h"

#include <string.h>

static int32_t score(char *why, size_t size)
{
    struct blas blas;

    if (blas_open(&blas, why, size) != BIOFT_OK)
        return 0;
    return blas.slow ? 5 : 10;
}

static bioft_status create(void *self, const bioft_host *host)
{
    struct engine *e = self;
    char why[400];
    bioft_status st = blas_open(&e->blas, why, sizeof why);

    if (st == BIOFT_OK)
        st = blas_check(&e->blas, why, sizeof why);
    if (st != BIOFT_OK)
        return host->fail(host, st, why);
    e->host = host;
    return parallel_init(&e->parallel, host) ? BIOFT_OK
                                             : host->fail(host, BIOFT_ERR_MEMORY, "out of memory for the engine");
}

static void destroy(void *self)
{
    struct engine *e = self;

    memory_give(e->layer_work);
    parallel_finish(&e->parallel);
}

static bioft_status supports(void *self, const bioft_graph *graph, const bioft_use *use, char *why, size_t size)
{
    struct network n;
    bioft_status st;

    (void)self;
    why[0] = '\0';
    st = network_copy(graph, &n, why, size);
    if (st == BIOFT_OK) {
        st = program_check(&n, use, why, size);
        network_free(&n);
    }
    return st == BIOFT_OK ? BIOFT_OK : BIOFT_ERR_UNSUPPORTED;
}

static bioft_status create_model(void *self, const bioft_graph *graph, void **ret_model)
{
    struct model *m;
    bioft_status st = model_create(self, graph, &m);

    if (st == BIOFT_OK)
        *ret_model = m;
    return st;
}

static void destroy_model(void *self, void *model)
{
    (void)self;
    model_destroy(model);
}

static bioft_status read_array(void *self, void *model, uint32_t what, uint32_t parameter, float *ret, size_t count)
{
    (void)self;
    return model_read(model, what, parameter, ret, count);
}

static bioft_status write_array(void *self, void *model, uint32_t what, uint32_t parameter, const float *values,
                                size_t count)
{
    (void)self;
    return model_write(model, what, parameter, values, count);
}

static bioft_status set_feedback(void *self, void *model, uint32_t layer, const bioft_feedback *feedback,
                                 uint64_t draw)
{
    (void)self;
    return feedback_set(model, layer, feedback, draw);
}

static bioft_status create_program(void *self, void *model, const bioft_use *use, const bioft_route *routes,
                                   void **ret_program)
{
    struct program *p;
    bioft_status st = program_create(model, use, routes, &p);

    (void)self;
    if (st == BIOFT_OK)
        *ret_program = p;
    return st;
}

static void destroy_program(void *self, void *program)
{
    (void)self;
    program_destroy(program);
}

static uint64_t program_bytes(void *self, const void *program)
{
    (void)self;
    return ((const struct program *)program)->bytes;
}

static bioft_status forward(void *self, void *program, uint32_t n, const float *x, uint64_t dropout_key,
                            float *ret_out)
{
    (void)self;
    return program_forward(program, n, x, dropout_key, ret_out);
}

static bioft_status backward(void *self, void *program, const float *d_out, uint32_t flags, float *ret_dx,
                             const bioft_hooks *hooks)
{
    (void)self;
    return program_backward(program, d_out, flags, ret_dx, hooks);
}

static bioft_status update(void *self, void *model, const bioft_update *u, const bioft_hooks *hooks,
                           uint32_t *ret_first_nonfinite)
{
    (void)self;
    return model_update(model, u, hooks, ret_first_nonfinite);
}

static bioft_status profile(void *self, void *program, char *ret_json, size_t size)
{
    (void)self;
    return program_profile(program, ret_json, size);
}

static bioft_status identity(void *self, char *ret, size_t size, int32_t *ret_threads_matter)
{
    const struct engine *e = self;

    snprintf(ret, size, "%s %s", e->blas.version, e->blas.kernels);
    *ret_threads_matter = 0;
    return BIOFT_OK;
}

static bioft_status layer(void *self, const bioft_layer *l, uint32_t phase, uint32_t n, const float *a,
                          const float *b, float *ret)
{
    return layer_run(self, l, phase, n, a, b, ret);
}

static const bioft_engine engine = {
    .struct_size = sizeof engine, .draft = BIOFT_ENGINE_DRAFT, .score = score, .supports = supports,
    .model_create = create_model, .model_destroy = destroy_model, .read = read_array, .write = write_array,
    .set_feedback = set_feedback, .program_create = create_program, .program_destroy = destroy_program,
    .program_bytes = program_bytes, .forward = forward, .backward = backward, .update = update, .profile = profile,
    .identity = identity, .layer = layer,
};

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof plugin, .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_ENGINE, .name = "openblas", .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "float32 on the CPU over OpenBLAS; the same bits for any number of threads",
    .reference = "", .instance_size = sizeof(struct engine), .create = create, .destroy = destroy,
    .option_size = sizeof(bioft_option), .vtable = &engine,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : NULL;
}
