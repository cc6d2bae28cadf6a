/* First values of parameters, as torch.nn and torchvision draw them, by the keyed generator. */
#include "base/random.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

static void fill(float *ret, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = value;
}

/* U(-bound, bound), bound = 1/sqrt(fan_in). */
static bioft_status draw_uniform(const struct initial *initial, uint64_t seed, const char *stream, size_t count,
                                 float *ret)
{
    const double bound = 1 / sqrt((double)initial->fan_in);
    bioft_status status = random_fill(BIOFT_UNIFORM, seed, stream, 0, 0, ret, count);

    for (size_t i = 0; status == BIOFT_OK && i < count; i++)
        ret[i] = (float)((2.0 * ret[i] - 1) * bound);
    return status;
}

static bioft_status draw_normal(double deviation, uint64_t seed, const char *stream, size_t count, float *ret)
{
    bioft_status status = random_fill(BIOFT_NORMAL, seed, stream, 0, 0, ret, count);

    for (size_t i = 0; status == BIOFT_OK && i < count; i++)
        ret[i] = (float)(deviation * ret[i]);
    return status;
}

static bioft_status draw(const struct initial *initial, uint64_t seed, const char *stream, size_t count, float *ret)
{
    switch (initial->init) {
    case BIOFT_INIT_TORCH: return draw_uniform(initial, seed, stream, count, ret);
    case BIOFT_INIT_KAIMING_NORMAL_FAN_OUT:
        return draw_normal(sqrt(2 / (double)initial->fan_out), seed, stream, count, ret);
    case BIOFT_INIT_NORMAL: return draw_normal(initial->std, seed, stream, count, ret);
    default: return BIOFT_ERR_UNSUPPORTED;
    }
}

bioft_status graph_initialise(const struct graph *g, uint32_t parameter, uint64_t seed, const char *stage, float *ret)
{
    const bioft_parameter *p;
    struct initial initial;
    struct text stream = { 0 };
    bioft_status status;

    if (parameter >= g->view.parameter_count || (stage && !(g->parameters[parameter].flags & BIOFT_PARAM_HEAD)))
        return BIOFT_ERR_INVALID;
    p = &g->parameters[parameter];
    initial = g->initial[parameter];
    if (stage) { /* a new head begins as torch's linear layer, not as the published one did */
        initial.given = NULL;
        initial.drawn = true;
        initial.init = BIOFT_INIT_TORCH;
    }
    if (initial.given) {
        memcpy(ret, initial.given, p->count * sizeof *ret);
        return BIOFT_OK;
    }
    if (!initial.drawn) {
        fill(ret, p->count, initial.constant);
        return BIOFT_OK;
    }
    if (stage)
        text_printf(&stream, "head/%s/%s", stage, p->name);
    else
        text_printf(&stream, "init/%s", p->name);
    status = stream.failed ? BIOFT_ERR_MEMORY : draw(&initial, seed, stream.data, p->count, ret);
    text_free(&stream);
    return status;
}
