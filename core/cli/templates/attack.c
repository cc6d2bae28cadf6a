/* @NAME@: an attack on classifiers. It gets a victim, a batch of pixels in [0,1] and epsilon, and writes images inside
 * the ball of its norm. This one takes one step along the sign of the gradient. */
#include <bioft/attack_util.h>

/* The instance: the host writes the options and its own address into it. */
typedef struct {
    double step;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "step",
      .type = BIOFT_F64,
      .offset = offsetof(state, step),
      .def = 1.0,
      .min = 0.0,
      .max = 10.0,
      .unit = "epsilon",
      .help = "length of the step as a part of epsilon" },
};

/* Once per victim: take the work space here, for run() may allocate nothing. */
static bioft_status prepare(void *self, const bioft_victim *v)
{
    void *work[3];
    return bioft_gradient_scratch(((state *)self)->host, v, work);
}

/* ret_x begins as a copy of clean->x. */
static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *p = self;
    const size_t count = (size_t)clean->n * v->channels * v->height * v->width;
    float *gradient;
    bioft_status status = bioft_input_gradient(p->host, v, clean, ret_x, &gradient);
    if (status == BIOFT_OK)
        bioft_linf_step(count, (float)(p->step * epsilon), (float)epsilon, clean->x, gradient, ret_x);
    return status;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES,
    .prepare = prepare,
    .run = run,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "@NAME@", "0.1", "you", "MIT"),
    .summary = "one step along the gradient's sign",
    .reference = "the paper it implements",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
