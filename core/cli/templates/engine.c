/* @NAME@: an engine. It runs a network's operators forward and backward, and the optimizer, in plain loops on one
 * thread: slow, but every number can be followed. model.h has the parameters and the optimizer, operators.h what is
 * computed; here are programs and the way through them. Make it fast one operator at a time, and test after each. */
#include "model.h"
#include "operators.h"

typedef struct {
    memory memory;
    model *m;
    bioft_use use;
    bioft_route *routes;                /* [layer], or NULL */
    float **value, **gradient, **saved; /* [node] */
    unsigned char *wanted;              /* [node] somebody needs the gradient of its output */
    float *written[4];                  /* what a rule writes at a layer: dy, dx, dw, db */
    uint32_t n;                         /* images of the last forward pass */
} program;

static int32_t score(char *why, size_t size)
{
    snprintf(why, size, "plain loops: they run anywhere, slowly");
    return 1;
}

static bioft_status identity(void *self, char *ret, size_t size, int32_t *ret_threads_matter)
{
    (void)self;
    snprintf(ret, size, "@NAME@ 0.1");
    *ret_threads_matter = 0;
    return BIOFT_OK;
}

static bioft_status supports(void *self, const bioft_graph *graph, const bioft_use *use, char *why, size_t size)
{
    (void)self;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (node_at(graph, i)->op > BIOFT_OP_FLATTEN) {
            snprintf(why, size, "it has no operator '%s' (node %u)", bioft_operator_name(node_at(graph, i)->op), i);
            return BIOFT_ERR_UNSUPPORTED;
        }
    snprintf(why, size, "float32 alone");
    return use->precision == BIOFT_F32 ? BIOFT_OK : BIOFT_ERR_UNSUPPORTED;
}

static int goes_back(const program *p) { return p->use.kind != BIOFT_EVAL; }

static void program_destroy(void *self, void *of)
{
    program *p = of;
    (void)self;
    give_back(&p->memory);
    free(p);
}

static void take_node(program *p, uint32_t i, size_t ret_most[4])
{
    const bioft_graph *g = p->m->graph;
    const bioft_node *d = node_at(g, i);
    const size_t count = p->use.max_batch * floats_of(d);
    p->value[i] = take(&p->memory, count, sizeof(float));
    if (goes_back(p))
        p->gradient[i] = take(&p->memory, count, sizeof(float));
    if (d->op == BIOFT_OP_BATCHNORM)
        p->saved[i] = take(&p->memory, 2 * (size_t)d->channels, sizeof(float));
    if (d->op == BIOFT_OP_DROPOUT && p->use.kind == BIOFT_TRAIN)
        p->saved[i] = take(&p->memory, count, sizeof(float));
    if (d->layer == BIOFT_NONE || !p->routes)
        return;
    const size_t need[4] = { count, p->use.max_batch * floats_of(node_at(g, d->input[0])), layer_at(g, d->layer)->count,
                             d->channels };
    for (int k = 0; k < 4; k++)
        ret_most[k] = need[k] > ret_most[k] ? need[k] : ret_most[k];
}

static bioft_status program_create(void *self, void *of, const bioft_use *use, const bioft_route *routes,
                                   void **ret_program)
{
    const state *s = self;
    const bioft_graph *g = ((model *)of)->graph;
    program *p = calloc(1, sizeof(*p));
    size_t most[4] = { 0 };
    if (!p)
        return s->host->fail(s->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    p->m = of;
    memcpy(&p->use, use, use->struct_size < sizeof(p->use) ? use->struct_size : sizeof(p->use));
    if (routes && goes_back(p))
        p->routes = take(&p->memory, g->layer_count, sizeof(*routes));
    if (p->routes)
        memcpy(p->routes, routes, g->layer_count * sizeof(*routes));
    p->value = take(&p->memory, g->node_count, sizeof(float *));
    p->gradient = take(&p->memory, g->node_count, sizeof(float *));
    p->saved = take(&p->memory, g->node_count, sizeof(float *));
    p->wanted = take(&p->memory, g->node_count, 1);
    for (uint32_t i = 0; !p->memory.failed && i < g->node_count; i++)
        take_node(p, i, most);
    for (int k = 0; k < 4; k++)
        p->written[k] = take(&p->memory, most[k], sizeof(float));
    if (p->memory.failed || (use->memory_limit && p->memory.bytes > use->memory_limit)) {
        program_destroy(self, p);
        return bioft_failf(s->host, BIOFT_ERR_MEMORY, "out of memory for a batch of %u", use->max_batch);
    }
    *ret_program = p;
    return BIOFT_OK;
}

static uint64_t program_bytes(void *self, const void *of)
{
    (void)self;
    return ((const program *)of)->memory.bytes;
}

/* A node with its arrays. */
static work work_of(const program *p, uint32_t i, int parameters)
{
    const bioft_graph *g = p->m->graph;
    const bioft_node *d = node_at(g, i);
    const uint32_t from = d->input[0], second = d->input_count > 1 ? d->input[1] : BIOFT_NONE;
    return (work){
        .d = d,
        .of = node_at(g, from),
        .layer = d->layer == BIOFT_NONE ? NULL : layer_at(g, d->layer),
        .n = p->n,
        .x = p->value[from],
        .other = second == BIOFT_NONE ? NULL : p->value[second],
        .y = p->value[i],
        .dx = p->wanted[from] ? p->gradient[from] : NULL,
        .other_dx = second != BIOFT_NONE && p->wanted[second] ? p->gradient[second] : NULL,
        .dy = p->gradient[i],
        .w = array(p->m, BIOFT_VALUE, d->weight),
        .b = array(p->m, BIOFT_VALUE, d->bias),
        .dw = parameters ? array(p->m, BIOFT_GRADIENT, d->weight) : NULL,
        .db = parameters ? array(p->m, BIOFT_GRADIENT, d->bias) : NULL,
        .mean = array(p->m, BIOFT_VALUE, d->running_mean),
        .variance = array(p->m, BIOFT_VALUE, d->running_var),
        .saved = p->saved[i],
        .by_the_batch = p->use.kind == BIOFT_TRAIN && !(p->use.flags & BIOFT_FROZEN_BATCHNORM),
    };
}

/* 0 or 1/(1 - p) for each value of the batch, by position. */
static bioft_status draw_dropout(const state *s, const work *k, uint32_t i, uint64_t key)
{
    const size_t count = k->n * floats_of(k->d);
    char stream[32];
    snprintf(stream, sizeof(stream), "dropout/%u", i);
    const bioft_status status = s->host->random(s->host, BIOFT_UNIFORM, stream, key, 0, k->saved, count);
    for (size_t j = 0; status == BIOFT_OK && j < count; j++)
        k->saved[j] = k->saved[j] < k->d->dropout ? 0.0f : 1.0f / (1.0f - k->d->dropout);
    return status;
}

static bioft_status forward(void *self, void *of, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out)
{
    const state *s = self;
    program *p = of;
    const bioft_graph *g = p->m->graph;
    if (n == 0 || n > p->use.max_batch)
        return bioft_failf(s->host, BIOFT_ERR_INVALID, "%u images; 1 to %u are right", n, p->use.max_batch);
    p->n = n;
    memcpy(p->value[0], x, n * floats_of(node_at(g, 0)) * sizeof(*x));
    for (uint32_t i = 1; i < g->node_count; i++) {
        const work k = work_of(p, i, 0);
        if (k.d->op == BIOFT_OP_BATCHNORM && k.by_the_batch && n * k.d->height * k.d->width == 1)
            return s->host->fail(s->host, BIOFT_ERR_INVALID, "batchnorm: one value a channel has no variance");
        if (k.d->op == BIOFT_OP_DROPOUT && k.saved && draw_dropout(s, &k, i, dropout_key) != BIOFT_OK)
            return s->host->fail(s->host, BIOFT_ERR_INVALID, "no random numbers for dropout");
        forward_node(&k);
    }
    memcpy(ret_out, p->value[g->node_count - 1], (size_t)n * g->outputs * sizeof(*ret_out));
    return BIOFT_OK;
}

/* What of the backward pass somebody needs. */
static void plan(program *p, uint32_t flags, int pixels)
{
    const bioft_graph *g = p->m->graph;
    p->wanted[0] = pixels != 0;
    for (uint32_t i = 1; i < g->node_count; i++) {
        const bioft_node *d = node_at(g, i);
        const int trained = p->use.kind == BIOFT_TRAIN && !(flags & BIOFT_NO_PARAMETERS);
        p->wanted[i] = trained && (d->weight != BIOFT_NONE || d->bias != BIOFT_NONE);
        for (uint32_t k = 0; k < d->input_count; k++)
            p->wanted[i] = p->wanted[i] || p->wanted[d->input[k]];
        if (p->routes && d->layer != BIOFT_NONE && p->routes[d->layer].reads & BIOFT_DY)
            p->wanted[i] = 1;
    }
}

/* The layer's output after its activation, across a batchnorm; or its output. */
static uint32_t activated(const bioft_graph *g, uint32_t i)
{
    for (uint32_t at = i;;) {
        uint32_t reader = BIOFT_NONE, readers = 0;
        for (uint32_t k = at + 1; k < g->node_count; k++)
            for (uint32_t j = 0; j < node_at(g, k)->input_count; j++)
                if (node_at(g, k)->input[j] == at) {
                    reader = k;
                    readers++;
                }
        if (readers != 1)
            return i;
        if (node_at(g, reader)->op == BIOFT_OP_RELU || node_at(g, reader)->op == BIOFT_OP_TANH)
            return reader;
        if (node_at(g, reader)->op != BIOFT_OP_BATCHNORM)
            return i;
        at = reader;
    }
}

static float *emptied(float *a, size_t count) { return memset(a, 0, count * sizeof(*a)); }

static void add(const float *from, float *to, size_t count)
{
    for (size_t i = 0; from && to && i < count; i++)
        to[i] += from[i];
}

/* A rule of depth 3 at its layer: what it writes takes the place of what the engine would compute, but in an EXACT
 * pass, where it is only called. */
static bioft_status run_route(const program *p, uint32_t i, uint32_t flags, const work *k, const bioft_hooks *hooks)
{
    const bioft_route *r = &p->routes[k->d->layer];
    const size_t out = k->n * floats_of(k->d), in = k->n * floats_of(k->of);
    const int parameters = p->use.kind == BIOFT_TRAIN && !(flags & BIOFT_NO_PARAMETERS);
    bioft_local io = { .struct_size = sizeof(io), .n = k->n };
    io.x = r->reads & BIOFT_X ? k->x : NULL;
    io.y = r->reads & BIOFT_Y ? k->y : NULL;
    io.h = r->reads & BIOFT_H ? p->value[activated(p->m->graph, i)] : NULL;
    io.w = r->reads & BIOFT_W ? k->w : NULL;
    io.b = r->reads & BIOFT_W ? k->b : NULL;
    io.dy = r->reads & BIOFT_DY || r->writes & BIOFT_DY ? memcpy(p->written[0], k->dy, out * sizeof(float)) : NULL;
    io.dx = r->writes & BIOFT_DX && k->dx ? emptied(p->written[1], in) : NULL;
    io.dw = r->writes & BIOFT_DW && parameters ? emptied(p->written[2], k->layer->count) : NULL;
    io.db = io.dw && k->b ? emptied(p->written[3], k->d->channels) : NULL;
    const bioft_status status = hooks->local(hooks->ctx, k->d->layer, &io);
    if (status != BIOFT_OK || flags & BIOFT_EXACT)
        return status;
    if (r->writes & BIOFT_DY)
        memcpy(p->gradient[i], io.dy, out * sizeof(float));
    add(io.dx, k->dx, in);
    add(io.dw, array(p->m, BIOFT_GRADIENT, k->d->weight), k->layer->count);
    add(io.db, array(p->m, BIOFT_GRADIENT, k->d->bias), k->d->channels);
    return BIOFT_OK;
}

static bioft_status back_through(const state *s, const program *p, uint32_t i, uint32_t flags, const bioft_hooks *hooks)
{
    const int parameters = p->use.kind == BIOFT_TRAIN && !(flags & BIOFT_NO_PARAMETERS);
    work k = work_of(p, i, parameters);
    const bioft_route *r = p->routes && k.layer ? &p->routes[k.d->layer] : NULL;
    const float *v = k.w;
    bioft_status status = BIOFT_OK;
    if (r && (r->reads || r->writes) && hooks && hooks->local)
        status = run_route(p, i, flags, &k, hooks);
    if (r && r->writes & BIOFT_DX && !(flags & BIOFT_EXACT))
        k.dx = NULL;
    if (r && r->writes & BIOFT_DW && !(flags & BIOFT_EXACT))
        k.dw = k.db = NULL;
    if (status == BIOFT_OK && k.layer && k.dx && !(flags & BIOFT_EXACT))
        v = feedback_of(s, p->m, k.d->layer, k.w);
    if (status != BIOFT_OK || (k.layer && !v))
        return bioft_failf(s->host, status ? status : BIOFT_ERR_INVALID, "no feedback at '%s'", k.layer->name);
    backward_node(&k, v);
    const uint32_t own[2] = { k.d->weight, k.d->bias };
    for (int j = 0; status == BIOFT_OK && j < 2 && parameters && hooks && hooks->gradient; j++)
        if (own[j] != BIOFT_NONE)
            status = hooks->gradient(hooks->ctx, own[j], array(p->m, BIOFT_GRADIENT, own[j]),
                                     parameter_at(p->m->graph, own[j])->count);
    return status;
}

static bioft_status backward(void *self, void *of, const float *d_out, uint32_t flags, float *ret_dx,
                             const bioft_hooks *hooks)
{
    const state *s = self;
    program *p = of;
    const bioft_graph *g = p->m->graph;
    const int parameters = p->use.kind == BIOFT_TRAIN && !(flags & BIOFT_NO_PARAMETERS);
    bioft_status status = BIOFT_OK;
    if (!goes_back(p) || p->n == 0)
        return s->host->fail(s->host, BIOFT_ERR_INVALID, "backward comes after forward, and not in evaluation");
    plan(p, flags, ret_dx != NULL);
    for (uint32_t i = 0; i < g->node_count; i++)
        emptied(p->gradient[i], p->n * floats_of(node_at(g, i)));
    for (uint32_t i = 0; parameters && !(flags & BIOFT_ACCUMULATE) && i < g->parameter_count; i++)
        emptied(p->m->arrays[BIOFT_GRADIENT][i], parameter_at(g, i)->count);
    memcpy(p->gradient[g->node_count - 1], d_out, (size_t)p->n * g->outputs * sizeof(*d_out));
    for (uint32_t i = g->node_count; status == BIOFT_OK && i-- > 1;)
        status = back_through(s, p, i, flags, hooks);
    if (status == BIOFT_OK && ret_dx)
        memcpy(ret_dx, p->gradient[0], p->n * floats_of(node_at(g, 0)) * sizeof(*ret_dx));
    return status;
}

/* "bioft.layer/1": one layer alone. */
static bioft_status layer(void *self, const bioft_layer *l, uint32_t phase, uint32_t n, const float *a, const float *b,
                          float *ret)
{
    const size_t in = (size_t)n * l->in_channels * l->in_h * l->in_w;
    const size_t out = (size_t)n * l->out_channels * l->out_h * l->out_w;
    (void)self;
    emptied(ret, phase == FORWARD ? out : phase == INPUT_ERROR ? in : l->count);
    layer_pass(l, phase, n,
               (operands){ .w = phase == WEIGHT_GRADIENT ? NULL : a,
                           .sum = ret,
                           .x = phase == FORWARD           ? b
                                : phase == WEIGHT_GRADIENT ? a
                                                           : NULL,
                           .y = phase == FORWARD ? NULL : b });
    return BIOFT_OK;
}

static const bioft_engine engine = {
    .struct_size = sizeof(engine),
    .draft = BIOFT_ENGINE_DRAFT,
    .score = score,
    .supports = supports,
    .model_create = model_create,
    .model_destroy = model_destroy,
    .read = read_array,
    .write = write_array,
    .set_feedback = set_feedback,
    .program_create = program_create,
    .program_destroy = program_destroy,
    .program_bytes = program_bytes,
    .forward = forward,
    .backward = backward,
    .update = update,
    .identity = identity,
    .layer = layer,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ENGINE, "@NAME@", "0.1", "you", "MIT"),
    .summary = "float32 in plain loops on one thread",
    .reference = "",
    .instance_size = sizeof(state),
    BIOFT_HOST_AT(state, host),
    .vtable = &engine,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
