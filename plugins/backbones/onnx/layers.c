/* Nodes with weights: convolutions, linear layers, batch normalisation, factors and terms by channel. */
#include "translate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool layer_name(struct translation *t, const onnx_node *n, const char *array, bool again, char ret[LAYER_NAME])
{
    static const char weight[] = ".weight";
    const uint32_t at = model_find(t->m, array);
    const char *of = array;
    size_t length = strlen(array);
    char name[SHOWN];

    if (at != NOWHERE && t->taken[at]) {
        if (!again || !n->name || !*n->name)
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED,
                          "'%s' is the weight of another node too; layers do not share weights", shown(name, array));
        of = n->name;
        length = strlen(of);
    } else if (length >= sizeof weight && strcmp(array + length - (sizeof weight - 1), weight) == 0) {
        length -= sizeof weight - 1;
    }
    if (length == 0 || length >= LAYER_NAME)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "the name of its weight has %zu characters: 1 to %d", length,
                      LAYER_NAME - 1);
    for (size_t i = 0; i < length; i++)
        ret[i] = of[i] > ' ' && of[i] <= '~' ? of[i] : '_';
    ret[length] = '\0';
    if (at != NOWHERE)
        t->taken[at] = true;
    return true;
}

/* Columns that the file has as [position][channel] come as [channel][position]. */
static size_t column_of(const struct layout *l, size_t column)
{
    const size_t positions = l->order ? l->columns / l->order : 0;

    return l->order ? column % positions * l->order + column / positions : column;
}

static void lay_out(const struct layout *l, const float *from, float *to)
{
    for (size_t r = 0; r < l->rows; r++)
        for (size_t c = 0; c < l->columns; c++) {
            const size_t at = column_of(l, c);
            to[r * l->columns + c] = from[l->transposed ? at * l->rows + r : r * l->columns + at];
        }
}

bool give(struct translation *t, const onnx_node *n, const char *layer, const char *last, const char *array,
          const struct constant *c, const struct layout *layout)
{
    const bool twice = layout && (layout->transposed || layout->order);
    char name[LAYER_NAME + 32], seen[SHOWN];
    float *values, *laid = NULL;
    bool ok = false;

    if (c->filled || t->request->values == VALUES_RANDOM || c->count == 0) {
        t->drawn += t->request->values == VALUES_FILE;
        return true;
    }
    values = malloc(c->count * sizeof *values);
    if (twice)
        laid = malloc(c->count * sizeof *laid);
    if (!values || (twice && !laid)) {
        refuse(t, n, BIOFT_ERR_MEMORY, "out of memory for '%s'", shown(seen, array));
        goto out;
    }
    if (constant_floats(t->m, array, c, values, t->fault) != BIOFT_OK)
        goto out;
    for (size_t i = 0; i < c->count; i++)
        if (!isfinite(values[i]) || (strcmp(last, "running_var") == 0 && values[i] < 0.0f)) {
            refuse(t, n, BIOFT_ERR_INVALID, "value %zu of '%s' is %g", i, shown(seen, array), (double)values[i]);
            goto out;
        }
    if (twice)
        lay_out(layout, values, laid);
    snprintf(name, sizeof name, *last ? "%s.%s" : "%s", layer, last);
    ok = t->b->weights(t->b, name, laid ? laid : values, c->count) == BIOFT_OK;
out:
    free(values);
    free(laid);
    return ok;
}

/* Names that exporters give to what they computed of a convolution and its batchnorm. */
static void watch_name(struct translation *t, const char *array)
{
    t->convs++;
    if (strncmp(array, "onnx::", 6) == 0 && t->odd_names++ == 0)
        shown(t->odd, array);
}

/* The bias that an Add behind the node brings, where it is the only use: its array's name, or NULL. *last is moved on to
 * the Add then. */
static const char *bias_behind(struct translation *t, const onnx_node *n, size_t channels, struct constant *ret,
                               const onnx_node **last)
{
    const onnx_node *add = follower(t, n, "Add");

    if (!add || add->n_input != 2)
        return NULL;
    for (size_t k = 0; k < 2; k++)
        if (is_constant(t, add->input[k], ret) && ret->count == channels) {
            follower_done(t, add);
            *last = add;
            return add->input[k];
        }
    return NULL;
}

struct conv {
    struct constant w, bias;
    const char *bias_name; /* NULL: none */
    const onnx_node *last; /* whose output it computes */
    bioft_conv2d p;
};

static bool read_padding(struct translation *t, const onnx_node *n, const struct value *x, bioft_conv2d *p)
{
    char text[SHOWN];
    const char *automatic = attribute_text(n, "auto_pad", text);

    if (strcmp(automatic, "SAME_UPPER") == 0) {
        p->same = 1;
        return true;
    }
    if (*automatic && strcmp(automatic, "NOTSET") != 0 && strcmp(automatic, "VALID") != 0)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "auto_pad '%s'; there is SAME_UPPER, VALID and explicit pads",
                      automatic);
    if (strcmp(automatic, "VALID") != 0 && !whole_list(t, n, "pads", 4, 0, 0, p->padding))
        return false;
    for (int i = 0; i < 4; i++)
        p->padding[i] += x->padding[i];
    return true;
}

static bool read_conv(struct translation *t, const onnx_node *n, const struct value *x, struct conv *c)
{
    static const char *const attrs[] = { "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides", NULL };
    const int64_t group = attribute_int(n, "group", 1);
    uint32_t kernel[2];

    *c = (struct conv){ .last = n, .p = { .struct_size = sizeof(bioft_conv2d) } };
    if (!known_attributes(t, n, attrs) || !input_constant(t, n, 1, "its weight", &c->w))
        return false;
    if (c->w.rank != 4)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a weight of %u dimensions; convolutions have two of space, so four",
                      c->w.rank);
    if (group < 1 || c->w.count == 0 || c->w.dims[1] * group != (int64_t)x->channels || c->w.dims[0] % group != 0)
        return refuse(t, n, BIOFT_ERR_FORMAT, "a weight of %lldx%lldx%lldx%lld in %lld groups does not fit %u channels",
                      (long long)c->w.dims[0], (long long)c->w.dims[1], (long long)c->w.dims[2],
                      (long long)c->w.dims[3], (long long)group, x->channels);
    c->p.out = (uint32_t)c->w.dims[0];
    c->p.groups = (uint32_t)group;
    for (int i = 0; i < 2; i++)
        c->p.kernel[i] = (uint32_t)c->w.dims[2 + i];
    if (attribute(n, "kernel_shape") && (!whole_list(t, n, "kernel_shape", 2, 1, 1, kernel) ||
                                         kernel[0] != c->p.kernel[0] || kernel[1] != c->p.kernel[1]))
        return refuse(t, n, BIOFT_ERR_FORMAT, "its kernel_shape is not that of its weight");
    if (!whole_list(t, n, "strides", 2, 1, 1, c->p.stride) || !whole_list(t, n, "dilations", 2, 1, 1, c->p.dilation) ||
        !read_padding(t, n, x, &c->p))
        return false;
    if (n->n_input > 2 && *n->input[2]) {
        if (!input_constant(t, n, 2, "its bias", &c->bias))
            return false;
        c->bias_name = n->input[2];
        if (c->bias.count != c->p.out)
            return refuse(t, n, BIOFT_ERR_FORMAT, "a bias of %zu values for %u channels", c->bias.count, c->p.out);
    } else {
        c->bias_name = bias_behind(t, n, c->p.out, &c->bias, &c->last);
    }
    c->p.no_bias = !c->bias_name;
    return true;
}

bool make_conv(struct translation *t, const onnx_node *n)
{
    const struct value *x = input_value(t, n, 0, FORM_IMAGE);
    struct conv c;
    char name[LAYER_NAME];
    struct value out;

    if (!x || !read_conv(t, n, x, &c) || !layer_name(t, n, n->input[1], false, name))
        return false;
    out = (struct value){ .form = FORM_IMAGE,
                          .channels = c.p.out,
                          .pixel = x->pixel && c.w.dims[2] * c.w.dims[3] == 1,
                          .x = t->b->conv2d(t->b, name, x->x, &c.p) };
    watch_name(t, n->input[1]);
    return out.x && give(t, n, name, "weight", n->input[1], &c.w, NULL) &&
           (!c.bias_name || give(t, n, name, "bias", c.bias_name, &c.bias, NULL)) && output_set(t, c.last, out);
}

/* A 1x1 convolution of a 1x1 image, which is a linear layer. */
bool make_head_conv(struct translation *t, const onnx_node *n)
{
    const struct value *x = input_value(t, n, 0, FORM_IMAGE);
    struct conv c;
    char name[LAYER_NAME];

    if (!x || !read_conv(t, n, x, &c) || !layer_name(t, n, n->input[1], false, name))
        return false;
    if (!x->pixel || c.p.groups != 1 || c.w.dims[2] != 1 || c.w.dims[3] != 1 || c.p.same ||
        c.p.padding[0] + c.p.padding[1] + c.p.padding[2] + c.p.padding[3] != 0)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED,
                      "the network ends in a convolution of an image, and the task's head is a "
                      "linear layer; `head: added` puts one behind it, `output: NAME` ends the network before it");
    const bioft_linear p = { .struct_size = sizeof(p), .out = c.p.out, .no_bias = c.p.no_bias };
    return t->b->head(t->b, name, t->b->flatten(t->b, x->x), &p) &&
           give(t, n, name, "weight", n->input[1], &c.w, NULL) &&
           (!c.bias_name || give(t, n, name, "bias", c.bias_name, &c.bias, NULL));
}

struct linear {
    struct constant w, bias;
    const char *bias_name;
    const onnx_node *last;
    struct layout layout;
};

static bool read_gemm(struct translation *t, const onnx_node *n, struct linear *l)
{
    static const char *const attrs[] = { "alpha", "beta", "transA", "transB", "broadcast", NULL };

    if (!known_attributes(t, n, attrs))
        return false;
    if (fabs(attribute_float(n, "alpha", 1) - 1) > 0 || attribute_int(n, "transA", 0) != 0 ||
        (n->n_input > 2 && fabs(attribute_float(n, "beta", 1) - 1) > 0))
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "alpha %g, beta %g, transA %lld; a linear layer has 1, 1, 0",
                      attribute_float(n, "alpha", 1), attribute_float(n, "beta", 1),
                      (long long)attribute_int(n, "transA", 0));
    l->layout.transposed = attribute_int(n, "transB", 0) == 0;
    if (n->n_input > 2 && *n->input[2]) {
        l->bias_name = n->input[2];
        return input_constant(t, n, 2, "its bias", &l->bias);
    }
    return true;
}

static bool read_linear(struct translation *t, const onnx_node *n, const struct value *x, struct linear *l)
{
    const bool gemm = strcmp(n->op_type, "Gemm") == 0;

    *l = (struct linear){ .last = n, .layout = { .transposed = true, .order = x->order } };
    if (!input_constant(t, n, 1, "its weight", &l->w) || (gemm && !read_gemm(t, n, l)))
        return false;
    if (l->w.rank != 2 || l->w.count == 0)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a weight of %u dimensions and %zu values; a linear layer's has two",
                      l->w.rank, l->w.count);
    l->layout.rows = (size_t)l->w.dims[l->layout.transposed];
    l->layout.columns = (size_t)l->w.dims[!l->layout.transposed];
    if (x->order && l->layout.columns % x->order != 0)
        return refuse(t, n, BIOFT_ERR_FORMAT, "%zu inputs are no whole positions of %u channels", l->layout.columns,
                      x->order);
    if (!l->bias_name)
        l->bias_name = bias_behind(t, n, l->layout.rows, &l->bias, &l->last);
    if (l->bias_name && l->bias.count != l->layout.rows)
        return refuse(t, n, BIOFT_ERR_FORMAT, "a bias of %zu values for %zu outputs", l->bias.count, l->layout.rows);
    return true;
}

bool make_linear(struct translation *t, const onnx_node *n, bool is_head)
{
    const struct value *x = input_value(t, n, 0, FORM_FLAT);
    struct linear l;
    char name[LAYER_NAME];

    if (!x || !read_linear(t, n, x, &l) || !layer_name(t, n, n->input[1], false, name))
        return false;
    if (x->channels && x->channels != l.layout.columns)
        return refuse(t, n, BIOFT_ERR_FORMAT, "a weight of %zu inputs behind %u channels", l.layout.columns,
                      x->channels);
    const bioft_linear p = { .struct_size = sizeof(p), .out = (uint32_t)l.layout.rows, .no_bias = !l.bias_name };
    const struct value out = { .form = FORM_FLAT,
                               .channels = p.out,
                               .x = (is_head ? t->b->head : t->b->linear)(t->b, name, x->x, &p) };
    return out.x && give(t, n, name, "weight", n->input[1], &l.w, &l.layout) &&
           (!l.bias_name || give(t, n, name, "bias", l.bias_name, &l.bias, NULL)) &&
           (is_head || output_set(t, l.last, out));
}

/* The input of a node of two that is constant and has `count` values, or of 2 none. */
static size_t constant_side(struct translation *t, const onnx_node *n, size_t count, struct constant *ret)
{
    for (size_t k = 0; n && n->n_input == 2 && k < 2; k++)
        if (is_constant(t, n->input[k], ret) && ret->count == count)
            return k;
    return 2;
}

/* The factor and the term by channel that old exporters write behind a batchnorm: NULL nodes where there are none. */
struct behind {
    const onnx_node *mul, *add;
    const char *factor_name, *term_name;
    struct constant factor, term;
};

static struct behind find_behind(struct translation *t, const onnx_node *n, size_t channels)
{
    struct behind s = { .mul = follower(t, n, "Mul") };
    size_t f, k;

    s.add = s.mul ? follower(t, s.mul, "Add") : NULL;
    f = constant_side(t, s.mul, channels, &s.factor);
    k = constant_side(t, s.add, channels, &s.term);
    if (f == 2 || k == 2)
        return (struct behind){ 0 };
    s.factor_name = s.mul->input[f];
    s.term_name = s.add->input[k];
    follower_done(t, s.mul);
    follower_done(t, s.add);
    return s;
}

/* gamma and beta of the norm with what is behind it: [channels] each. */
static bool fold(struct translation *t, const onnx_node *n, const struct constant *gamma, const struct constant *beta,
                 const struct behind *s, float *values)
{
    const size_t channels = gamma->count;
    float *g = values, *b = values + channels, *m = b + channels, *a = m + channels;

    if (constant_floats(t->m, n->input[1], gamma, g, t->fault) != BIOFT_OK ||
        constant_floats(t->m, n->input[2], beta, b, t->fault) != BIOFT_OK ||
        constant_floats(t->m, s->factor_name, &s->factor, m, t->fault) != BIOFT_OK ||
        constant_floats(t->m, s->term_name, &s->term, a, t->fault) != BIOFT_OK)
        return false;
    for (size_t i = 0; i < channels; i++) {
        g[i] *= m[i];
        b[i] = b[i] * m[i] + a[i];
        if (!isfinite(g[i]) || !isfinite(b[i]))
            return refuse(t, n, BIOFT_ERR_INVALID, "its factor or term of channel %zu is not finite", i);
    }
    return true;
}

static bool give_folded(struct translation *t, const onnx_node *n, const char *layer, const struct constant *gamma,
                        const struct constant *beta, const struct behind *s)
{
    const size_t channels = gamma->count;
    char name[LAYER_NAME + 32];
    float *values;
    bool ok;

    if (t->request->values == VALUES_RANDOM || gamma->filled || beta->filled || s->factor.filled || s->term.filled) {
        t->drawn += t->request->values == VALUES_FILE;
        return true;
    }
    values = malloc(4 * channels * sizeof *values);
    if (!values)
        return refuse(t, n, BIOFT_ERR_MEMORY, "out of memory for %zu channels", channels);
    ok = fold(t, n, gamma, beta, s, values);
    snprintf(name, sizeof name, "%s.weight", layer);
    ok = ok && t->b->weights(t->b, name, values, channels) == BIOFT_OK;
    snprintf(name, sizeof name, "%s.bias", layer);
    ok = ok && t->b->weights(t->b, name, values + channels, channels) == BIOFT_OK;
    free(values);
    return ok;
}

static bool read_norm(struct translation *t, const onnx_node *n, size_t channels, struct constant c[4], bioft_norm *ret)
{
    static const char *const what[] = { "its scale", "its term", "its mean", "its variance" };
    static const char *const attrs[] = { "epsilon", "momentum",        "spatial", "training_mode",
                                         "is_test", "consumed_inputs", NULL };
    const double eps = attribute_float(n, "epsilon", 1e-5), momentum = 1 - attribute_float(n, "momentum", 0.9);

    if (!known_attributes(t, n, attrs))
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (!input_constant(t, n, i + 1, what[i], &c[i]))
            return false;
        if (c[i].count != channels)
            return refuse(t, n, BIOFT_ERR_FORMAT, "%zu values for %s of %zu channels", c[i].count, what[i], channels);
    }
    if (attribute_int(n, "spatial", 1) != 1)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "spatial 0: a batchnorm has a mean of each channel");
    if (!(eps > 0 && eps < 1) || !(momentum > 0 && momentum <= 1))
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "epsilon %g, momentum %g: above 0, and 0 or more and below 1", eps,
                      1 - momentum);
    *ret = (bioft_norm){ .struct_size = sizeof *ret, .eps = (float)eps, .momentum = (float)momentum };
    return true;
}

bool make_norm(struct translation *t, const onnx_node *n)
{
    const uint32_t at = input_at(t, n, 0);
    const struct value *x = input_value(t, n, 0,
                                        at != NOWHERE && t->values[at].form == FORM_FLAT ? FORM_FLAT : FORM_IMAGE);
    struct constant c[4], first;
    bioft_norm p;
    char name[LAYER_NAME];
    struct value out;

    if (!x || n->n_input < 5 || !input_constant(t, n, 1, "its scale", &first))
        return x && refuse(t, n, BIOFT_ERR_FORMAT, "%zu inputs: image, scale, term, mean, variance", n->n_input);
    if (!read_norm(t, n, x->channels ? x->channels : first.count, c, &p) || !layer_name(t, n, n->input[1], true, name))
        return false;
    if (x->order)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a batchnorm of a flattened image whose channels were last");
    const struct behind s = find_behind(t, n, c[0].count);
    out = *x;
    out.x = t->b->batchnorm(t->b, name, x->x, &p);
    t->norms++;
    return out.x &&
           (s.mul ? give_folded(t, n, name, &c[0], &c[1], &s)
                  : give(t, n, name, "weight", n->input[1], &c[0], NULL) &&
                        give(t, n, name, "bias", n->input[2], &c[1], NULL)) &&
           give(t, n, name, "running_mean", n->input[3], &c[2], NULL) &&
           give(t, n, name, "running_var", n->input[4], &c[3], NULL) && output_set(t, s.mul ? s.add : n, out);
}

/* By channel: [C, 1, 1] or [1, C, 1, 1] of an image, [C] or [1, C] of a flat one. */
static bool by_channel(const struct value *x, const struct constant *c)
{
    const uint32_t behind = x->form == FORM_IMAGE ? 2 : 0;

    if (c->rank < behind + 1 || c->rank > behind + 2 || c->count == 0 || x->order || x->last)
        return false;
    for (uint32_t i = 0; i < c->rank; i++)
        if (i != c->rank - 1 - behind && c->dims[i] != 1)
            return false;
    return x->channels == 0 || c->count == x->channels;
}

static bool begin_by_channel(struct translation *t, const onnx_node *n, size_t constant_input, const char *what,
                             const struct value **x, struct constant *c, char name[LAYER_NAME])
{
    const uint32_t at = input_at(t, n, 1 - constant_input);
    const enum form form = at != NOWHERE && t->values[at].form == FORM_FLAT ? FORM_FLAT : FORM_IMAGE;

    *x = input_value(t, n, 1 - constant_input, form);
    if (!*x || !input_constant(t, n, constant_input, what, c))
        return false;
    if (!by_channel(*x, c))
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED,
                      "a constant that is not one number per channel; normalisation of the "
                      "input belongs into the options mean and std");
    return layer_name(t, n, n->input[constant_input], true, name);
}

bool make_scale(struct translation *t, const onnx_node *n, size_t constant_input)
{
    const struct value *x;
    struct constant c;
    char name[LAYER_NAME];
    struct value out;

    if (!begin_by_channel(t, n, constant_input, "its factor", &x, &c, name))
        return false;
    out = *x;
    out.x = bioft_scale(t->b, name, x->x, 1.0, 1);
    return out.x && give(t, n, name, "", n->input[constant_input], &c, NULL) && output_set(t, n, out);
}

/* The builder's term is one for each position, so there is one for each channel only where there is one position. */
bool make_shift(struct translation *t, const onnx_node *n, size_t constant_input)
{
    const struct value *x;
    struct constant c;
    char name[LAYER_NAME];
    struct value out;

    if (!begin_by_channel(t, n, constant_input, "its term", &x, &c, name))
        return false;
    if (x->form == FORM_IMAGE && !x->pixel)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED,
                      "a term by channel that follows neither a layer without bias nor a "
                      "batchnorm with a factor");
    out = *x;
    out.x = bioft_positions(t->b, name, x->x, 0.0);
    return out.x && give(t, n, name, "", n->input[constant_input], &c, NULL) && output_set(t, n, out);
}
