/* The engine `openblas`: float32 on the CPU over OpenBLAS's matrix products; the reference for other engines. */
#include "../common/api.h"

#include "backend.h"
#include "layer.h"
#include "../common/memory.h"

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
    e->backend = &openblas_backend;
    return parallel_init(&e->parallel, host) ? BIOFT_OK
                                             : host->fail(host, BIOFT_ERR_MEMORY, "out of memory for the engine");
}

static void destroy(void *self)
{
    struct engine *e = self;

    memory_give(e->layer_work);
    parallel_finish(&e->parallel);
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
    .struct_size = sizeof engine, .draft = BIOFT_ENGINE_DRAFT, .score = score, .supports = engine_supports,
    .model_create = engine_create_model, .model_destroy = engine_destroy_model, .read = engine_read,
    .write = engine_write, .set_feedback = engine_set_feedback, .program_create = engine_create_program,
    .program_destroy = engine_destroy_program, .program_bytes = engine_program_bytes, .forward = engine_forward,
    .backward = engine_backward, .update = engine_update, .profile = engine_profile, .identity = identity,
    .layer = layer,
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
