/* Tiles in groups: transformed, multiplied, transformed back. */
#include "winograd.h"

#include "isa.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    PAD = 16,                  /* floats between rows and planes, for 36 of them not to meet in one cache set */
    GROUP_FLOATS = 384 * 1024, /* of transformed values of a group: with the products about one core's cache */
    LEAST_GROUP = 56,
    MOST_GROUP = 336,                  /* tiles; weights are read once a group */
    CHUNK_CHANNELS = 64,               /* outputs at a time */
    GRADIENT_FLOATS = 2 * 1024 * 1024, /* of a group's transformed values */
    GRADIENT_SUMS = 4 * 1024 * 1024,   /* of the sums that become gradients */
    MOST_BLOCK = 16
};

const struct winograd_kernels *winograd_kernels_for(uint32_t block)
{
    static const struct winograd_kernels *const sets[] = {
        [ISA_PLAIN] = &winograd_plain,
#ifdef ENGINE_X86
        [ISA_AVX2] = &winograd_avx2,
        [ISA_AVX512] = &winograd_avx512,
#endif
    };

    for (int i = (int)isa_widest(); i >= 0; i--)
        if (block == 0 || sets[i]->block == block)
            return sets[i];
    return NULL;
}

bool winograd_suits(const bioft_node *conv)
{
    return conv->op == BIOFT_OP_CONV2D && conv->groups == 1 && conv->kernel[0] == 3 && conv->kernel[1] == 3 &&
           conv->stride[0] == 1 && conv->stride[1] == 1 && conv->dilation[0] == 1 && conv->dilation[1] == 1;
}

static uint32_t parts(uint32_t total, uint32_t size) { return total / size + (total % size != 0); }

/* The transforms cost about as much as 16 channels of products. */
bool winograd_pays(const bioft_node *conv, uint32_t in_channels)
{
    const uint64_t tiles = (uint64_t)parts(conv->height, WINOGRAD_OUT) * parts(conv->width, WINOGRAD_OUT);

    return winograd_suits(conv) && in_channels >= 16 && conv->channels >= 16 &&
           9 * (uint64_t)conv->height * conv->width >= 2 * WINOGRAD_PRODUCTS * tiles;
}

static struct winograd plan(const struct winograd_kernels *k, uint32_t in, uint32_t out, struct winograd_plane from,
                            struct winograd_plane to, int64_t top, int64_t left)
{
    struct winograd w = {
        .kernels = k,
        .in = in,
        .out = out,
        .in_blocks = parts(in, k->block),
        .out_blocks = parts(out, k->block),
        .from = from,
        .to = to,
        .top = top,
        .left = left,
        .tiles_y = parts((uint32_t)to.height, WINOGRAD_OUT),
        .tiles_x = parts((uint32_t)to.width, WINOGRAD_OUT),
    };
    const size_t channels = (size_t)w.in_blocks * k->block;

    w.chunk = CHUNK_CHANNELS / k->block;
    if (w.chunk > w.out_blocks)
        w.chunk = w.out_blocks;
    w.group = GROUP_FLOATS / (WINOGRAD_PRODUCTS * channels);
    if (w.group < LEAST_GROUP)
        w.group = LEAST_GROUP;
    if (w.group > MOST_GROUP)
        w.group = MOST_GROUP;
    return w;
}

struct winograd winograd_forward(const struct winograd_kernels *k, const bioft_node *conv, uint32_t in_channels,
                                 uint32_t in_height, uint32_t in_width)
{
    return plan(k, in_channels, conv->channels, (struct winograd_plane){ in_height, in_width },
                (struct winograd_plane){ conv->height, conv->width }, conv->padding[0], conv->padding[1]);
}

struct winograd winograd_input_error(const struct winograd_kernels *k, const bioft_node *conv, uint32_t in_channels,
                                     uint32_t in_height, uint32_t in_width)
{
    struct winograd w = plan(k, conv->channels, in_channels, (struct winograd_plane){ conv->height, conv->width },
                             (struct winograd_plane){ in_height, in_width }, 2 - (int64_t)conv->padding[0],
                             2 - (int64_t)conv->padding[1]);

    w.turned = true;
    return w;
}

/* Arrays of a group: 36 planes, in each a row of channels a tile. */
struct group {
    size_t row, plane, floats; /* from tile to tile; from element to element; all */
};
static struct group group_of(size_t tiles, size_t channels)
{
    const size_t row = channels + PAD, plane = tiles * row + PAD;

    return (struct group){ row, plane, WINOGRAD_PRODUCTS * plane };
}

static struct group inputs_of(const struct winograd *w, size_t tiles)
{
    return group_of(tiles, (size_t)w->in_blocks * w->kernels->block);
}

static struct group outputs_of(const struct winograd *w, size_t tiles)
{
    return group_of(tiles, (size_t)w->chunk * w->kernels->block);
}

size_t winograd_weights(const struct winograd *w)
{
    return (size_t)WINOGRAD_PRODUCTS * w->in * w->out_blocks * w->kernels->block;
}

size_t winograd_work(const struct winograd *w)
{
    return inputs_of(w, w->group).floats + outputs_of(w, w->group).floats;
}

/* Nine numbers each for a block of outputs and one input, lanes side by side. */
static bool gather(const struct winograd *w, const float *weights, const float *factor, uint32_t first, uint32_t k,
                   float *ret)
{
    const uint32_t block = w->kernels->block;
    bool finite = true;

    for (uint32_t lane = 0; lane < block; lane++) {
        const uint32_t n = first + lane;
        const float *g;
        float scale;

        if (n >= w->out) {
            for (uint32_t t = 0; t < WINOGRAD_TAPS; t++)
                ret[t * block + lane] = 0;
            continue;
        }
        g = weights + WINOGRAD_TAPS * (w->turned ? (size_t)k * w->out + n : (size_t)n * w->in + k);
        scale = factor ? factor[w->turned ? k : n] : 1.0f;
        for (uint32_t t = 0; t < WINOGRAD_TAPS; t++) {
            const float v = scale * g[w->turned ? WINOGRAD_TAPS - 1 - t : t];
            finite &= fabsf(v) <= FLT_MAX;
            ret[t * block + lane] = v;
        }
    }
    return finite;
}

bool winograd_pack(const struct winograd *w, const float *weights, const float *factor, uint32_t index, float *ret)
{
    const uint32_t block = w->kernels->block, even = index / 2 * 2;
    const uint32_t width = even + 1 < w->out_blocks ? 2 * block : block;
    const size_t plane = (size_t)w->in * w->out_blocks * block;
    float *to = ret + (size_t)even * block * w->in + (index - even) * block, g[WINOGRAD_TAPS * MOST_BLOCK];
    bool finite = true;

    for (uint32_t k = 0; k < w->in; k++) {
        finite &= gather(w, weights, factor, index * block, k, g);
        w->kernels->weights(g, to + (size_t)k * width, plane);
    }
    return finite;
}

/* A tile's image, and its first output. */
struct tile {
    size_t image;
    int64_t y, x;
};
static struct tile tile_of(const struct winograd *w, size_t index)
{
    const size_t each = (size_t)w->tiles_y * w->tiles_x, rest = index % each;

    return (struct tile){ index / each, (int64_t)(rest / w->tiles_x * WINOGRAD_OUT),
                          (int64_t)(rest % w->tiles_x * WINOGRAD_OUT) };
}

static size_t plane_floats(const struct winograd *w, struct winograd_plane p)
{
    return (size_t)(p.height * p.width) * w->kernels->block;
}

static void transform_inputs(const struct winograd *w, size_t first, size_t count, const float *x, struct group g,
                             float *ret)
{
    const size_t floats = plane_floats(w, w->from);

    for (size_t i = 0; i < count; i++) {
        const struct tile t = tile_of(w, first + i);
        for (uint32_t b = 0; b < w->in_blocks; b++)
            w->kernels->input(x + (t.image * w->in_blocks + b) * floats, w->from, t.y - w->top, t.x - w->left,
                              ret + i * g.row + b * w->kernels->block, g.plane);
    }
}

/* A block's part of [out] numbers, which may end within it. */
static const float *bias_of(const struct winograd *w, const float *bias, uint32_t index, float *copy)
{
    const uint32_t block = w->kernels->block, first = index * block;

    if (!bias || first + block <= w->out)
        return bias ? bias + first : NULL;
    for (uint32_t i = 0; i < block; i++)
        copy[i] = first + i < w->out ? bias[first + i] : 0;
    return copy;
}

/* Blocks of outputs from `from` on of a group. */
static void transform_outputs(const struct winograd *w, size_t first, size_t count, uint32_t from, uint32_t blocks,
                              const float *m, struct group g, const struct winograd_end *end, float *y)
{
    const size_t floats = plane_floats(w, w->to);

    for (uint32_t b = 0; b < blocks; b++) {
        float copy[MOST_BLOCK];
        struct winograd_finish f = { .bias = bias_of(w, end->bias, from + b, copy),
                                     .relu = end->relu,
                                     .add = end->add };
        for (size_t i = 0; i < count; i++) {
            const struct tile t = tile_of(w, first + i);
            const size_t at = (t.image * w->out_blocks + from + b) * floats;
            f.other = end->other ? end->other + at : NULL;
            w->kernels->output(m + i * g.row + b * w->kernels->block, g.plane, w->to, t.y, t.x, &f, y + at);
        }
    }
}

static size_t even_part(size_t total, size_t most)
{
    const size_t count = total / most + (total % most != 0);

    return total / count + (total % count != 0);
}

void winograd_run(const struct winograd *w, const float *packed, size_t images, const float *x,
                  const struct winograd_end *end, float *y, float *work)
{
    const size_t tiles = images * w->tiles_y * w->tiles_x, group = tiles ? even_part(tiles, w->group) : 1;
    const uint32_t block = w->kernels->block;
    const struct group in = inputs_of(w, group), out = outputs_of(w, group);
    float *m = work + in.floats;

    for (size_t first = 0; first < tiles; first += group) {
        const size_t count = first + group < tiles ? group : tiles - first;
        transform_inputs(w, first, count, x, in, work);
        for (uint32_t b = 0; b < w->out_blocks; b += w->chunk) {
            const uint32_t blocks = b + w->chunk < w->out_blocks ? w->chunk : w->out_blocks - b;
            for (size_t i = 0; i < WINOGRAD_PRODUCTS; i++)
                w->kernels->product(
                    &(struct winograd_product){ .rows = count,
                                                .columns = (size_t)blocks * block,
                                                .depth = w->in,
                                                .a = work + i * in.plane,
                                                .a_row = in.row,
                                                .a_step = 1,
                                                .b = packed + ((size_t)i * w->out_blocks + b) * block * w->in,
                                                .c = m + i * out.plane,
                                                .c_row = out.row });
            transform_outputs(w, first, count, b, blocks, m, out, end, y);
        }
    }
}

/* How a gradient is cut: so many outputs at a time that their sums fit, so many tiles. */
struct cut {
    uint32_t chunk;
    size_t group;
    struct group x, dy, sums; /* sums: a row an input */
};
static struct cut cut_of(const struct winograd *w)
{
    const uint32_t block = w->kernels->block;
    const size_t channels = (size_t)w->in_blocks * block, row = WINOGRAD_PRODUCTS * (size_t)w->in * block;
    struct cut c = { .chunk = GRADIENT_SUMS / row >= 2 ? (uint32_t)(GRADIENT_SUMS / row) / 2 * 2 : 1 };

    if (c.chunk > w->out_blocks)
        c.chunk = w->out_blocks;
    c.group = GRADIENT_FLOATS / (WINOGRAD_PRODUCTS * (channels + (size_t)c.chunk * block));
    c.group = c.group < LEAST_GROUP ? LEAST_GROUP : c.group > MOST_GROUP ? MOST_GROUP : c.group;
    c.x = group_of(c.group, channels);
    c.dy = group_of(c.group, (size_t)c.chunk * block);
    c.sums = group_of(w->in, (size_t)c.chunk * block);
    return c;
}

size_t winograd_gradient_work(const struct winograd *w)
{
    const struct cut c = cut_of(w);

    return c.x.floats + c.dy.floats + c.sums.floats;
}

static void transform_errors(const struct winograd *w, size_t first, size_t count, uint32_t from, uint32_t blocks,
                             const float *dy, struct group g, float *ret)
{
    const size_t floats = plane_floats(w, w->to);

    for (size_t i = 0; i < count; i++) {
        const struct tile t = tile_of(w, first + i);
        for (uint32_t b = 0; b < blocks; b++)
            w->kernels->error(dy + (t.image * w->out_blocks + from + b) * floats, w->to, t.y, t.x,
                              ret + i * g.row + b * w->kernels->block, g.plane);
    }
}

/* The sums of outputs from block `from` on become their weights' gradients. */
static void transform_sums(const struct winograd *w, uint32_t from, uint32_t blocks, const float *sums, struct group g,
                           bool add, float *dw)
{
    const uint32_t block = w->kernels->block;
    float taps[WINOGRAD_TAPS * MOST_BLOCK];

    for (uint32_t b = 0; b < blocks; b++)
        for (uint32_t k = 0; k < w->in; k++) {
            w->kernels->gradient(sums + k * g.row + b * block, g.plane, taps);
            for (uint32_t lane = 0; lane < block && (from + b) * block + lane < w->out; lane++) {
                float *to = dw + WINOGRAD_TAPS * ((size_t)((from + b) * block + lane) * w->in + k);
                for (uint32_t t = 0; t < WINOGRAD_TAPS; t++)
                    to[t] = add ? to[t] + taps[t * block + lane] : taps[t * block + lane];
            }
        }
}

static void bias_gradient(const struct winograd *w, size_t images, const float *dy, bool add, float *dbias)
{
    const uint32_t block = w->kernels->block;
    const size_t floats = plane_floats(w, w->to), line = (size_t)w->to.width * block;

    for (uint32_t b = 0; b < w->out_blocks; b++) {
        double sums[MOST_BLOCK] = { 0 };
        for (size_t i = 0; i < images; i++)
            for (size_t y = 0; y < floats; y += line) {
                const float *from = dy + (i * w->out_blocks + b) * floats + y;
                float part[MOST_BLOCK] = { 0 };
                for (size_t x = 0; x < line; x += block)
                    for (uint32_t lane = 0; lane < block; lane++)
                        part[lane] += from[x + lane];
                for (uint32_t lane = 0; lane < block; lane++)
                    sums[lane] += (double)part[lane];
            }
        for (uint32_t lane = 0; lane < block && b * block + lane < w->out; lane++)
            dbias[b * block + lane] = (float)(sums[lane] + (add ? (double)dbias[b * block + lane] : 0));
    }
}

void winograd_gradient(const struct winograd *w, size_t images, const float *x, const float *dy, bool add, float *dw,
                       float *dbias, float *work)
{
    const struct cut c = cut_of(w);
    const size_t tiles = images * w->tiles_y * w->tiles_x, group = tiles ? even_part(tiles, c.group) : 1;
    const uint32_t block = w->kernels->block;
    float *errors = work + c.x.floats, *sums = errors + c.dy.floats;

    for (uint32_t b = 0; b < w->out_blocks; b += c.chunk) {
        const uint32_t blocks = b + c.chunk < w->out_blocks ? c.chunk : w->out_blocks - b;
        for (size_t first = 0; first < tiles; first += group) {
            const size_t count = first + group < tiles ? group : tiles - first;
            if (group < tiles || b == 0)
                transform_inputs(w, first, count, x, c.x, work);
            transform_errors(w, first, count, b, blocks, dy, c.dy, errors);
            for (size_t i = 0; i < WINOGRAD_PRODUCTS; i++)
                w->kernels->product(&(struct winograd_product){ .rows = w->in,
                                                                .columns = (size_t)blocks * block,
                                                                .depth = count,
                                                                .a = work + i * c.x.plane,
                                                                .a_row = 1,
                                                                .a_step = c.x.row,
                                                                .b = errors + i * c.dy.plane,
                                                                .b_step = c.dy.row,
                                                                .c = sums + i * c.sums.plane,
                                                                .c_row = c.sums.row,
                                                                .add = first > 0 });
        }
        transform_sums(w, b, blocks, sums, c.sums, add, dw);
    }
    if (dbias)
        bias_gradient(w, images, dy, add, dbias);
}
