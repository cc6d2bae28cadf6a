/* Linear layers, and the head: the last one, as wide as the task wants instead of as published. */
#include "graph/builder.h"

/* Appends a linear layer of `out` features in place of the p->out that its parameters say. */
static bioft_tensor append_linear(struct call *c, const bioft_linear *p, uint32_t out, uint32_t flags)
{
    const struct first_values first = { p->init, p->init_std };
    bioft_layer l = { .kind = BIOFT_LAYER_LINEAR, .groups = 1 };
    bioft_node n;

    if (p->out == 0 || p->no_bias > 1 || p->reserved != 0)
        return builder_fail(c->b, BIOFT_ERR_INVALID,
                            "%s: %u outputs, no_bias %u: one output at least, no_bias 0 or 1, "
                            "reserved 0",
                            c->label, p->out, p->no_bias);
    if (c->in.height != 1 || c->in.width != 1)
        return builder_fail(c->b, BIOFT_ERR_INVALID, "%s: a linear layer on a %ux%ux%u image: flatten it first",
                            c->label, c->in.channels, c->in.height, c->in.width);
    if (!params_check_first(c, first))
        return 0;
    n = call_node(c, BIOFT_OP_LINEAR, (struct shape){ out, 1, 1 });
    for (int i = 0; i < 2; i++)
        n.kernel[i] = n.stride[i] = n.dilation[i] = 1;
    n.groups = 1;
    return params_add_layer(c, &n, &l, 2, !p->no_bias, first, flags) ? call_append(c, &n) : 0;
}

static bioft_tensor linear(const bioft_builder *api, const char *name, bioft_tensor x, const bioft_linear *theirs)
{
    struct call c;
    bioft_linear p;

    if (!call_begin_named(&c, api, "linear", name, x) || !call_adopt(&c, &p, sizeof p, theirs))
        return 0;
    return append_linear(&c, &p, p.out, 0);
}

static bioft_tensor head(const bioft_builder *api, const char *name, bioft_tensor x, const bioft_linear *theirs)
{
    struct builder *b = api->ctx;
    struct graph *g = b->graph;
    struct call c;
    bioft_linear p;
    uint32_t wanted = b->params->head_outputs;
    bioft_tensor ret;

    if (!call_begin_named(&c, api, "head", name, x) || !call_adopt(&c, &p, sizeof p, theirs))
        return 0;
    ret = append_linear(&c, &p, wanted ? wanted : p.out, BIOFT_PARAM_HEAD);
    if (ret == 0)
        return 0;
    b->has_head = true;
    g->head_published = p.out;
    g->view.outputs = g->nodes[ret - 1].channels;
    g->head = arena_text(g->arena, c.name);
    return g->head ? ret : builder_fail(b, BIOFT_ERR_MEMORY, "%s: out of memory", c.label);
}

void head_set(bioft_builder *api)
{
    api->linear = linear;
    api->head = head;
}
