/* The engine `onednn`: float32 on the CPU over oneDNN's convolutions and OpenBLAS's matrix products. */
#include "../common/api.h"

#include "backend.h"
#include "../openblas/layer.h"
#include "../common/memory.h"

static int32_t score(char *why, size_t size)
{
    char text[96], blas_text[256];
    struct blas blas;

    if (!library_text(text, sizeof text)) {
        snprintf(why, size, "%s is not the version and build that this engine was made for", text);
        return 0;
    }
    if (library_block() == 1) {
        snprintf(why, size, "%s: oneDNN has no kernels for this CPU", text);
        return 0;
    }
    if (blas_open(&blas, blas_text, sizeof blas_text) != BIOFT_OK) {
        snprintf(why, size, "its linear layers need OpenBLAS: %s", blas_text);
        return 0;
    }
    snprintf(why, size, "%s; %s", text, blas_text);
    return 4;
}

static bioft_status create(void *self, const bioft_host *host)
{
    struct engine *e = self;
    const char *problem;
    char why[400];
    bioft_status st = blas_open(&e->blas, why, sizeof why);

    if (st == BIOFT_OK)
        st = blas_check(&e->blas, why, sizeof why);
    if (st != BIOFT_OK)
        return host->fail(host, st, why);
    e->host = host;
    e->backend = &onednn_backend;
    if (!parallel_init(&e->parallel, host))
        return host->fail(host, BIOFT_ERR_MEMORY, "out of memory for the engine");
    e->own = library_open(parallel_threads(&e->parallel), &problem);
    if (!e->own) {
        parallel_finish(&e->parallel);
        return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "oneDNN does not start: %s", problem);
    }
    return BIOFT_OK;
}

static void destroy(void *self)
{
    struct engine *e = self;

    library_close(e->own);
    memory_give(e->layer_work);
    parallel_finish(&e->parallel);
}

static bioft_status identity(void *self, char *ret, size_t size, int32_t *ret_threads_matter)
{
    const struct engine *e = self;
    char text[96];

    (void)library_text(text, sizeof text);
    snprintf(ret, size, "%s, %s %s", text, e->blas.version, e->blas.kernels);
    *ret_threads_matter = 1;
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
    .kind = BIOFT_KIND_ENGINE, .name = "onednn", .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "float32 on the CPU over oneDNN: blocked layouts, fused layers; bits depend on the number of threads",
    .reference = "", .instance_size = sizeof(struct engine), .create = create, .destroy = destroy,
    .option_size = sizeof(bioft_option), .vtable = &engine,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : NULL;
}
