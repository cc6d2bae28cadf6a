/* The engine `onednn`: oneDNN's convolutions in float32 or bfloat16, and OpenBLAS's matrix products. */
#include "../common/api.h"

#include "backend.h"

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
    return 20;
}

static bioft_status create(void *self, const bioft_host *host)
{
    struct engine *e = self;
    const char *problem;
    bioft_status st = cpu_engine_open(e, &onednn_backend, host);

    if (st != BIOFT_OK)
        return st;
    e->own = library_open(parallel_threads(&e->parallel), &problem);
    if (!e->own) {
        cpu_engine_close(e);
        return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "oneDNN does not start: %s", problem);
    }
    return BIOFT_OK;
}

static void destroy(void *self)
{
    struct engine *e = self;

    library_close(e->own);
    cpu_engine_close(e);
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

static const bioft_engine engine = { ENGINE_CALLS, .score = score, .identity = identity };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ENGINE, "onednn", "1.1", "bioft", "MIT"),
    .summary = "float32 and bfloat16 on the CPU over oneDNN: fused layers; bits depend on the number of threads",
    .reference = "",
    .instance_size = sizeof(struct engine),
    .create = create,
    .destroy = destroy,
    .vtable = &engine,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
