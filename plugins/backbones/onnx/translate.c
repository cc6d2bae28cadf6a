/* The way through a graph: which nodes the output needs, where the head is, each node in turn, the notes. */
#include "translate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 4, RANK = 4 };

bool refuse(struct translation *t, const onnx_node *n, bioft_status status, const char *format, ...)
{
    char text[FAULT_TEXT], name[SHOWN], op[SHOWN];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fault_set(t->fault, status, "%s: node '%s' (%s): %s", t->m->path,
              shown(name, n->name && *n->name ? n->name
                          : n->n_output       ? n->output[0]
                                              : ""),
              shown(op, n->op_type), text);
    return false;
}

uint32_t input_at(const struct translation *t, const onnx_node *n, size_t k)
{
    return k < n->n_input && *n->input[k] ? model_find(t->m, n->input[k]) : NOWHERE;
}

/* Operators that compute value by value, whatever place the channels have. */
static bool any_layout(const char *op)
{
    static const char *const list[] = { "Relu",     "Tanh",    "Sigmoid", "HardSwish", "HardSigmoid", "Gelu", "Clip",
                                        "Identity", "Dropout", "Add",     "Sum",       "Mul",         "Div" };

    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(op, list[i]) == 0)
            return true;
    return false;
}

const struct value *input_value(struct translation *t, const onnx_node *n, size_t k, enum form form)
{
    static const char *const words[] = { "a constant", "an image", "flat", "a computed shape" };
    const uint32_t at = input_at(t, n, k);
    const struct value *x = at == NOWHERE ? NULL : &t->values[at];
    char name[SHOWN];

    if (!x)
        refuse(t, n, BIOFT_ERR_FORMAT, "input %zu is left out", k);
    else if (x->form != form || form == FORM_NONE || form == FORM_SHAPE)
        refuse(t, n, BIOFT_ERR_UNSUPPORTED, "its input '%s' is %s, and has to be %s", shown(name, n->input[k]),
               words[x->form],
               form == FORM_FLAT ? "flat, [batch][features]" : "an image, [batch][channels][height][width]");
    else if (x->last && !any_layout(n->op_type))
        refuse(t, n, BIOFT_ERR_UNSUPPORTED, "its input '%s' has the channels last; export with channels first",
               shown(name, n->input[k]));
    else if (x->padding[0] + x->padding[1] + x->padding[2] + x->padding[3] > 0 && strcmp(n->op_type, "Conv") != 0)
        refuse(t, n, BIOFT_ERR_UNSUPPORTED, "its input '%s' is padded; only a convolution behind a Pad is read",
               shown(name, n->input[k]));
    else
        return x;
    return NULL;
}

bool is_constant(struct translation *t, const char *name, struct constant *ret)
{
    return constant_find(t->m, name, ret, t->fault);
}

bool input_constant(struct translation *t, const onnx_node *n, size_t k, const char *what, struct constant *ret)
{
    char name[SHOWN];

    if (k < n->n_input && is_constant(t, n->input[k], ret))
        return true;
    return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "%s, '%s', is not a constant of the file", what,
                  shown(name, k < n->n_input ? n->input[k] : ""));
}

bool output_set(struct translation *t, const onnx_node *n, struct value v)
{
    const uint32_t at = n->n_output > 0 && *n->output[0] ? model_find(t->m, n->output[0]) : NOWHERE;

    if (at == NOWHERE)
        return refuse(t, n, BIOFT_ERR_FORMAT, "it has no output");
    if (strcmp(n->op_type, "Pad") != 0)
        memset(v.padding, 0, sizeof v.padding);
    t->values[at] = v;
    return true;
}

const onnx_node *follower(const struct translation *t, const onnx_node *n, const char *op)
{
    const uint32_t at = n->n_output > 0 && *n->output[0] ? model_find(t->m, n->output[0]) : NOWHERE;
    const onnx_node *next;

    if (at == NOWHERE || t->uses[at] != 1 || t->user[at] == NOWHERE)
        return NULL;
    next = t->m->graph->node[t->user[at]];
    return strcmp(next->op_type, op) == 0 ? next : NULL;
}

void follower_done(struct translation *t, const onnx_node *n)
{
    const uint32_t at = n->n_output > 0 ? model_find(t->m, n->output[0]) : NOWHERE;

    if (at != NOWHERE && t->m->names[at].node != NOWHERE)
        t->done[t->m->names[at].node] = true;
}

bool whole_list(struct translation *t, const onnx_node *n, const char *name, uint32_t count, uint32_t usual,
                uint32_t least, uint32_t *ret)
{
    const Onnx__AttributeProto *a = attribute(n, name);

    if (a && a->n_ints != count)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "%zu values of %s; an image's has %u", a->n_ints, name, count);
    for (uint32_t i = 0; i < count; i++) {
        if (a && (a->ints[i] < (int64_t)least || a->ints[i] > INT16_MAX))
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "%s has %lld; %u to %d", name, (long long)a->ints[i], least,
                          INT16_MAX);
        ret[i] = a ? (uint32_t)a->ints[i] : usual;
    }
    return true;
}

bool known_attributes(struct translation *t, const onnx_node *n, const char *const *list)
{
    char name[SHOWN];

    for (size_t i = 0; i < n->n_attribute; i++) {
        const char *has = n->attribute[i]->name ? n->attribute[i]->name : "";
        size_t k = 0;
        while (list[k] && strcmp(list[k], has) != 0)
            k++;
        if (!list[k])
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "bioft does not have its attribute '%s'", shown(name, has));
    }
    return true;
}

static const onnx_node *producer(const struct translation *t, uint32_t at)
{
    return at == NOWHERE || t->m->names[at].node == NOWHERE ? NULL : t->m->graph->node[t->m->names[at].node];
}

static bool is_op(const onnx_node *n, const char *const *list)
{
    for (size_t i = 0; n && list[i]; i++)
        if (strcmp(n->op_type, list[i]) == 0)
            return true;
    return false;
}

/* Back over what stands behind the head and is no part of a network of logits. */
static uint32_t before_softmax(struct translation *t, uint32_t at, bool shapes_too)
{
    static const char *const ends[] = { "Softmax", "LogSoftmax", "Sigmoid", NULL };
    static const char *const moves[] = { "Identity", "Flatten", "Reshape", "Squeeze", NULL };

    for (;;) {
        const onnx_node *n = producer(t, at);
        const bool end = is_op(n, ends);
        if ((!end && !(shapes_too && is_op(n, moves))) || n->n_input == 0 || !*n->input[0])
            return at;
        if (end)
            snprintf(t->dropped, sizeof t->dropped, "%s", n->op_type);
        at = model_find(t->m, n->input[0]);
    }
}

/* The layer whose output is the tensor, perhaps with a bias added to it. */
static const onnx_node *find_head(struct translation *t, uint32_t at)
{
    static const char *const layers[] = { "Gemm", "MatMul", "Conv", NULL };
    const onnx_node *last = producer(t, at), *n = last;
    struct constant c;

    for (size_t k = 0; last && strcmp(last->op_type, "Add") == 0 && last->n_input == 2 && k < 2; k++)
        if (is_constant(t, last->input[k], &c))
            n = producer(t, input_at(t, last, 1 - k));
    if (n && is_op(n, layers))
        return n;
    if (last)
        refuse(t, last, BIOFT_ERR_UNSUPPORTED,
               "the network ends here, and the task's head takes the place of a linear layer; "
               "`head: added` puts one behind it, `output: NAME` ends the network before it");
    else
        fault_set(t->fault, BIOFT_ERR_UNSUPPORTED, "%s: its output is its input or a constant", t->m->path);
    return NULL;
}

static bool find_output(struct translation *t, uint32_t *ret)
{
    const Onnx__GraphProto *g = t->m->graph;
    const char *name = t->request->output;
    char a[SHOWN];

    if (!name && (g->n_output == 0 || !g->output[0]->name))
        return fault_set(t->fault, BIOFT_ERR_FORMAT, "%s: the graph has no output", t->m->path) == BIOFT_OK;
    name = name ? name : g->output[0]->name;
    *ret = model_find(t->m, name);
    if (*ret == NOWHERE)
        fault_set(t->fault, BIOFT_ERR_INVALID, "%s: no tensor is called '%s', which is to be the output", t->m->path,
                  shown(a, name));
    return *ret != NOWHERE;
}

/* Which nodes the tensor needs, and how often each tensor is used by them. */
static void mark_needed(struct translation *t, uint32_t at)
{
    const Onnx__GraphProto *g = t->m->graph;

    for (size_t i = 0; i < t->m->name_count; i++)
        t->user[i] = NOWHERE;
    t->uses[at]++;
    for (size_t i = g->n_node; i-- > 0;) {
        const onnx_node *n = g->node[i];
        for (size_t k = 0; k < n->n_output && !t->needed[i]; k++)
            t->needed[i] = *n->output[k] && t->uses[model_find(t->m, n->output[k])] > 0;
        for (size_t k = 0; t->needed[i] && k < n->n_input; k++) {
            const uint32_t in = input_at(t, n, k);
            if (in == NOWHERE)
                continue;
            t->uses[in]++;
            t->user[in] = (uint32_t)i;
        }
    }
}

static int64_t dimension(const struct model *m, size_t i)
{
    const Onnx__TensorShapeProto *s = m->input_type ? m->input_type->shape : NULL;
    return s && i < s->n_dim && s->dim[i]->has_dim_value ? s->dim[i]->dim_value : 0;
}

static uint32_t side(struct translation *t, size_t i)
{
    const int64_t has = dimension(t->m, i);
    const int64_t v = has > 0 ? has : t->request->size;

    if (v > 0 && v <= INT16_MAX)
        return (uint32_t)v;
    fault_set(t->fault, BIOFT_ERR_INVALID,
              "%s: its input is %lldx%lldx%lldx%lld (0: not given), and a side is 1 to %d; "
              "`size: SIDE` gives what the file does not",
              t->m->path, (long long)dimension(t->m, 0), (long long)dimension(t->m, 1), (long long)dimension(t->m, 2),
              (long long)dimension(t->m, 3), INT16_MAX);
    return 0;
}

static bool is_channels(int64_t v) { return v >= 1 && v <= CHANNELS; }

static float of_list(const bioft_list *l, size_t channel, float usual)
{
    return l->count == 0 ? usual : (float)((const double *)l->items)[l->count == 1 ? 0 : channel];
}

static bool normalise(struct translation *t, uint32_t channels)
{
    const bioft_list *mean = &t->request->mean, *std = &t->request->std;
    float m[CHANNELS], s[CHANNELS];

    if ((mean->count > 1 && mean->count != channels) || (std->count > 1 && std->count != channels))
        return fault_set(t->fault, BIOFT_ERR_INVALID, "mean and std have one value, or one for each of %u channels",
                         channels) == BIOFT_OK;
    for (uint32_t i = 0; i < channels; i++) {
        m[i] = of_list(mean, i, 0.0f);
        s[i] = of_list(std, i, 1.0f);
    }
    return t->b->normalise(t->b, m, s, channels) == BIOFT_OK;
}

/* Networks of Caffe and the first of Keras take blue, green, red. */
static bioft_tensor reversed(struct translation *t, bioft_tensor x, uint32_t channels)
{
    bioft_tensor ret = bioft_slice(t->b, x, 1, channels - 1, channels);

    for (uint32_t i = channels - 1; i-- > 0;)
        ret = bioft_concat(t->b, ret, bioft_slice(t->b, x, 1, i, i + 1));
    return ret;
}

static bool make_input(struct translation *t)
{
    const Onnx__TensorShapeProto *s = t->m->input_type ? t->m->input_type->shape : NULL;
    struct value v = { .form = FORM_IMAGE };
    uint32_t height, width;

    if (!s || s->n_dim != RANK || (!is_channels(dimension(t->m, 1)) && !is_channels(dimension(t->m, 3))))
        return fault_set(t->fault, BIOFT_ERR_UNSUPPORTED,
                         "%s: its input is not an image of 1 to %d channels, "
                         "[batch][channels][height][width] or [batch][height][width][channels]",
                         t->m->path, CHANNELS) == BIOFT_OK;
    v.last = !is_channels(dimension(t->m, 1));
    v.channels = (uint32_t)dimension(t->m, v.last ? 3 : 1);
    height = side(t, v.last ? 1 : 2);
    width = side(t, v.last ? 2 : 3);
    if (height == 0 || width == 0)
        return false;
    v.x = t->b->input(t->b, v.channels, height, width);
    if (!v.x || !normalise(t, v.channels))
        return false;
    if (t->request->order == ORDER_BGR && v.channels > 1)
        v.x = reversed(t, v.x, v.channels);
    t->values[t->m->input] = v;
    return v.x != 0;
}

static bool make_nodes(struct translation *t, const onnx_node *head)
{
    const Onnx__GraphProto *g = t->m->graph;
    struct constant c;

    for (size_t i = 0; i < g->n_node && g->node[i] != head; i++) {
        const onnx_node *n = g->node[i];
        if (!t->needed[i] || t->done[i])
            continue;
        if (n->domain && *n->domain && strcmp(n->domain, "ai.onnx") != 0)
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "an operator of the domain '%.100s', not of ONNX", n->domain);
        if (n->n_output > 0 && *n->output[0] && is_constant(t, n->output[0], &c))
            continue;
        if (t->fault->status != BIOFT_OK || !make_node(t, n))
            return false;
    }
    return true;
}

/* A linear layer of the task's own behind the last tensor, each channel's mean where that is an image. */
static bool add_head(struct translation *t, uint32_t at)
{
    struct value v = t->values[at];
    const bioft_linear p = { .struct_size = sizeof(p), .out = 1000 };
    char name[SHOWN];

    if (v.form != FORM_IMAGE && v.form != FORM_FLAT)
        return fault_set(t->fault, BIOFT_ERR_UNSUPPORTED, "%s: the output '%s' is neither an image nor flat",
                         t->m->path, shown(name, t->m->names[at].name)) == BIOFT_OK;
    if (v.form == FORM_IMAGE)
        v.x = t->b->flatten(t->b, v.pixel ? v.x : t->b->adaptive_avgpool(t->b, v.x, 1, 1));
    return t->b->head(t->b, "head", v.x, &p) != 0;
}

__attribute__((format(printf, 2, 3))) static void note(struct translation *t, const char *format, ...)
{
    char text[FAULT_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (BIOFT_HAS(t->b, bioft_builder, note))
        t->b->note(t->b, text);
}

static void tell(struct translation *t)
{
    if (t->odd_names > 0 && t->norms == 0)
        note(
            t,
            "%u of %u convolutions have weights that the exporter computed, as '%s': it folded batch normalisation into "
            "them, and rules will see folded weights; torch.onnx.export with dynamo=False, training=TrainingMode.PRESERVE and "
            "do_constant_folding=False keeps it",
            t->odd_names, t->convs, t->odd);
    if (t->drawn > 0)
        note(t, "%u arrays have a shape and no values of their own in the file: they get random ones", t->drawn);
    if (*t->dropped)
        note(t, "the file's %s behind its last layer is left out: losses and attacks take what it takes", t->dropped);
    if (t->request->mean.count == 0 && t->request->std.count == 0)
        note(
            t,
            "the file does not say how pixels are normalised, and they enter as [0,1]; the options mean and std say it");
}

static bool build(struct translation *t)
{
    const bool added = t->request->head == HEAD_ADDED;
    const onnx_node *head = NULL;
    uint32_t at = NOWHERE;

    if (!find_output(t, &at))
        return false;
    at = before_softmax(t, at, !added);
    if (!added && !(head = find_head(t, at)))
        return false;
    mark_needed(t, at);
    if (!make_input(t) || !make_nodes(t, head))
        return false;
    if (added                                ? !add_head(t, at)
        : strcmp(head->op_type, "Conv") == 0 ? !make_head_conv(t, head)
                                             : !make_linear(t, head, true))
        return false;
    tell(t);
    return true;
}

static bool check_operators(const struct model *m, struct fault *f)
{
    char name[SHOWN];

    for (size_t i = 0; i < m->graph->n_node; i++)
        if (!m->graph->node[i]->op_type)
            return fault_set(f, BIOFT_ERR_FORMAT, "%s: node '%s' has no operator", m->path,
                             shown(name, m->graph->node[i]->name)) == BIOFT_OK;
    return true;
}

bioft_status translate(const struct model *m, const struct request *request, const bioft_builder *b, struct fault *f)
{
    struct translation t = {
        .m = m,
        .request = request,
        .b = b,
        .fault = f,
        .values = calloc(m->name_count, sizeof *t.values),
        .uses = calloc(m->name_count, sizeof *t.uses),
        .user = calloc(m->name_count, sizeof *t.user),
        .taken = calloc(m->name_count, sizeof *t.taken),
        .needed = calloc(m->graph->n_node, sizeof *t.needed),
        .done = calloc(m->graph->n_node, sizeof *t.done),
    };

    if (!t.values || !t.uses || !t.user || !t.taken || !t.needed || !t.done)
        fault_set(f, BIOFT_ERR_MEMORY, "%s: out of memory for its graph", m->path);
    else if (check_operators(m, f))
        build(&t);
    free(t.values);
    free(t.uses);
    free(t.user);
    free(t.taken);
    free(t.needed);
    free(t.done);
    return f->status;
}
