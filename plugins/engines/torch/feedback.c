/* Feedback weights: V = s * M o g(W), made on the device when they are needed. */
#include "model.h"
#include "../common/requests.h"

#include "random.h"

#include <math.h>
#include <string.h>

static struct parameter *weight_of(struct model *m, uint32_t layer)
{
    return &m->parameters[m->network.nodes[m->network.layer_node[layer]].weight];
}

bioft_status feedback_set(struct model *m, uint32_t layer, const bioft_feedback *feedback, uint64_t draw)
{
    bioft_feedback d;
    struct feedback *f;
    bioft_status st;

    st = request_feedback(m->t->host, &m->network, layer, feedback, &d);
    if (st != BIOFT_OK)
        return st;
    f = &m->feedback[layer];
    if (d.g == BIOFT_G_IDENTITY && d.m == BIOFT_M_ONES && d.scale == BIOFT_SCALE_NONE) {
        f->source = FEEDBACK_WEIGHTS;
        return BIOFT_OK;
    }
    if (f->source != FEEDBACK_DECLARED || draw != f->draw || memcmp(&d, &f->declared, sizeof d) != 0) {
        f->v_made = false;
        tensor_drop(m->t, &f->m);
    }
    f->source = FEEDBACK_DECLARED;
    f->declared = d;
    f->draw = draw;
    return BIOFT_OK;
}

bool feedback_write(struct model *m, uint32_t layer, const float *v)
{
    struct feedback *f = &m->feedback[layer];
    const struct parameter *w = weight_of(m, layer);

    tensor_drop(m->t, &f->v); /* it may be shared with m */
    f->v = tensor_empty(m->t, &w->shape, m->t->float32);
    if (!f->v || !tensor_write(m->t, f->v, &w->plain, v))
        return false;
    f->revision++;
    f->source = FEEDBACK_WRITTEN;
    return true;
}

/* M as rule.h has it, in W's layout. */
static tensor draw(struct model *m, uint32_t layer)
{
    const bioft_feedback *d = &m->feedback[layer].declared;
    const struct parameter *w = weight_of(m, layer);
    struct draw what = { .kind = d->m == BIOFT_M_UNIFORM ? BIOFT_UNIFORM : BIOFT_NORMAL,
                         .key = m->feedback[layer].draw,
                         .low = d->low,
                         .factor = d->m == BIOFT_M_UNIFORM ? d->high - d->low : d->high,
                         .host = m->host[0] };
    tensor ret = tensor_empty(m->t, &w->shape, m->t->float32), positive;

    snprintf(what.stream, sizeof what.stream, "feedback/%s", m->network.layers[layer].name);
    if (ret && !random_draw(m->t, &what, &w->plain, ret))
        tensor_drop(m->t, &ret);
    if (!ret || d->m != BIOFT_M_ABS_NORMAL)
        return ret;
    positive = call_simple(m->t, "aten::abs", ret);
    tensor_drop(m->t, &ret);
    return positive;
}

static double scale_of(const bioft_feedback *d, const bioft_layer *l)
{
    switch (d->scale) {
    case BIOFT_SCALE_XAVIER: return sqrt(2.0 / ((double)l->fan_in + (double)l->fan_out));
    case BIOFT_SCALE_KAIMING: return 1.0 / sqrt(3.0 * (double)l->fan_in);
    case BIOFT_SCALE_CONSTANT: return (double)d->constant;
    default: return 1;
    }
}

/* The sum of squares in float64, on the device. */
static tensor squares(struct torch *t, tensor x)
{
    tensor product = call_two(t, "aten::mul", "Tensor", x, x), ret;
    struct call c = call_begin(t, "aten::sum", "");

    if (!product)
        return NULL;
    call_give(&c, product);
    call_some_integer(&c, t->float64);
    ret = call_one(&c);
    return ret;
}

/* |W| / |V| on the device; 0 where nothing is sent back: there nothing can match. */
static tensor matching_scale(struct torch *t, tensor w, tensor v)
{
    tensor a = squares(t, w), b = squares(t, v), ratio = NULL, root = NULL, some = NULL, chosen = NULL, ret = NULL;
    struct call where = call_begin(t, "aten::where", "self");
    const struct shape s = shape_number();

    if (a && b)
        ratio = call_two(t, "aten::div", "Tensor", a, b);
    if (ratio)
        root = call_simple(t, "aten::sqrt", ratio);
    if (root)
        some = call_two(t, "aten::gt", "Tensor", b, t->zero);
    if (some) {
        call_tensor(&where, some);
        call_tensor(&where, root);
        call_tensor(&where, t->zero);
        chosen = call_one(&where);
    }
    if (chosen)
        ret = tensor_empty(t, &s, t->float32);
    if (ret && !tensor_copy(t, ret, chosen))
        tensor_drop(t, &ret);
    tensor *const all[] = { &a, &b, &ratio, &root, &some, &chosen };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_drop(t, all[i]);
    return ret;
}

/* x times a number on the device or the host; x is given back. */
static tensor scaled(struct torch *t, tensor x, tensor by)
{
    tensor ret = x && by ? call_two(t, "aten::mul", "Tensor", x, by) : NULL;

    tensor_drop(t, &x);
    return ret;
}

/* g(W); a new handle. */
static tensor base_of(struct model *m, const bioft_feedback *d, tensor w)
{
    if (d->g == BIOFT_G_SIGN)
        return call_simple(m->t, "aten::sign", w);
    return tensor_same(m->t, w);
}

static bool make(struct model *m, uint32_t layer)
{
    struct feedback *f = &m->feedback[layer];
    struct torch *t = m->t;
    const bioft_feedback *d = &f->declared;
    const struct parameter *w = weight_of(m, layer);
    const bool stays = d->m != BIOFT_M_ONES && d->redraw == BIOFT_REDRAW_NEVER && feedback_follows_weights(d);
    const double number = scale_of(d, &m->network.layers[layer]);
    tensor magnitude = NULL, v = NULL, scale = NULL;

    if (d->m != BIOFT_M_ONES) {
        magnitude = f->m ? tensor_same(t, f->m) : draw(m, layer);
        if (!magnitude)
            return false;
        if (stays && !f->m && !(f->m = tensor_same(t, magnitude)))
            return false;
    }
    if (d->g != BIOFT_G_ONE) {
        v = base_of(m, d, w->value);
        if (v && magnitude)
            v = scaled(t, v, magnitude);
        tensor_drop(t, &magnitude);
    } else if (magnitude) {
        v = magnitude;
    } else {
        const struct shape s = w->shape;
        tensor one = tensor_number(t, 1);
        v = one ? tensor_empty(t, &s, t->float32) : NULL;
        if (v && !tensor_copy(t, v, one))
            tensor_drop(t, &v);
        tensor_drop(t, &one);
    }
    if (v && d->scale == BIOFT_SCALE_MATCH_NORM)
        scale = matching_scale(t, w->value, v);
    else if (v && d->scale != BIOFT_SCALE_NONE)
        scale = tensor_number(t, number);
    if (v && d->scale != BIOFT_SCALE_NONE)
        v = scaled(t, v, scale);
    tensor_drop(t, &scale);
    if (!v)
        return false;
    tensor_drop(t, &f->v);
    f->v = v;
    f->v_made = true;
    f->revision++;
    f->version = w->version;
    return true;
}

static tensor narrowed(struct model *m, uint32_t layer)
{
    struct feedback *f = &m->feedback[layer];

    if (f->narrow && f->narrow_revision == f->revision)
        return f->narrow;
    if (!f->narrow)
        f->narrow = tensor_empty(m->t, &weight_of(m, layer)->shape, m->t->bfloat16);
    if (!f->narrow || !tensor_copy(m->t, f->narrow, f->v))
        return NULL;
    f->narrow_revision = f->revision;
    return f->narrow;
}

tensor feedback_get(struct model *m, uint32_t layer, uint32_t precision)
{
    struct feedback *f = &m->feedback[layer];
    const uint32_t weight = m->network.nodes[m->network.layer_node[layer]].weight;

    if (f->source == FEEDBACK_WEIGHTS)
        return model_value(m, weight, precision);
    if (f->source == FEEDBACK_DECLARED &&
        (!f->v_made || (feedback_follows_weights(&f->declared) && f->version != m->parameters[weight].version)) &&
        !make(m, layer))
        return NULL;
    return precision == BIOFT_BF16 ? narrowed(m, layer) : f->v;
}

void feedback_free(struct model *m, struct feedback *f)
{
    tensor_drop(m->t, &f->v);
    tensor_drop(m->t, &f->m);
    tensor_drop(m->t, &f->narrow);
    *f = (struct feedback){ .v = NULL };
}
