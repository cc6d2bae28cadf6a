/* Parameters: torchvision's names and shapes, layer by layer, and the values that come with a
 * graph. */
#include "graph/builder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool params_check_first(struct call *c, struct first_values first)
{
    if (first.init > BIOFT_INIT_NORMAL)
        builder_fail(c->b, BIOFT_ERR_UNSUPPORTED, "%s: init %u is unknown", c->label, first.init);
    else if (first.init == BIOFT_INIT_NORMAL && !(isfinite(first.std) && first.std > 0))
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: init NORMAL needs an init_std above 0, not %g", c->label,
                     (double)first.std);
    else if (first.init != BIOFT_INIT_NORMAL && first.std != 0)
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: init_std is for init NORMAL", c->label);
    else
        return true;
    return false;
}

uint32_t params_add(struct call *c, const char *last, const bioft_parameter *p, const struct initial *initial)
{
    struct builder *b = c->b;
    struct graph *g = b->graph;
    size_t index = g->view.parameter_count, bytes;
    bioft_parameter new = *p;

    new.struct_size = sizeof new;
    new.count = 1;
    for (uint32_t i = 0; i < p->dims; i++)
        if (!mem_product(new.count, (size_t)p->shape[i], &new.count) ||
            !mem_product(new.count, sizeof(float), &bytes) || bytes > PTRDIFF_MAX) {
            builder_fail(b, BIOFT_ERR_UNSUPPORTED, "%s: its %s does not fit into memory", c->label,
                         last ? last : "array");
            return BIOFT_NONE;
        }
    new.name = last ? arena_printf(g->arena, "%s.%s", c->name, last) : c->name;
    if (!new.name || !builder_take(b, new.name) ||
        !mem_grow(&g->parameters, &b->parameter_capacity, index + 1, sizeof *g->parameters) ||
        !mem_grow(&g->initial, &b->initial_capacity, index + 1, sizeof *g->initial)) {
        builder_fail(b, BIOFT_ERR_MEMORY, "%s: out of memory", c->label);
        return BIOFT_NONE;
    }
    g->parameters[index] = new;
    g->initial[index] = *initial;
    g->view.parameter_count++;
    return (uint32_t)index;
}

/* What a layer's struct takes from its node and the tensor before it. */
static void describe(const struct call *c, const bioft_node *n, uint32_t index, bioft_layer *l)
{
    l->struct_size = sizeof *l;
    l->index = index;
    l->name = c->name;
    l->out_channels = n->channels;
    l->in_channels = c->in.channels;
    l->in_h = c->in.height;
    l->in_w = c->in.width;
    l->out_h = n->height;
    l->out_w = n->width;
    memcpy(l->kernel, n->kernel, sizeof l->kernel);
    memcpy(l->stride, n->stride, sizeof l->stride);
    memcpy(l->dilation, n->dilation, sizeof l->dilation);
    memcpy(l->padding, n->padding, sizeof l->padding);
}

bool params_add_layer(struct call *c, bioft_node *n, bioft_layer *l, uint32_t dims, bool has_bias,
                      struct first_values first, uint32_t flags)
{
    struct builder *b = c->b;
    struct graph *g = b->graph;
    const uint32_t index = g->view.layer_count;
    bioft_parameter weight = {
        .kind = BIOFT_PARAM_WEIGHT,
        .flags = flags,
        .layer = index,
        .dims = dims,
        .shape = { n->channels, c->in.channels / l->groups, n->kernel[0], n->kernel[1] },
    };
    bioft_parameter bias = {
        .kind = BIOFT_PARAM_BIAS,
        .flags = flags,
        .layer = index,
        .dims = 1,
        .shape = { n->channels },
    };
    struct initial initial = { .drawn = true, .init = first.init, .std = first.std };
    size_t window;

    if (dims == 2)
        weight.shape[2] = weight.shape[3] = 0;
    describe(c, n, index, l);
    if (!mem_product(l->kernel[0], l->kernel[1], &window) ||
        !mem_product(c->in.channels / l->groups, window, &l->fan_in) ||
        !mem_product(n->channels, window, &l->fan_out)) {
        builder_fail(b, BIOFT_ERR_UNSUPPORTED, "%s: its weight does not fit into memory", c->label);
        return false;
    }
    initial.fan_in = l->fan_in;
    initial.fan_out = l->fan_out;
    n->layer = index;
    n->weight = params_add(c, "weight", &weight, &initial);
    if (n->weight == BIOFT_NONE)
        return false;
    l->count = g->parameters[n->weight].count;
    initial.drawn = first.init == BIOFT_INIT_TORCH; /* the other inits begin with a bias of 0 */
    if (has_bias && (n->bias = params_add(c, "bias", &bias, &initial)) == BIOFT_NONE)
        return false;
    if (!mem_grow(&g->layers, &b->layer_capacity, (size_t)index + 1, sizeof *g->layers)) {
        builder_fail(b, BIOFT_ERR_MEMORY, "%s: out of memory", c->label);
        return false;
    }
    g->layers[index] = *l;
    g->view.layer_count++;
    return true;
}

bool params_add_norm(struct call *c, bioft_node *n)
{
    struct builder *b = c->b;
    struct graph *g = b->graph;
    const struct {
        const char *last;
        uint32_t kind;
        float first;
        uint32_t *index;
    } each[] = {
        { "weight", BIOFT_PARAM_GAMMA, 1, &n->weight },
        { "bias", BIOFT_PARAM_BETA, 0, &n->bias },
        { "running_mean", BIOFT_PARAM_RUNNING, 0, &n->running_mean },
        { "running_var", BIOFT_PARAM_RUNNING, 1, &n->running_var },
    };

    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        const bioft_parameter p = {
            .kind = each[i].kind,
            .layer = BIOFT_NONE,
            .dims = 1,
            .shape = { n->channels },
        };
        *each[i].index = params_add(c, each[i].last, &p, &(struct initial){ .constant = each[i].first });
        if (*each[i].index == BIOFT_NONE)
            return false;
    }
    if (!mem_grow(&g->counters, &b->counter_capacity, g->counter_count + 1, sizeof *g->counters) ||
        !(g->counters[g->counter_count] = arena_printf(g->arena, "%s.num_batches_tracked", c->name))) {
        builder_fail(b, BIOFT_ERR_MEMORY, "%s: out of memory", c->label);
        return false;
    }
    g->counter_count++;
    return true;
}

static bioft_status weights(const bioft_builder *api, const char *name, const float *values, size_t count)
{
    struct builder *b = api->ctx;
    struct graph *g = b->graph;
    const bioft_parameter *p;
    char shown[TEXT_ESCAPED] = "";
    uint32_t index;
    float *copy;
    bool replaced;

    if (b->error.status != BIOFT_OK)
        return b->error.status;
    index = name ? graph_parameter(g, name) : BIOFT_NONE;
    if (index == BIOFT_NONE || !values) {
        builder_fail(b, BIOFT_ERR_INVALID, "weights: %s '%s'", values ? "no parameter is called" : "NULL for",
                     name ? text_escape(shown, name, strlen(name)) : "");
        return b->error.status;
    }
    p = &g->parameters[index];
    replaced = (p->flags & BIOFT_PARAM_HEAD) && p->shape[0] != g->head_published;
    if (count != (replaced ? p->count / (size_t)p->shape[0] * g->head_published : p->count)) {
        builder_fail(b, BIOFT_ERR_INVALID, "weights: %zu values for '%s', which has %zu", count, name, p->count);
        return b->error.status;
    }
    g->head_brought = g->head_brought || p->flags & BIOFT_PARAM_HEAD;
    if (replaced || b->shapes_only) /* another head: the published one's values have no place */
        return BIOFT_OK;
    copy = arena_array(g->arena, count, sizeof *copy);
    if (!copy) {
        builder_fail(b, BIOFT_ERR_MEMORY, "weights: out of memory for '%s'", name);
        return b->error.status;
    }
    memcpy(copy, values, count * sizeof *copy);
    g->initial[index].given = copy;
    return BIOFT_OK;
}

/* Is there a parameter of that name, or of that and a dot? */
static bool is_taken(const struct graph *g, const char *name)
{
    const size_t length = strlen(name);

    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        const char *taken = g->parameters[i].name;
        if (strncmp(taken, name, length) == 0 && (taken[length] == '\0' || taken[length] == '.'))
            return true;
    }
    return false;
}

static bioft_status other_name(const bioft_builder *api, const char *name, const char *other)
{
    struct builder *b = api->ctx;
    struct graph *g = b->graph;
    const char **pair;

    if (b->error.status != BIOFT_OK)
        return b->error.status;
    if (!name || !other || *other == '\0' || strlen(other) > BUILDER_NAME || !is_taken(g, name)) {
        builder_fail(b, BIOFT_ERR_INVALID, "other_name: of a layer or array that is there, 1 to %d characters",
                     BUILDER_NAME);
        return b->error.status;
    }
    if (!mem_grow(&g->other_names, &b->other_name_capacity, 2 * (g->other_name_count + 1), sizeof *g->other_names))
        goto memory;
    pair = &g->other_names[2 * g->other_name_count];
    pair[0] = arena_text(g->arena, name);
    pair[1] = arena_text(g->arena, other);
    if (!pair[0] || !pair[1])
        goto memory;
    g->other_name_count++;
    return BIOFT_OK;

memory:
    builder_fail(b, BIOFT_ERR_MEMORY, "other_name: out of memory");
    return b->error.status;
}

/* Without control characters, of at most NOTE of them. */
static bioft_status note(const bioft_builder *api, const char *text)
{
    enum { NOTE = 1000, NOTES = 100 };
    struct builder *b = api->ctx;
    struct graph *g = b->graph;
    size_t length = 0;

    if (b->error.status != BIOFT_OK)
        return b->error.status;
    while (text && length <= NOTE && (unsigned char)text[length] >= ' ' && text[length] != 0x7f)
        length++;
    if (!text || length == 0 || length > NOTE || text[length] != '\0' || g->note_count == NOTES)
        builder_fail(b, BIOFT_ERR_INVALID, "note: at most %d, of 1 to %d printable characters", NOTES, NOTE);
    else if (!mem_grow(&g->notes, &b->note_capacity, g->note_count + 1, sizeof *g->notes) ||
             !(g->notes[g->note_count] = arena_text(g->arena, text)))
        builder_fail(b, BIOFT_ERR_MEMORY, "note: out of memory");
    else
        g->note_count++;
    return b->error.status;
}

void params_set(bioft_builder *api)
{
    api->note = note;
    api->weights = weights;
    api->other_name = other_name;
}
