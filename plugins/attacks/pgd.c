/* PGD: steps along the sign of the gradient of the cross-entropy, each followed by the projection onto the ball and
 * [0,1] (Madry et al., ICLR 2018, equation 2; the paper's equation 5 starts at x). The last iterate is the result. */
#include <bioft/attack_util.h>

typedef struct {
    int64_t steps;
    double rel_stepsize, stepsize;
    int32_t random_start;
    const bioft_host *host;
} pgd;

static const bioft_option options[] = {
    { .name = "steps", .type = BIOFT_I64, .offset = offsetof(pgd, steps), .def = 5, .min = 1, .max = 1e6,
      .unit = "steps", .help = "gradient steps" },
    { .name = "rel_stepsize", .type = BIOFT_F64, .offset = offsetof(pgd, rel_stepsize), .def = 1.0 / 3.0,
      .min = 0.0, .max = 10.0, .unit = "epsilon", .help = "step as a part of epsilon" },
    { .name = "stepsize", .type = BIOFT_F64, .offset = offsetof(pgd, stepsize), .def = 0.0, .min = 0.0, .max = 1.0,
      .unit = "pixel range", .help = "step in pixels of [0,1]; 0: rel_stepsize times epsilon" },
    { .name = "random_start", .type = BIOFT_BOOL, .offset = offsetof(pgd, random_start), .def = 0, .unit = "",
      .help = "start at a uniform point of the ball instead of at x" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    ((pgd *)self)->host = host;
    return BIOFT_OK;
}

static bioft_status noise(const pgd *p, const bioft_victim *v, float **ret)
{
    void *u;
    bioft_status st = p->host->scratch(p->host, "noise", sizeof(float) * v->channels * v->height * v->width, &u);
    if (st == BIOFT_OK)
        *ret = u;
    return st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    void *work[3];
    float *u;
    bioft_status st = bioft_gradient_scratch(((pgd *)self)->host, v, work);
    return st == BIOFT_OK ? noise(self, v, &u) : st;
}

/* x + U(-epsilon, epsilon), clipped to [0,1]; by sample, so that the batch does not matter. */
static bioft_status start(const pgd *p, const bioft_victim *v, const bioft_batch *clean, float epsilon, float *x)
{
    const size_t pixels = (size_t)v->channels * v->height * v->width;
    float *u;
    bioft_status st = noise(p, v, &u);
    for (uint32_t i = 0; st == BIOFT_OK && i < clean->n; i++) {
        float *image = x + i * pixels;
        st = p->host->random(p->host, BIOFT_UNIFORM, "start", clean->sample[i], 0, u, pixels);
        for (size_t k = 0; st == BIOFT_OK && k < pixels; k++) {
            const float moved = image[k] + epsilon * (2.0f * u[k] - 1.0f);
            image[k] = moved < 0.0f ? 0.0f : moved > 1.0f ? 1.0f : moved;
        }
    }
    return st;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const pgd *p = self;
    const size_t count = (size_t)clean->n * v->channels * v->height * v->width;
    const double step = p->stepsize > 0.0 ? p->stepsize : p->rel_stepsize * epsilon;
    bioft_status st = p->random_start ? start(p, v, clean, (float)epsilon, ret_x) : BIOFT_OK;

    for (int64_t t = 0; st == BIOFT_OK && t < p->steps; t++) {
        float *g;
        st = bioft_input_gradient(p->host, v, clean, ret_x, &g);
        if (st == BIOFT_OK)
            bioft_linf_step(count, (float)step, (float)epsilon, clean->x, g, ret_x);
    }
    return st;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack), .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_TARGETED,
    .prepare = prepare, .run = run,
};

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof(plugin), .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_ATTACK, .name = "pgd", .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "projected gradient descent: steps along the gradient's sign, L-infinity",
    .reference = "Madry et al., ICLR 2018", .instance_size = sizeof(pgd),
    .options = options, .option_count = sizeof(options) / sizeof(*options), .option_size = sizeof(*options),
    .create = create, .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
