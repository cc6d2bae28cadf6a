/* Planning: pieces, how values stand, what is fused, and the library's primitives. */
#include "backend.h"
#include "lanes.h"

#include "../common/memory.h"
#include "../common/node_batchnorm.h"
#include "../common/columns.h"
#include "../common/compile.h"

#include <string.h>

enum { MOST_SCRATCH = 16 << 20 }; /* floats of a thread, if fewer images would need less */

/* As many pieces and partial sums as threads, if the batch allows; memory for whole ones of either. */
static void begin(struct program *p)
{
    const uint32_t batch = p->use.max_batch, each = (uint32_t)parts_of(batch, p->threads);
    uint32_t sums;

    p->piece = each < PIECE ? each : PIECE;
    p->capacity = (uint32_t)parts_of(batch, p->piece) * p->piece;
    sums = (uint32_t)parts_of(batch, each) * each;
    if (trains(p) && sums > p->capacity)
        p->capacity = sums;
}

static struct convolution_params params_of(const struct program *p, const struct node *n)
{
    const bioft_node *x = &p->model->network.nodes[n->def->input[0]];

    return (struct convolution_params){
        .conv = n->def,
        .in_channels = x->channels,
        .in_h = x->height,
        .in_w = x->width,
        .images = p->piece,
        .x_block = p->tensors[n->x[0]].block,
        .bias = n->def->bias != BIOFT_NONE,
        .bf16 = p->use.precision == BIOFT_BF16,
    };
}

static bioft_status refuse(const struct program *p, const struct node *n, const char *why)
{
    char name[160];

    node_text(&p->model->network, n->index, name, sizeof name);
    return bioft_failf(p->engine->host, BIOFT_ERR_UNSUPPORTED, "%s: %s", name, why);
}

/* The library's choice of how y stands, or in blocks; 0: nothing for which it has generated kernels. */
static uint32_t fast_block(const struct program *p, const struct node *n)
{
    struct convolution_params c = params_of(p, n);
    uint32_t block = 0;
    bool fast[3];

    for (int attempt = 0; attempt < 2; attempt++) {
        if (primitive_query(p->engine->own, &c, &block, fast) && fast[CONV_FORWARD] &&
            (!trains(p) || fast[CONV_WEIGHT_GRADIENT]))
            return block;
        c.y_block = library_block();
    }
    return 0;
}

/* A convolution over columns that meets its input in blocks. */
static void plan_columns(const struct program *p, struct node *n)
{
    struct convolution_node *own = n->own;

    n->op = &operator_columns;
    n->work = conv_work(&own->columns);
    n->work_floats = columns_work(&own->columns);
    own->each = (uint32_t)parts_of(p->use.max_batch, p->threads);
    n->sums_floats = trains(p) ? parts_of(p->use.max_batch, own->each) * columns_sum(own, n) : 0;
}

static bioft_status plan_convolution(struct program *p, struct node *n, uint32_t *ret_block)
{
    const uint32_t block = fast_block(p, n);
    struct convolution_params params;
    struct convolution_node *own;

    if (block == 0 && p->tensors[n->x[0]].block == 1)
        return columns_plan(p, n);
    if (block == 0 && depthwise_suits(p, n)) {
        n->op = &operator_depthwise;
        n->whole = false;
        n->work_floats = n->sums_floats = 0;
        *ret_block = p->tensors[n->x[0]].block;
        return BIOFT_OK;
    }
    n->own = own = memory_take(1, sizeof *own);
    if (!own)
        return p->engine->host->fail(p->engine->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    own->columns = columns_of_node(n->def, &p->model->network.nodes[n->def->input[0]]);
    n->whole = false;
    if (block == 0) {
        plan_columns(p, n);
        return BIOFT_OK;
    }
    n->op = &operator_convolution;
    n->work = conv_work(&own->columns);
    *ret_block = block;
    params = params_of(p, n);
    convolution_choose(p, n, &params, block);
    return BIOFT_OK;
}

static void plan_batchnorm(const struct program *p, struct node *n, uint32_t block)
{
    if (block == 1)
        return;
    n->op = batch_statistics(p) ? &operator_norm_batch : trains(p) ? &operator_norm_trained : &operator_norm_fixed;
    n->whole = !n->op->images;
    n->saved_floats = SAVED * parts_of(n->def->channels, block) * block;
}

/* An image's mean over each channel is a flat array whatever stood before it. */
static uint32_t plan_pool(const struct program *p, struct node *n, uint32_t block)
{
    const struct tensor *x = &p->tensors[n->x[0]];
    const size_t outputs = (size_t)n->def->height * n->def->width;
    const bool max = n->def->op == BIOFT_OP_MAXPOOL;

    if (block == 1)
        return 1;
    n->op = max ? &operator_pool_max : &operator_pool_average;
    n->work_floats = 0;
    if (max) /* positions in the window, of two bytes */
        n->saved_floats = goes_back(p) ? p->capacity * (parts_of(x->channels, block) * block * outputs + 1) / 2 : 0;
    return block;
}

static void plan_flatten(const struct program *p, struct node *n)
{
    const struct tensor *x = &p->tensors[n->x[0]];

    if (x->block == 1 || (x->plane == 1 && x->channels % x->block == 0))
        return;
    n->op = &operator_unblock;
    n->work = 8.0 * (double)x->floats;
}

static bioft_status plan(struct program *p, struct node *n, uint32_t *ret_block)
{
    const struct tensor *x = &p->tensors[n->x[0]];

    if (n->def->op == BIOFT_OP_INPUT)
        return BIOFT_OK;
    switch (n->def->op) {
    case BIOFT_OP_CONV2D: return plan_convolution(p, n, ret_block);
    case BIOFT_OP_LINEAR: return x->floats == plain_floats(x) ? BIOFT_OK : refuse(p, n, "flatten before it");
    case BIOFT_OP_FLATTEN: plan_flatten(p, n); return BIOFT_OK;
    case BIOFT_OP_BATCHNORM: plan_batchnorm(p, n, x->block); break;
    case BIOFT_OP_MAXPOOL:
    case BIOFT_OP_AVGPOOL:
    case BIOFT_OP_ADAPTIVE_AVGPOOL: *ret_block = plan_pool(p, n, x->block); return BIOFT_OK;
    case BIOFT_OP_DROPOUT:
        if (!n->op || x->block == 1)
            break;
        n->op = &operator_dropout_blocked;
        n->saved_floats = p->capacity * x->floats;
        n->work_floats = plain_floats(x);
        break;
    case BIOFT_OP_SOFTMAX: return BIOFT_OK;
    case BIOFT_OP_MATMUL: *ret_block = n->def->product == 0 ? 1 : p->tensors[n->x[1]].block; return BIOFT_OK;
    case BIOFT_OP_ADD:
        if (x->block == p->tensors[n->x[1]].block)
            break;
        n->op = &operator_add_mixed;
        n->work_floats = 2 * plain_floats(x);
        break;
    default: break;
    }
    *ret_block = x->block;
    return BIOFT_OK;
}

static bool is_relu_in_place(const struct node *n) { return n && n->op == &operator_relu && n->in_place; }

/* The sum behind a tensor, if the other operand is made before node `n` runs. */
static struct node *sum_behind(const struct program *p, const struct node *n, uint32_t tensor, uint32_t *ret_other)
{
    struct node *add = compile_only_reader(p, tensor);
    uint32_t other;

    if (!add || add->op != &operator_add || add->x[0] == add->x[1] || p->tensors[tensor].watched)
        return NULL;
    other = add->x[add->x[0] == tensor];
    if (p->tensors[other].producer >= n->index || p->tensors[other].block != p->tensors[tensor].block)
        return NULL;
    *ret_other = other;
    return add;
}

/* What could be done with node `n`'s output in its own pass: [batchnorm], [sum], [relu]. */
struct behind {
    struct node *norm, *add, *relu;
    uint32_t other;
};
static struct behind behind_of(const struct program *p, const struct node *n, bool may_fold)
{
    struct behind b = { .other = BIOFT_NONE };
    uint32_t tensor = n->y;
    struct node *next = compile_only_reader(p, tensor);

    if (may_fold && next && next->op == &operator_norm_fixed && next->in_place) {
        b.norm = next;
        tensor = next->y;
    }
    b.add = sum_behind(p, n, tensor, &b.other);
    next = compile_only_reader(p, b.add ? b.add->y : tensor);
    b.relu = is_relu_in_place(next) ? next : NULL;
    return b;
}

/* Takes over what is behind the node. */
static void absorb(struct program *p, struct node *n, const struct behind *b)
{
    if (b->norm)
        b->norm->absorbed[FORWARD] = b->norm->absorbed[BACKWARD] = true;
    if (b->relu)
        b->relu->absorbed[FORWARD] = true;
    if (!b->add)
        return;
    b->add->absorbed[FORWARD] = true;
    p->tensors[n->y].skipped = true;
    if (b->norm)
        p->tensors[b->norm->y].skipped = true;
    n->out = b->add->y;
    n->other = b->other;
}

/* Whether the library fuses that in a generated kernel. */
static bool can_fuse(const struct program *p, const struct node *n, const struct behind *b)
{
    struct convolution_params c = params_of(p, n);
    uint32_t block;
    bool fast[3];

    if (convolution_of(n)->ours[FORWARD].kernels)
        return true;
    c.y_block = p->tensors[n->y].block;
    c.bias = c.bias || b->norm;
    c.add = b->add;
    c.relu = b->relu;
    return primitive_query(p->engine->own, &c, &block, fast) && fast[CONV_FORWARD];
}

/* Floats of scratch that go with the images, not with Winograd's weights. */
static size_t image_scratch(const struct primitive *made, const struct convolution_params *c)
{
    const size_t weights = 36 * (size_t)c->in_channels * c->conv->channels, all = primitive_scratch(made);

    return all > weights ? all - weights : 0;
}

static uint32_t smaller_divisor(uint32_t n, uint32_t below)
{
    do
        below--;
    while (n % below != 0);
    return below;
}

static void at_least(struct node *n, size_t floats)
{
    if (floats > n->work_floats)
        n->work_floats = floats;
}

/* Forward and input error take fewer images at a time where many would need much scratch. */
static bool add_primitive(struct program *p, struct node *n, enum convolution kind,
                          const struct convolution_params *all, struct primitive **ret, struct weight_map *ret_map)
{
    struct convolution_params c = *all;
    size_t scratch;

    for (;;) {
        *ret = primitive_create(p->engine->own, kind, &c, ret_map);
        if (!*ret)
            return false;
        if (kind == CONV_WEIGHT_GRADIENT || c.images == 1 || image_scratch(*ret, &c) <= MOST_SCRATCH)
            break;
        primitive_destroy(*ret);
        c.images = smaller_divisor(all->images, c.images);
    }
    scratch = primitive_scratch(*ret);
    if (kind == CONV_INPUT_ERROR && p->tensors[n->x[0]].uses > 1)
        scratch += 16 + p->piece * p->tensors[n->x[0]].floats;
    at_least(n, scratch);
    return true;
}

static bool add_gradient(struct program *p, struct node *n, struct convolution_params *c)
{
    struct convolution_node *own = n->own;

    own->each = (uint32_t)parts_of(p->use.max_batch, p->threads);
    own->sums = (uint32_t)parts_of(p->use.max_batch, own->each);
    c->images = own->each;
    if (own->our_gradient) {
        at_least(n, winograd_gradient_work(&own->ours[FORWARD]));
        if (!convolution_our_gradient(n))
            return false;
    } else if (!add_primitive(p, n, CONV_WEIGHT_GRADIENT, c, &own->weight_gradient, &own->gradient_map)) {
        return false;
    }
    n->sums_floats = own->sums * sum_floats(own, n);
    return true;
}

static bool add_primitives(struct program *p, struct node *n)
{
    struct convolution_node *own = n->own;
    struct convolution_params c = params_of(p, n);
    uint32_t block;
    bool good = true, fast[3];

    c.y_block = p->tensors[n->y].block;
    n->work_floats = 16;
    if (!primitive_query(p->engine->own, &c, &block, fast))
        return false;
    c.bias = c.bias || own->batchnorm;
    c.add = own->add;
    c.relu = own->relu;
    if (own->ours[FORWARD].kernels)
        at_least(n, winograd_work(&own->ours[FORWARD]));
    else
        good = add_primitive(p, n, CONV_FORWARD, &c, &own->forward, &own->w_map);
    c.bias = n->def->bias != BIOFT_NONE;
    c.add = c.relu = false;
    if (goes_back(p) && own->ours[BACKWARD].kernels)
        at_least(n, winograd_work(&own->ours[BACKWARD]));
    else if (good && goes_back(p) && fast[CONV_INPUT_ERROR])
        good = add_primitive(p, n, CONV_INPUT_ERROR, &c, &own->input_error, &own->v_map);
    else if (goes_back(p))
        at_least(n, columns_work(&own->columns));
    return good && (!trains(p) || add_gradient(p, n, &c));
}

static bioft_status fuse_convolution(struct program *p, struct node *n)
{
    struct convolution_node *own = n->own;
    const bool routed = n->route.reads || n->route.writes;
    struct behind b = behind_of(p, n, !trains(p) && !routed);

    if ((b.norm || b.add || b.relu) && !can_fuse(p, n, &b)) {
        if (b.add)
            b.relu = NULL;
        b.add = NULL;
        if (!can_fuse(p, n, &b))
            b = (struct behind){ .other = BIOFT_NONE };
    }
    absorb(p, n, &b);
    own->batchnorm = b.norm;
    own->add = b.add;
    own->relu = b.relu;
    if (!add_primitives(p, n))
        return refuse(p, n, "oneDNN cannot make its kernels, or is out of memory");
    p->bytes += sizeof(float) *
                ((uint64_t)convolution_weights(own, FORWARD) + 2 * (uint64_t)convolution_weights(own, BACKWARD));
    return BIOFT_OK;
}

static bioft_status fuse(struct program *p)
{
    bioft_status st = BIOFT_OK;

    for (uint32_t i = 1; st == BIOFT_OK && i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        struct behind b;
        if (n->op == &operator_convolution) {
            st = fuse_convolution(p, n);
        } else if (n->op == &operator_norm_batch || n->op == &operator_norm_trained) {
            b = behind_of(p, n, false);
            absorb(p, n, &b);
            if (b.relu && !b.add)
                b.relu->absorbed[BACKWARD] = true;
        }
    }
    return st;
}

static bool take(float **array, size_t floats)
{
    *array = memory_take(floats, sizeof **array);
    return *array != NULL;
}

/* Does a packing write the whole place? The library's kernels want zeros where channels do not fill a block. */
static bool fills(const struct convolution_node *c, enum phase phase)
{
    const struct weight_map *m = phase == FORWARD ? &c->w_map : &c->v_map;

    return c->ours[phase].kernels || m->floats == (size_t)m->groups * m->out * m->in * m->taps;
}

/* In training W changes with every step, so that what forward made of it is of no more use once an exact backward pass
 * makes its own of the same W: both in one place. */
static bool take_weights(const struct program *p, struct convolution_node *c)
{
    const size_t forward = convolution_weights(c, FORWARD),
                 backward = goes_back(p) ? convolution_weights(c, BACKWARD) : 0;
    const bool shared = trains(p) && backward > 0 && backward == forward && fills(c, FORWARD) && fills(c, BACKWARD);

    if (!take(&c->w.data, forward))
        return false;
    if (shared)
        c->v[1].data = c->w.data;
    return backward == 0 || (take(&c->v[0].data, backward) && (shared || take(&c->v[1].data, backward)));
}

static bioft_status finish(struct program *p)
{
    for (uint32_t i = 1; i < p->node_count; i++) {
        struct convolution_node *c = p->nodes[i].own;
        if (p->nodes[i].op != &operator_convolution)
            continue;
        if (!take_weights(p, c) || (c->batchnorm && (!take(&c->factor, p->nodes[i].def->channels) ||
                                                     !take(&c->bias, p->nodes[i].def->channels))))
            return p->engine->host->fail(p->engine->host, BIOFT_ERR_MEMORY,
                                         "out of memory for the weights of a program");
    }
    return BIOFT_OK;
}

static void release(struct program *p)
{
    for (uint32_t i = 0; i < p->node_count; i++) {
        struct convolution_node *c = p->nodes[i].own;
        if (p->nodes[i].op != &operator_convolution) {
            memory_give(c);
            continue;
        }
        primitive_destroy(c->forward);
        primitive_destroy(c->input_error);
        primitive_destroy(c->weight_gradient);
        if (c->v[1].data != c->w.data)
            memory_give(c->v[1].data);
        memory_give(c->w.data);
        memory_give(c->v[0].data);
        memory_give(c->gradient_table);
        memory_give(c->factor);
        memory_give(c->bias);
        memory_give(c);
    }
}

static bioft_status refresh(struct program *p, enum phase phase)
{
    for (uint32_t i = 1; i < p->node_count; i++)
        if (p->nodes[i].op == &operator_convolution && (phase == FORWARD || p->nodes[i].wants[0]))
            convolution_refresh(p, &p->nodes[i], phase);
    return BIOFT_OK;
}

static const char *kernels(const struct node *n, enum phase phase)
{
    const struct convolution_node *c = n->own;
    const struct primitive *made;

    if (n->op == &operator_depthwise)
        return lanes_for(library_block())->name;
    if (n->op != &operator_convolution)
        return NULL;
    if (phase <= BACKWARD ? c->ours[phase].kernels != NULL : c->our_gradient)
        return c->ours[FORWARD].kernels->title;
    made = phase == FORWARD ? c->forward : phase == BACKWARD ? c->input_error : c->weight_gradient;
    return made ? primitive_name(made) : NULL;
}

const struct backend onednn_backend = { .begin = begin,
                                        .plan = plan,
                                        .fuse = fuse,
                                        .finish = finish,
                                        .release = release,
                                        .refresh = refresh,
                                        .bf16 = library_bf16,
                                        .kernels = kernels };
