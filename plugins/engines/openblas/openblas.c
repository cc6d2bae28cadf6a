/* The engine `openblas`: float32 on the CPU over OpenBLAS's matrix products; the reference for other engines. */
#include "../common/api.h"

#include "backend.h"

static int32_t score(char *why, size_t size)
{
    struct blas blas;

    if (blas_open(&blas, why, size) != BIOFT_OK)
        return 0;
    return blas.slow ? 5 : 10;
}

static bioft_status create(void *self, const bioft_host *host)
{
    return cpu_engine_open(self, &openblas_backend, host);
}

static void destroy(void *self) { cpu_engine_close(self); }

static bioft_status identity(void *self, char *ret, size_t size, int32_t *ret_threads_matter)
{
    const struct openblas *o = self;
    const struct winograd_kernels *k = o->winograd ? winograd_kernels_for(0) : NULL;

    snprintf(ret, size, "%s %s%s%s", o->engine.blas.version, o->engine.blas.kernels, k ? ", " : "", k ? k->title : "");
    *ret_threads_matter = 0;
    return BIOFT_OK;
}

static const bioft_option options[] = {
    { .name = "winograd",
      .type = BIOFT_BOOL,
      .offset = offsetof(struct openblas, winograd),
      .def = 0,
      .help = "convolutions of 3x3 with stride 1 by minimal filtering (Lavin and Gray 2016): faster, with other bits "
              "than the plain sum's" },
};

static const bioft_engine engine = { ENGINE_CALLS, .score = score, .identity = identity };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ENGINE, "openblas", "1.1", "bioft", "MIT"),
    .summary = "float32 on the CPU over OpenBLAS; the same bits for any number of threads",
    .reference = "",
    .instance_size = sizeof(struct openblas),
    BIOFT_OPTIONS(options),
    .create = create,
    .destroy = destroy,
    .vtable = &engine,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
