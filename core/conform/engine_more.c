/* The test of the operators that an engine may lack: it refuses them by name, or computes what another engine does. */
#include "conform/engine.h"

#include "conform/network.h"
#include <bioft/backbone_util.h>
#include <string.h>

static bioft_tensor pixels(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t out)
{
    const bioft_conv2d c = { .struct_size = sizeof c, .out = out, .kernel = { 1, 1 } };
    return b->conv2d(b, name, x, &c);
}

static bioft_tensor gated(const bioft_builder *b, bioft_tensor x)
{
    bioft_tensor g = bioft_plain(b, "Swish", pixels(b, "squeeze", b->adaptive_avgpool(b, x, 1, 1), 3));
    return bioft_multiply(b, x, bioft_plain(b, "Sigmoid", pixels(b, "excite", g, 8)));
}

static bioft_tensor attending(const bioft_builder *b, bioft_tensor x)
{
    bioft_tensor t = bioft_positions(b, "positions", bioft_class_token(b, "token", x, 0.5), 0.5);
    bioft_tensor qkv = bioft_positions_linear(b, "qkv", bioft_layernorm(b, "norm", t, 1e-5), 24, 0.3);
    bioft_tensor y = bioft_attention(b, bioft_slice(b, qkv, 1, 0, 8), bioft_slice(b, qkv, 1, 8, 16),
                                     bioft_slice(b, qkv, 1, 16, 24), 2, 0.5);
    y = bioft_plain(b, "Gelu", bioft_positions_linear(b, "proj", y, 8, 0.3));
    return bioft_slice(b, b->add(b, t, bioft_scale(b, "factor", y, 0.7, 3)), 2, 0, 1);
}

static bioft_status build(void *self, const bioft_builder *b)
{
    const bioft_linear head = { .struct_size = sizeof head, .out = 5 };
    bioft_tensor x = b->input(b, 3, 9, 8);
    (void)self;
    x = bioft_relu6(
        b, b->conv2d(
               b, "stem", x,
               &(bioft_conv2d){
                   .struct_size = sizeof(bioft_conv2d), .out = 8, .kernel = { 3, 3 }, .stride = { 2, 2 }, .same = 1 }));
    x = b->conv2d(b, "depthwise", x,
                  &(bioft_conv2d){ .struct_size = sizeof(bioft_conv2d),
                                   .out = 8,
                                   .kernel = { 3, 3 },
                                   .padding = { 1, 1, 1, 1 },
                                   .groups = 8 });
    x = gated(b, bioft_plain(b, "HardSwish", x));
    x = pixels(b, "narrow", bioft_concat(b, x, bioft_hardsigmoid(b, pixels(b, "grow", x, 4))), 8);
    b->head(b, "head", b->flatten(b, attending(b, x)), &head);
    return BIOFT_OK;
}

static const struct plugin more_operators = {
    .descriptor = {
        BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "conformance", "1", "", ""),
        .summary = "", .reference = "",
    },
    .api.backbone = { .struct_size = sizeof(bioft_backbone), .build = build },
};

/* Is one of the graph's operators that may be lacking in the text? */
static bool is_named(const bioft_graph *g, const char *why)
{
    for (uint32_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].op > BIOFT_OP_FLATTEN && strstr(why, bioft_operator_name(g->nodes[i].op)))
            return true;
    return false;
}

/* Whether an engine runs the graph; `why` as it says. */
static bool runs(struct conform *c, const struct plugin *engine, const struct graph *g, char *why, size_t size)
{
    const bioft_use use = {
        .struct_size = sizeof use, .kind = BIOFT_TRAIN, .precision = BIOFT_F32, .max_batch = 5, .threads = 1
    };
    struct small_network n;
    bool good = false;
    if (!small_network_open_zero(c, engine, NULL, 0, &n))
        return false;
    const bioft_engine *api = &engine->api.engine;
    good = !api->supports || api->supports(n.engine->instance->self, &g->view, &use, why, size) == BIOFT_OK;
    why[size - 1] = '\0';
    small_network_close(&n);
    return good;
}

static void check(struct conform *c, const struct plugin *other, const struct graph *g)
{
    char why[512] = "";
    calling(c, "engine.h", "supports", "BIOFT_OK, or BIOFT_ERR_UNSUPPORTED and `why`, which names the operator",
            "supports(a network of the operators from clip on)");
    if (!runs(c, c->p->plugin, g, why, sizeof why)) {
        if (!is_named(&g->view, why))
            conform_find(c, "refuses and names none of the network's operators: '%s'", why);
    } else if (!runs(c, other, g, why, sizeof why)) {
        conform_skip(c, "the other engine lacks an operator: %s", why);
    } else {
        operators_beside(c, other, &more_operators);
    }
}

void test_more_operators(struct conform *c)
{
    const struct plugin *other;
    struct instance *backbone = NULL;
    struct graph *g = NULL;
    struct error err;
    if (!engine_runs_here(c, false) || !(other = operators_other(c)))
        return;
    if (instance_create(&(struct instance_params){ .plugin = &more_operators, .seed = c->p->seed }, &backbone, &err) ==
            BIOFT_OK &&
        graph_build(&(struct graph_params){ .backbone = backbone }, &g, &err) == BIOFT_OK)
        check(c, other, g);
    else
        conform_find(c, "%s", err.text);
    graph_destroy(g);
    instance_destroy(backbone);
}
