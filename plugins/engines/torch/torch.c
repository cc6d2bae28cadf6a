/* The engine `torch`: libtorch's operators on a CPU or a GPU, through its stable C interface. */
#include "find.h"
#include "gpu.h"
#include "layer.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>

enum { CPU_ONLY = 1, BEST = 40 }; /* scores: `openblas` has 10, `onednn` 20 */

/* Opening the library takes a second or two, so it is not opened here: its file is read, and the GPU's driver asked. */
static int32_t score(char *why, size_t size)
{
    struct found *found = calloc(1, sizeof *found);
    const char *driver;
    char library_why[400], gpu_why[128];
    bool good;
    int gpus, ret;

    if (!found) {
        snprintf(why, size, "out of memory");
        return 0;
    }
    good = library_find(NULL, found, library_why, sizeof library_why);
    gpus = gpu_count(&driver, gpu_why, sizeof gpu_why);
    if (!good && gpus > 0) {
        snprintf(why, size, "a GPU is here, and no libtorch for it: pip install torch (%s)", library_why);
        ret = -BEST;
    } else if (!good) {
        snprintf(why, size, "%s", library_why);
        ret = 0;
    } else if (gpus > 0 && found->cuda) {
        snprintf(why, size, "libtorch %s, %d GPU%s (%s)", found->version, gpus, gpus == 1 ? "" : "s", driver);
        ret = BEST;
    } else if (gpus > 0) {
        snprintf(why, size,
                 "libtorch %s was built without CUDA: pip install torch for the GPU that is here; on the CPU "
                 "it runs where it is named",
                 found->version);
        ret = CPU_ONLY;
    } else {
        snprintf(why, size, "libtorch %s, %s: on the CPU, where it is named", found->version, gpu_why);
        ret = CPU_ONLY;
    }
    free(found);
    return ret;
}

static bioft_status create(void *self, const bioft_host *host)
{
    struct torch *t = self;

    t->host = host;
    return torch_open(t);
}

static void destroy(void *self) { torch_close(self); }

/* "torch.handles/1": a size_t, the tensor handles that this instance holds now; for tests. */
static const void *extension(void *self, const char *id)
{
    const struct torch *t = self;

    return strcmp(id, "torch.handles/1") == 0 ? &t->live : NULL;
}

static bioft_status identity(void *self, char *ret, size_t size, int32_t *ret_threads_matter)
{
    struct torch *t = self;
    const bool tf32 = t->options.precision == PRECISION_TF32 && !t->on_host;
    char device[96];

    torch_describe(t, device, sizeof device);
    snprintf(ret, size, "libtorch %s on %s%s%s", t->version, device,
             t->options.precision == PRECISION_BF16 ? ", bf16"
             : tf32                                 ? ", tf32"
             : t->on_host                           ? ""
                                                    : ", f32",
             t->on_host || t->options.deterministic ? "" : ", sums in any order");
    *ret_threads_matter = t->on_host;
    return BIOFT_OK;
}

static bioft_status not_entered(struct torch *t) { return torch_failed(t, "the device"); }

static bioft_status supports(void *self, const bioft_graph *graph, const bioft_use *use, char *why, size_t size)
{
    struct network n;
    bioft_status st;

    why[0] = '\0';
    st = network_copy(graph, &n, why, size);
    if (st == BIOFT_OK) {
        st = program_check(self, &n, use, why, size);
        network_free(&n);
    }
    return st == BIOFT_OK ? BIOFT_OK : BIOFT_ERR_UNSUPPORTED;
}

/* A call of the contract, between torch_enter() and torch_leave(). */
#define ENTERED(t, call) \
    struct torch *const entered = (t); \
    bioft_status st; \
    if (!torch_enter(entered)) \
        return not_entered(entered); \
    st = (call); \
    torch_leave(entered); \
    return st

static bioft_status create_model(void *self, const bioft_graph *graph, void **ret_model)
{
    struct model *m = NULL;
    struct torch *t = self;
    bioft_status st;

    if (!torch_enter(t))
        return not_entered(t);
    st = model_create(t, graph, &m);
    torch_leave(t);
    if (st == BIOFT_OK)
        *ret_model = m;
    return st;
}

static void destroy_model(void *self, void *model)
{
    torch_enter(self);
    model_destroy(model);
    torch_leave(self);
}

static bioft_status read_array(void *self, void *model, uint32_t what, uint32_t parameter, float *ret, size_t count)
{
    ENTERED(self, model_read(model, what, parameter, ret, count));
}

static bioft_status write_array(void *self, void *model, uint32_t what, uint32_t parameter, const float *values,
                                size_t count)
{
    ENTERED(self, model_write(model, what, parameter, values, count));
}

static bioft_status set_feedback(void *self, void *model, uint32_t layer, const bioft_feedback *feedback, uint64_t draw)
{
    ENTERED(self, feedback_set(model, layer, feedback, draw));
}

static bioft_status create_program(void *self, void *model, const bioft_use *use, const bioft_route *routes,
                                   void **ret_program)
{
    struct program *p = NULL;
    struct torch *t = self;
    bioft_status st;

    if (!torch_enter(t))
        return not_entered(t);
    st = program_create(model, use, routes, &p);
    torch_leave(t);
    if (st == BIOFT_OK)
        *ret_program = p;
    return st;
}

static void destroy_program(void *self, void *program)
{
    torch_enter(self);
    program_destroy(program);
    torch_leave(self);
}

static uint64_t program_bytes(void *self, const void *program)
{
    (void)self;
    return ((const struct program *)program)->bytes;
}

static bioft_status forward(void *self, void *program, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out)
{
    ENTERED(self, program_forward(program, n, x, dropout_key, ret_out));
}

static bioft_status backward(void *self, void *program, const float *d_out, uint32_t flags, float *ret_dx,
                             const bioft_hooks *hooks)
{
    ENTERED(self, program_backward(program, d_out, flags, ret_dx, hooks));
}

static bioft_status update(void *self, void *model, const bioft_update *u, const bioft_hooks *hooks,
                           uint32_t *ret_first_nonfinite)
{
    ENTERED(self, model_update(model, u, hooks, ret_first_nonfinite));
}

static bioft_status profile(void *self, void *program, char *ret_json, size_t size)
{
    ENTERED(self, program_profile(program, ret_json, size));
}

static bioft_status layer(void *self, const bioft_layer *l, uint32_t phase, uint32_t n, const float *a, const float *b,
                          float *ret)
{
    ENTERED(self, layer_run(self, l, phase, n, a, b, ret));
}

static const bioft_engine engine = {
    .struct_size = sizeof engine,
    .draft = BIOFT_ENGINE_DRAFT,
    .score = score,
    .supports = supports,
    .model_create = create_model,
    .model_destroy = destroy_model,
    .read = read_array,
    .write = write_array,
    .set_feedback = set_feedback,
    .program_create = create_program,
    .program_destroy = destroy_program,
    .program_bytes = program_bytes,
    .forward = forward,
    .backward = backward,
    .update = update,
    .profile = profile,
    .identity = identity,
    .layer = layer,
};

static const char *const precisions[] = { "f32", "tf32", "bf16", NULL };
static const char *const places[] = { "auto", "host", "device", NULL };
static const bioft_option options[] = {
    { .name = "library",
      .type = BIOFT_PATH,
      .offset = offsetof(struct torch, options.library),
      .help = "folder of libtorch, 2.10 or newer; none: BIOFT_TORCH_LIBRARY, then Python's site-packages" },
    { .name = "device",
      .type = BIOFT_STRING,
      .offset = offsetof(struct torch, options.device),
      .def_string = "auto",
      .help = "auto (a GPU that is free, else the CPU), cpu, cuda, cuda:N, xpu or mps" },
    { .name = "precision",
      .type = BIOFT_CHOICE,
      .offset = offsetof(struct torch, options.precision),
      .choices = precisions,
      .help =
          "f32; tf32: a GPU rounds the factors of float32 products to 10 bits; bf16: as the manifest's own precision" },
    { .name = "deterministic",
      .type = BIOFT_BOOL,
      .offset = offsetof(struct torch, options.deterministic),
      .def = 1,
      .help = "convolutions on a GPU add up in the same order each time" },
    { .name = "draws",
      .type = BIOFT_CHOICE,
      .offset = offsetof(struct torch, options.draws),
      .choices = places,
      .help =
          "where random feedback and dropout's masks are drawn, with the same numbers; auto: on the GPU where there is one" },
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ENGINE, "torch", "1.0", "bioft", "MIT"),
    .summary = "GPUs and CPUs over libtorch, which is installed by itself: pip install torch",
    .reference = "",
    .instance_size = sizeof(struct torch),
    BIOFT_OPTIONS(options),
    .create = create,
    .destroy = destroy,
    .extension = extension,
    .vtable = &engine,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
