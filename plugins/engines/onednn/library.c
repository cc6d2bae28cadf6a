/* Calls oneDNN; what differs between its versions is in version.h. */
#include "version.h"
#include "bf16.h"

#include "../common/memory.h"

#include <stdio.h>
#include <string.h>

/* libgomp's, which this build of the library uses: how many threads a call from this thread may take. */
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int threads);

enum { DIMENSIONS = 5, ARGUMENTS = 6 };

struct library {
    dnnl_engine_t engine;
    dnnl_stream_t *streams; /* [threads] */
    uint32_t threads;
};

struct primitive {
    struct library *library;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    enum convolution kind;
    uint32_t images;
    bool sums_in_place; /* forward: `other` is what y holds before the run */
    int argument_count;
    dnnl_exec_arg_t *arguments; /* [threads][ARGUMENTS] */
    struct {                    /* of x and y in bfloat16, behind the rest of scratch */
        size_t at, values;      /* values 0: they are read as they are */
    } copies[2];
    size_t scratch; /* floats */
    uint32_t *map;
};

/* The calling thread's own setting, put back afterwards. */
static int one_thread(void)
{
    int before = omp_get_max_threads();

    if (before != 1)
        omp_set_num_threads(1);
    return before;
}

static void threads_back(int before)
{
    if (before != 1)
        omp_set_num_threads(before);
}

struct library *library_open(uint32_t threads, const char **why)
{
    struct library *l = memory_take(1, sizeof *l);

    *why = "out of memory";
    if (!l)
        return NULL;
    l->threads = threads;
    l->streams = memory_take(threads, sizeof *l->streams);
    if (!l->streams)
        goto fail;
    *why = "the library has no engine for this CPU";
    if (dnnl_engine_create(&l->engine, dnnl_cpu, 0) != dnnl_success)
        goto fail;
    for (uint32_t t = 0; t < threads; t++)
        if (dnnl_stream_create(&l->streams[t], l->engine, dnnl_stream_default_flags) != dnnl_success)
            goto fail;
    return l;

fail:
    library_close(l);
    return NULL;
}

void library_close(struct library *l)
{
    if (!l)
        return;
    for (uint32_t t = 0; l->streams && t < l->threads; t++)
        if (l->streams[t])
            dnnl_stream_destroy(l->streams[t]);
    if (l->engine)
        dnnl_engine_destroy(l->engine);
    memory_give(l->streams);
    memory_give(l);
}

bool library_text(char *ret, size_t size)
{
    const dnnl_version_t *v = dnnl_version();

    snprintf(ret, size, "oneDNN %d.%d.%d %s", v->major, v->minor, v->patch, effective_isa()->name);
    return v->major == DNNL_VERSION_MAJOR && v->cpu_runtime == DNNL_RUNTIME_OMP;
}

uint32_t library_block(void) { return effective_isa()->block; }

bool library_bf16(char *why, size_t size)
{
    const struct isa *isa = effective_isa();

    if (isa->bf16)
        return true;
    snprintf(why, size, "bf16 would be slower than f32 here: the CPU has neither AMX nor AVX-512 BF16 (oneDNN: %s)",
             isa->name);
    return false;
}

static dnnl_format_tag_t tag_of(uint32_t block)
{
    return block == 16 ? dnnl_nChw16c : block == 8 ? dnnl_nChw8c : block == 1 ? dnnl_nchw : dnnl_format_tag_any;
}

static bool describe_images(uint32_t n, uint32_t channels, uint32_t height, uint32_t width, uint32_t block,
                            dnnl_data_type_t type, struct description *ret)
{
    const dnnl_dims_t dims = { n, channels, height, width };

    return description_create(4, dims, type, tag_of(block), ret);
}

/* How an array stands; 0: in a way that the engine does not know. */
static uint32_t block_of(array_description d)
{
    static const uint32_t blocks[] = { 16, 8, 1 };
    struct array_layout l;

    if (!layout_of(d, &l))
        return 0;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        struct description known = { 0 };
        const bool same = description_create(l.dimensions, l.dims, l.type, tag_of(blocks[i]), &known) &&
                          dnnl_memory_desc_equal(description_of(&known), d);
        description_destroy(&known);
        if (same)
            return blocks[i];
    }
    return 0;
}

static void shapes_destroy(struct shapes *s)
{
    description_destroy(&s->x);
    description_destroy(&s->w);
    description_destroy(&s->bias);
    description_destroy(&s->y);
}

/* bf16: what is multiplied is in bfloat16, what comes out is not. To be given back also after false. */
static bool shapes_of(const struct convolution_params *c, enum convolution kind, bool bf16, struct shapes *ret)
{
    const bioft_node *d = c->conv;
    const dnnl_data_type_t x = bf16 && kind != CONV_INPUT_ERROR ? dnnl_bf16 : dnnl_f32;
    const dnnl_data_type_t w = bf16 && kind != CONV_WEIGHT_GRADIENT ? dnnl_bf16 : dnnl_f32;
    const dnnl_data_type_t y = bf16 && kind != CONV_FORWARD ? dnnl_bf16 : dnnl_f32;
    const bool grouped = d->groups > 1;
    const dnnl_dims_t weights = { d->groups, d->channels / d->groups, c->in_channels / d->groups, d->kernel[0],
                                  d->kernel[1] };
    const dnnl_dims_t bias = { d->channels };

    *ret = (struct shapes){ 0 };
    for (int k = 0; k < 2; k++) {
        ret->stride[k] = d->stride[k];
        ret->dilation[k] = (dnnl_dim_t)d->dilation[k] - 1;
        ret->before[k] = d->padding[k];
        ret->after[k] = d->padding[k + 2];
    }
    return describe_images(c->images, c->in_channels, c->in_h, c->in_w, c->x_block, x, &ret->x) &&
           describe_images(c->images, d->channels, d->height, d->width, c->y_block, y, &ret->y) &&
           description_create(1, bias, dnnl_f32, dnnl_a, &ret->bias) &&
           description_create(grouped ? 5 : 4, grouped ? weights : weights + 1, w, dnnl_format_tag_any, &ret->w);
}

/* Winograd's minimal filtering F(4x4, 3x3) takes 36 products for 4x4 outputs instead of 144 (Lavin and Gray 2016),
 * and as many for a tile that hangs over the edge. Its transforms cost about another 36. In bfloat16 AVX-512
 * multiplies twice as many values as in float32, AMX sixteen times as many. */
bool library_winograd(const struct convolution_params *c)
{
    const bioft_node *d = c->conv;
    const uint64_t tiles = (uint64_t)((d->height + 3) / 4) * ((d->width + 3) / 4), least = c->bf16 ? 4 : 2;

    if (c->bf16 && effective_isa()->amx)
        return false;
    return d->groups == 1 && d->kernel[0] == 3 && d->kernel[1] == 3 && d->stride[0] == 1 && d->stride[1] == 1 &&
           d->dilation[0] == 1 && d->dilation[1] == 1 && 9 * (uint64_t)d->height * d->width >= least * 36 * tiles;
}

/* Winograd's kernels add only what y holds before. */
static bool set_post_ops(dnnl_primitive_attr_t attributes, const struct convolution_params *c, const struct shapes *s,
                         bool in_place)
{
    dnnl_post_ops_t ops;
    bool good;

    if (dnnl_post_ops_create(&ops) != dnnl_success)
        return false;
    if (c->add && in_place)
        good = append_sum(ops);
    else
        good = !c->add || dnnl_post_ops_append_binary(ops, dnnl_binary_add, description_of(&s->y)) == dnnl_success;
    good = good && (!c->relu || append_relu(ops)) && dnnl_primitive_attr_set_post_ops(attributes, ops) == dnnl_success;
    dnnl_post_ops_destroy(ops);
    return good;
}

struct way {
    dnnl_alg_kind_t algorithm;
    bool bf16;
};
static dnnl_primitive_desc_t describe_as(struct library *l, struct way way, enum convolution kind,
                                         const struct convolution_params *c, const_dnnl_primitive_desc_t hint)
{
    const bool bias = c->bias && kind != CONV_INPUT_ERROR, fused = kind == CONV_FORWARD && (c->add || c->relu);
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t ret = NULL;
    struct shapes s;

    if (shapes_of(c, kind, way.bf16, &s) && dnnl_primitive_attr_create(&attributes) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) == dnnl_success &&
        (!fused || set_post_ops(attributes, c, &s, way.algorithm == dnnl_convolution_winograd)))
        ret = describe_convolution(l->engine, kind, way.algorithm, &s, bias, attributes, hint);
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    shapes_destroy(&s);
    return ret;
}

static const char *name_of(const_dnnl_primitive_desc_t description)
{
    const char *name = NULL;

    if (dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name) != dnnl_success || !name)
        return "unknown";
    return name;
}

static bool is_fast(const_dnnl_primitive_desc_t description)
{
    const char *name = name_of(description);

    return strncmp(name, "jit", 3) == 0 || strncmp(name, "brg", 3) == 0;
}

/* As the engine can lay weights out; a kind of kernel may want them in a form of its own. */
static bool blocked_weights(const_dnnl_primitive_desc_t description, enum convolution kind)
{
    const dnnl_query_t query = kind == CONV_WEIGHT_GRADIENT ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    struct array_layout l;

    return layout_of(dnnl_primitive_desc_query_md(description, query, 0), &l) && l.blocked;
}

/* The first way that has generated kernels, or the plain one. NULL: the library cannot. hint: forward's, for the other
 * two. */
static dnnl_primitive_desc_t describe(struct library *l, enum convolution kind, const struct convolution_params *c,
                                      const_dnnl_primitive_desc_t hint)
{
    static const struct way ways[] = { { dnnl_convolution_winograd, false }, { dnnl_convolution_direct, true } };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        dnnl_primitive_desc_t ret = NULL;
        if (ways[i].bf16 ? c->bf16 : library_winograd(c))
            ret = describe_as(l, ways[i], kind, c, hint);
        if (ret && is_fast(ret) && blocked_weights(ret, kind))
            return ret;
        if (ret)
            dnnl_primitive_desc_destroy(ret);
    }
    return describe_as(l, (struct way){ dnnl_convolution_direct, false }, kind, c, hint);
}

bool library_has_winograd(struct library *l, const struct convolution_params *c, bool back)
{
    static const struct way way = { dnnl_convolution_winograd, false };
    const int before = one_thread();
    dnnl_primitive_desc_t forward = describe_as(l, way, CONV_FORWARD, c, NULL);
    bool ret = forward && is_fast(forward);

    for (int kind = CONV_INPUT_ERROR; ret && back && kind <= CONV_WEIGHT_GRADIENT; kind++) {
        dnnl_primitive_desc_t other = describe_as(l, way, (enum convolution)kind, c, forward);
        ret = other && is_fast(other);
        if (other)
            dnnl_primitive_desc_destroy(other);
    }
    if (forward)
        dnnl_primitive_desc_destroy(forward);
    threads_back(before);
    return ret;
}

bool primitive_query(struct library *l, const struct convolution_params *c, uint32_t *ret_y_block, bool ret_fast[3])
{
    const int before = one_thread();
    struct convolution_params fixed = *c;
    dnnl_primitive_desc_t forward = describe(l, CONV_FORWARD, c, NULL);

    *ret_y_block = 0;
    memset(ret_fast, 0, 3 * sizeof *ret_fast);
    if (forward) {
        *ret_y_block = block_of(dnnl_primitive_desc_query_md(forward, dnnl_query_dst_md, 0));
        ret_fast[CONV_FORWARD] = is_fast(forward);
    }
    fixed.y_block = *ret_y_block;
    for (int kind = CONV_INPUT_ERROR; *ret_y_block && kind <= CONV_WEIGHT_GRADIENT; kind++) {
        dnnl_primitive_desc_t other = describe(l, (enum convolution)kind, &fixed, forward);
        ret_fast[kind] = other && is_fast(other);
        if (other)
            dnnl_primitive_desc_destroy(other);
    }
    if (forward)
        dnnl_primitive_desc_destroy(forward);
    threads_back(before);
    return *ret_y_block != 0;
}

/* What each kind's arrays are called, in the order of convolution_arrays. */
static const struct names {
    int argument;
    dnnl_query_t query;
} names[3][4] = {
    { { DNNL_ARG_SRC, dnnl_query_src_md },
      { DNNL_ARG_DST, dnnl_query_dst_md },
      { DNNL_ARG_WEIGHTS, dnnl_query_weights_md },
      { DNNL_ARG_BIAS, dnnl_query_weights_md } },
    { { DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md },
      { DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md },
      { DNNL_ARG_WEIGHTS, dnnl_query_weights_md },
      { 0, dnnl_query_undef } },
    { { DNNL_ARG_SRC, dnnl_query_src_md },
      { DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md },
      { DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md },
      { DNNL_ARG_DIFF_BIAS, dnnl_query_diff_weights_md } },
};

/* An argument for each thread, without memory of its own. */
static bool add_argument(struct primitive *p, int argument, array_description md)
{
    const int at = p->argument_count++;

    for (uint32_t t = 0; t < p->library->threads; t++) {
        dnnl_exec_arg_t *a = &p->arguments[t * ARGUMENTS + (uint32_t)at];
        a->arg = argument;
        if (dnnl_memory_create(&a->memory, md, p->library->engine, DNNL_MEMORY_NONE) != dnnl_success)
            return false;
    }
    return true;
}

/* Of x or y (k), if the primitive reads it in bfloat16. */
static void add_copy(struct primitive *p, int k)
{
    array_description md = dnnl_primitive_desc_query_md(p->description, names[p->kind][k].query, 0);
    struct array_layout l;

    if (!layout_of(md, &l) || l.type != dnnl_bf16)
        return;
    p->copies[k].at = p->scratch;
    p->copies[k].values = dnnl_memory_desc_get_size(md) / sizeof(uint16_t);
    p->scratch += (p->copies[k].values / 2 + 16) / 16 * 16;
}

static bool add_arguments(struct primitive *p, const struct convolution_params *c)
{
    const struct names *n = names[p->kind];
    const bool bias = c->bias && p->kind != CONV_INPUT_ERROR, add = c->add && p->kind == CONV_FORWARD;
    array_description md;

    for (int k = 0; k < (bias ? 4 : 3); k++)
        if (!add_argument(p, n[k].argument, dnnl_primitive_desc_query_md(p->description, n[k].query, k == 3)))
            return false;
    if (add && !p->sums_in_place &&
        !add_argument(p, DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                      dnnl_primitive_desc_query_md(p->description, dnnl_query_dst_md, 0)))
        return false;
    md = dnnl_primitive_desc_query_md(p->description, dnnl_query_scratchpad_md, 0);
    p->scratch = (dnnl_memory_desc_get_size(md) / sizeof(float) + 16) / 16 * 16;
    add_copy(p, 0);
    add_copy(p, 1);
    return add_argument(p, DNNL_ARG_SCRATCHPAD, md);
}

struct primitive *primitive_create(struct library *l, enum convolution kind, const struct convolution_params *c,
                                   struct weight_map *ret_map)
{
    const int before = one_thread();
    struct primitive *p = memory_take(1, sizeof *p);
    dnnl_primitive_desc_t hint = NULL;
    bool good = p;

    if (good) {
        p->library = l;
        p->kind = kind;
        p->images = c->images;
        p->arguments = memory_take((size_t)l->threads * ARGUMENTS, sizeof *p->arguments);
        if (kind != CONV_FORWARD)
            hint = describe(l, CONV_FORWARD, c, NULL);
        p->description = describe(l, kind, c, hint);
        good = p->arguments && p->description && dnnl_primitive_create(&p->primitive, p->description) == dnnl_success;
        p->sums_in_place = good && is_winograd(p->description);
    }
    good = good && add_arguments(p, c) &&
           map_weights(dnnl_primitive_desc_query_md(p->description, names[kind][2].query, 0), &p->map, ret_map);
    if (hint)
        dnnl_primitive_desc_destroy(hint);
    threads_back(before);
    if (!good) {
        primitive_destroy(p);
        return NULL;
    }
    return p;
}

void primitive_destroy(struct primitive *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; p->arguments && i < p->library->threads * ARGUMENTS; i++)
        if (p->arguments[i].memory)
            dnnl_memory_destroy(p->arguments[i].memory);
    if (p->primitive)
        dnnl_primitive_destroy(p->primitive);
    if (p->description)
        dnnl_primitive_desc_destroy(p->description);
    memory_give(p->arguments);
    memory_give(p->map);
    memory_give(p);
}

size_t primitive_scratch(const struct primitive *p) { return p->scratch; }
uint32_t primitive_images(const struct primitive *p) { return p->images; }

const char *primitive_name(const struct primitive *p) { return name_of(p->description); }

static void *array_of(const struct convolution_arrays *a, int argument)
{
    switch (argument) {
    case DNNL_ARG_SRC:
    case DNNL_ARG_DIFF_SRC: return a->x;
    case DNNL_ARG_DST:
    case DNNL_ARG_DIFF_DST: return a->y;
    case DNNL_ARG_WEIGHTS:
    case DNNL_ARG_DIFF_WEIGHTS: return a->w;
    case DNNL_ARG_BIAS:
    case DNNL_ARG_DIFF_BIAS: return a->bias;
    case DNNL_ARG_SCRATCHPAD: return a->scratch;
    default: return a->other;
    }
}

/* The array (k), or its copy in scratch. */
static float *as_read(const struct primitive *p, int k, float *array, float *scratch)
{
    if (p->copies[k].values == 0)
        return array;
    bf16_from(array, p->copies[k].values, (uint16_t *)(void *)(scratch + p->copies[k].at));
    return scratch + p->copies[k].at;
}

bool primitive_run(struct primitive *p, uint32_t thread, const struct convolution_arrays *arrays)
{
    const dnnl_exec_arg_t *arguments = &p->arguments[thread * ARGUMENTS];
    const int before = one_thread();
    struct convolution_arrays a = *arrays;
    bool good = true;

    a.x = as_read(p, 0, a.x, a.scratch);
    a.y = as_read(p, 1, a.y, a.scratch);
    if (p->sums_in_place && a.other)
        memcpy(a.y, a.other,
               dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(p->description, dnnl_query_dst_md, 0)));
    for (int i = 0; good && i < p->argument_count; i++)
        good = dnnl_memory_set_data_handle(arguments[i].memory, array_of(&a, arguments[i].arg)) == dnnl_success;
    good = good && dnnl_primitive_execute(p->primitive, p->library->streams[thread], p->argument_count, arguments) ==
                       dnnl_success;
    threads_back(before);
    return good;
}
