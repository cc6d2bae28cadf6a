/* Attacks that do what the contract lets them, each in a way whose counts are known.
 *   probe_ball     one step of epsilon along the gradient's sign in a norm of its choice, on every second image of a batch
 *                  alone, with what it does told; hides: it returns clean images whatever it found; ends: what no plugin may do
 *   probe_nearest  along the gradient's sign at the clean image, the shortest of a hundred steps that fools the network */
#include <bioft/attack_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 256 };

typedef struct {
    int32_t norm, hides, ends;
    int64_t traces;
    const bioft_host *host;
} probe;

static const char *const norms[] = { "linf", "l2", "l1", "l0", NULL };
static const char *const ends[] = { "no", "exit", "_exit", "never", NULL };
static const bioft_option options[] = {
    { .name = "ends",
      .type = BIOFT_CHOICE,
      .offset = offsetof(probe, ends),
      .def = 0,
      .choices = ends,
      .help = "the process" },
    { .name = "norm",
      .type = BIOFT_CHOICE,
      .offset = offsetof(probe, norm),
      .def = 0,
      .choices = norms,
      .help = "of the ball" },
    { .name = "hides",
      .type = BIOFT_BOOL,
      .offset = offsetof(probe, hides),
      .def = 0,
      .help = "clean images are returned" },
    { .name = "traces",
      .type = BIOFT_I64,
      .offset = offsetof(probe, traces),
      .def = 20,
      .min = 0,
      .max = 1000,
      .help = "iterations told" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    ((probe *)self)->host = host;
    return BIOFT_OK;
}

static bioft_status ball(void *self, uint32_t *ret_norm)
{
    *ret_norm = BIOFT_LINF + (uint32_t)((probe *)self)->norm;
    return BIOFT_OK;
}

static bioft_status rooms(const probe *p, const bioft_victim *v, float **x, float **objective)
{
    void *work[3], *room;
    bioft_status st = bioft_gradient_scratch(p->host, v, work);
    if (st == BIOFT_OK)
        st = p->host->scratch(p->host, "probe.x", sizeof(float) * v->max_batch * v->channels * v->height * v->width,
                              &room);
    if (st == BIOFT_OK)
        *x = room;
    if (st == BIOFT_OK)
        st = p->host->scratch(p->host, "probe.objective", sizeof(float) * v->max_batch, &room);
    if (st == BIOFT_OK)
        *objective = room;
    return st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    float *x, *objective;
    if (!BIOFT_HAS(v, bioft_victim, credit) || v->max_batch > MOST)
        return ((probe *)self)->host->fail(((probe *)self)->host, BIOFT_ERR_UNSUPPORTED, "a host of ABI 0.2 is needed");
    return rooms(self, v, &x, &objective);
}

/* A step of size epsilon in the norm. */
static void step(const probe *p, const bioft_victim *v, const float *g, double epsilon, float *x)
{
    const size_t places = (size_t)v->height * v->width, pixels = places * v->channels;
    const float by = p->norm == 0   ? (float)epsilon
                     : p->norm == 1 ? (float)(epsilon / sqrt((double)pixels))
                                    : (float)(epsilon / (double)pixels);
    for (size_t k = 0; k < pixels; k++) {
        const float way = (float)((g[k] > 0.0f) - (g[k] < 0.0f));
        if (p->norm == 3) {
            if (k % places < (size_t)epsilon)
                x[k] = x[k] < 0.5f ? 1.0f : 0.0f;
            continue;
        }
        x[k] += by * way;
        x[k] = x[k] < 0.0f ? 0.0f : x[k] > 1.0f ? 1.0f : x[k];
    }
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const probe *p = self;
    const size_t pixels = (size_t)v->channels * v->height * v->width;
    uint32_t image[MOST], n = 0;
    int32_t label[MOST];
    float *x, *objective, *g;
    bioft_status st = rooms(p, v, &x, &objective);
    if (st != BIOFT_OK)
        return st;
    if (p->ends == 1)
        exit(0);
    if (p->ends == 2)
        _exit(0);
    if (p->ends == 3)
        fputs("never\n", stderr);
    while (p->ends == 3)
        pause();
    for (uint32_t i = 0; i < clean->n; i += 2) {
        memcpy(x + n * pixels, clean->x + i * pixels, pixels * sizeof *x);
        label[n] = clean->label[i];
        image[n++] = i;
    }
    bioft_batch part = *clean;
    part.n = n;
    part.label = label;
    part.target = NULL;
    st = v->subset(v, n, image);
    if (st == BIOFT_OK)
        st = bioft_input_gradient(p->host, v, &part, x, &g);
    for (uint32_t i = 0; st == BIOFT_OK && i < n; i++)
        step(p, v, g + i * pixels, epsilon, x + i * pixels);
    for (int64_t t = 0; st == BIOFT_OK && t < p->traces; t++) {
        for (uint32_t i = 0; i < n; i++) /* of every other one it rises to the end */
            objective[i] = i % 2 ? (float)t : 1.0f;
        st = v->trace(v, (uint64_t)t, n, image, x, objective);
    }
    if (st == BIOFT_OK)
        st = v->credit(v, n, image, "first_half");
    for (uint32_t i = 0; st == BIOFT_OK && i < n && !p->hides; i++)
        memcpy(ret_x + image[i] * pixels, x + i * pixels, pixels * sizeof *x);
    return st;
}

static bioft_status seek(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const probe *p = self;
    const size_t pixels = (size_t)v->channels * v->height * v->width;
    float *x, *objective, *g, out[MOST * 16];
    int32_t done[MOST] = { 0 };
    bioft_status st = rooms(p, v, &x, &objective);
    if (st == BIOFT_OK && (!isinf(epsilon) || v->outputs > 16))
        return p->host->fail(p->host, BIOFT_ERR_INVALID, "epsilon is not INFINITY");
    if (st == BIOFT_OK)
        st = bioft_input_gradient(p->host, v, clean, clean->x, &g);
    for (int t = 0; st == BIOFT_OK && t <= 100; t++) {
        memcpy(x, clean->x, clean->n * pixels * sizeof *x);
        for (uint32_t i = 0; i < clean->n; i++)
            step(p, v, g + i * pixels, 0.01 * t, x + i * pixels);
        st = v->forward(v, clean->n, x, out);
        for (uint32_t i = 0; st == BIOFT_OK && i < clean->n; i++) {
            uint32_t best = 0;
            for (uint32_t c = 1; c < v->outputs; c++)
                best = out[i * v->outputs + c] > out[i * v->outputs + best] ? c : best;
            if (done[i] || (int32_t)best == clean->label[i])
                continue;
            done[i] = 1;
            memcpy(ret_x + i * pixels, x + i * pixels, pixels * sizeof *x);
        }
    }
    return st;
}

static const bioft_attack attacks[2] = {
    { .struct_size = sizeof *attacks,
      .norm = BIOFT_LINF,
      .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES,
      .prepare = prepare,
      .run = run,
      .ball = ball },
    { .struct_size = sizeof *attacks,
      .norm = BIOFT_LINF,
      .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_MINIMUM,
      .prepare = prepare,
      .run = seek,
      .ball = ball },
};
static const bioft_plugin plugins[2] = {
    { .magic = BIOFT_MAGIC,
      .struct_size = sizeof *plugins,
      .abi_version = BIOFT_ABI_VERSION,
      .kind = BIOFT_KIND_ATTACK,
      .name = "probe_ball",
      .version = "1",
      .author = "bioft",
      .license = "MIT",
      .summary = "a step, told",
      .reference = "",
      .instance_size = sizeof(probe),
      .options = options,
      .option_count = 4,
      .option_size = sizeof *options,
      .create = create,
      .vtable = &attacks[0] },
    { .magic = BIOFT_MAGIC,
      .struct_size = sizeof *plugins,
      .abi_version = BIOFT_ABI_VERSION,
      .kind = BIOFT_KIND_ATTACK,
      .name = "probe_nearest",
      .version = "1",
      .author = "bioft",
      .license = "MIT",
      .summary = "a line",
      .reference = "",
      .instance_size = sizeof(probe),
      .options = options,
      .option_count = 4,
      .option_size = sizeof *options,
      .create = create,
      .vtable = &attacks[1] },
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index < 2 ? &plugins[index] : NULL; }
