/* Columns and the products with them. */
#include "conv.h"

#include "parallel.h"
#include "sums.h"

#include <string.h>

enum {
    COLUMN_FLOATS = 128 * 1024, /* of a block: half a megabyte, beside what BLAS packs in the second-level cache */
    POSITIONS = 256,            /* fewer columns than that make a slow product */
    SLICE_TAPS = 256,           /* the same for rows of dW */
    SLICES = 16,
    SUMS = 8,                    /* most; together enough for the threads of one machine, whatever their number */
    SUM_FLOATS = 4 * 1024 * 1024 /* most that the partial sums of one layer may take */
};

static uint32_t at_least_one(size_t value) { return value > 0 ? (uint32_t)value : 1; }

static uint32_t smaller(size_t a, size_t b) { return (uint32_t)(a < b ? a : b); }

/* The largest of `parts` even parts. */
static size_t largest_part(size_t total, size_t parts) { return parts_of(total, parts); }

/* Rows first: at least POSITIONS columns, or the whole image. Then as many channels as fit. */
static void cut(struct conv *c)
{
    size_t positions = (size_t)c->out_h * c->out_w, depth = c->in * c->taps, rows, most;

    most = COLUMN_FLOATS / depth > POSITIONS ? COLUMN_FLOATS / depth : POSITIONS;
    rows = positions <= most ? c->out_h : at_least_one(most / c->out_w);
    c->row_blocks = (uint32_t)parts_of(c->out_h, rows);
    rows = largest_part(c->out_h, c->row_blocks);
    c->channel_blocks = (uint32_t)parts_of(c->in, at_least_one(COLUMN_FLOATS / (c->taps * rows * c->out_w)));
    if (c->channel_blocks > c->in)
        c->channel_blocks = c->in;
    c->slices = smaller(at_least_one(depth / SLICE_TAPS), SLICES);
    c->slices = smaller(c->slices > c->channel_blocks ? c->slices : c->channel_blocks, c->in);
    c->columns = c->direct ? 0 : largest_part(c->in, c->channel_blocks) * c->taps * rows * c->out_w;
}

struct conv conv_plan(const bioft_layer *l)
{
    struct conv c = {
        .groups = l->groups,
        .in = l->in_channels / l->groups,
        .out = l->out_channels / l->groups,
        .in_h = l->in_h,
        .in_w = l->in_w,
        .out_h = l->out_h,
        .out_w = l->out_w,
        .kernel = { l->kernel[0], l->kernel[1] },
        .stride = { l->stride[0], l->stride[1] },
        .dilation = { l->dilation[0], l->dilation[1] },
        .top = l->padding[0],
        .left = l->padding[1],
    };

    c.taps = (size_t)c.kernel[0] * c.kernel[1];
    c.x_floats = (size_t)l->in_channels * c.in_h * c.in_w;
    c.y_floats = (size_t)l->out_channels * c.out_h * c.out_w;
    c.weights = l->out_channels * c.in * c.taps;
    c.direct = c.taps == 1 && c.stride[0] == 1 && c.stride[1] == 1 && c.in_h == c.out_h && c.in_w == c.out_w &&
               c.top == 0 && c.left == 0;
    cut(&c);
    if (c.direct)
        c.channel_blocks = c.slices = 1;
    return c;
}

double conv_work(const struct conv *c) { return (double)c->weights * c->out_h * c->out_w; }

uint32_t conv_sums(const struct conv *c, uint32_t n)
{
    size_t wanted = parts_of(SUMS, (size_t)c->groups * c->slices), fits = at_least_one(SUM_FLOATS / c->weights);

    return smaller(smaller(wanted, fits), n);
}

/* The output columns whose input column ox * stride + offset is inside the image: [*ret_from, *ret_to). */
static void inside(const struct conv *c, int64_t offset, uint32_t *ret_from, uint32_t *ret_to)
{
    int64_t stride = c->stride[1], from = offset < 0 ? (-offset + stride - 1) / stride : 0;
    int64_t to = (int64_t)c->in_w > offset ? ((int64_t)c->in_w - 1 - offset) / stride + 1 : 0;

    if (to > c->out_w)
        to = c->out_w;
    *ret_from = (uint32_t)(from < to ? from : to);
    *ret_to = (uint32_t)to;
}

/* Rows are short, so these two are spelled out in blocks of four, which become one instruction each. */
enum { BLOCK = 4 };

static inline void copy_block(float *to, const float *from) { memcpy(to, from, BLOCK * sizeof *to); }

static inline void copy_row(float *restrict to, const float *restrict from, size_t count)
{
    if (count < BLOCK) {
        for (size_t i = 0; i < count; i++)
            to[i] = from[i];
        return;
    }
    for (size_t i = 0; i + BLOCK <= count; i += BLOCK)
        copy_block(to + i, from + i);
    copy_block(to + count - BLOCK, from + count - BLOCK); /* over what is there already */
}

static inline void add_row(float *restrict to, const float *restrict from, size_t count)
{
    const size_t whole = count - count % BLOCK;

    for (size_t i = 0; i < whole; i += BLOCK)
        for (size_t k = 0; k < BLOCK; k++)
            to[i + k] += from[i + k];
    for (size_t i = whole; i < count; i++)
        to[i] += from[i];
}

/* Where weight (ky, kx) of a channel meets the image. */
struct tap {
    int64_t y, x;      /* input row and column of output row and column 0 */
    uint32_t from, to; /* output columns whose input column is inside */
};
static struct tap tap_of(const struct conv *c, uint32_t ky, uint32_t kx)
{
    struct tap t = { .y = (int64_t)ky * c->dilation[0] - c->top, .x = (int64_t)kx * c->dilation[1] - c->left };

    inside(c, t.x, &t.from, &t.to);
    return t;
}

/* One row of columns: a tap of one channel at output rows [row, row + rows). */
static void gather(const struct conv *c, const float *plane, struct tap t, uint32_t row, uint32_t rows, float *column)
{
    const uint32_t stride = c->stride[1], width = c->out_w;

    for (uint32_t r = 0; r < rows; r++, column += width) {
        int64_t y = (int64_t)(row + r) * c->stride[0] + t.y;
        const float *line;

        if (y < 0 || y >= c->in_h) {
            memset(column, 0, width * sizeof *column);
            continue;
        }
        for (uint32_t i = 0; i < t.from; i++)
            column[i] = 0;
        line = plane + (y * c->in_w + t.x + (int64_t)t.from * stride);
        if (stride == 1)
            copy_row(column + t.from, line, t.to - t.from);
        else
            for (uint32_t i = 0; i < t.to - t.from; i++)
                column[t.from + i] = line[(size_t)i * stride];
        for (uint32_t i = t.to; i < width; i++)
            column[i] = 0;
    }
}

/* The other way round: adds a row of columns to where it came from. */
static void scatter(const struct conv *c, const float *column, struct tap t, uint32_t row, uint32_t rows, float *plane)
{
    const uint32_t stride = c->stride[1];

    for (uint32_t r = 0; r < rows; r++, column += c->out_w) {
        int64_t y = (int64_t)(row + r) * c->stride[0] + t.y;
        float *line;

        if (y < 0 || y >= c->in_h)
            continue;
        line = plane + (y * c->in_w + t.x + (int64_t)t.from * stride);
        if (stride == 1)
            add_row(line, column + t.from, t.to - t.from);
        else
            for (uint32_t i = 0; i < t.to - t.from; i++)
                line[(size_t)i * stride] += column[t.from + i];
    }
}

/* Columns of `channels` channels from x on, row after row. */
static void gather_all(const struct conv *c, const float *x, size_t channels, uint32_t row, uint32_t rows,
                       float *columns)
{
    const size_t plane = (size_t)c->in_h * c->in_w, positions = (size_t)rows * c->out_w;

    for (size_t i = 0; i < channels; i++, x += plane)
        for (uint32_t ky = 0; ky < c->kernel[0]; ky++)
            for (uint32_t kx = 0; kx < c->kernel[1]; kx++, columns += positions)
                gather(c, x, tap_of(c, ky, kx), row, rows, columns);
}

/* The rows of one block, and where they are in a plane of the output. */
struct rows {
    uint32_t first, count;
    size_t offset, positions;
};
static struct rows rows_of(const struct conv *c, uint32_t block)
{
    uint32_t first = (uint32_t)part(c->out_h, c->row_blocks, block);
    uint32_t count = (uint32_t)part(c->out_h, c->row_blocks, block + 1) - first;

    return (struct rows){ first, count, (size_t)first * c->out_w, (size_t)count * c->out_w };
}

/* A matrix of columns: gathered, or the image itself where that is one. */
static const float *columns_of(const struct conv *c, const float *x, size_t channels, struct rows r, float *work,
                               size_t *ret_stride)
{
    if (c->direct) {
        *ret_stride = (size_t)c->in_h * c->in_w;
        return x + r.offset;
    }
    gather_all(c, x, channels, r.first, r.count, work);
    *ret_stride = r.positions;
    return work;
}

void conv_forward(const struct blas *blas, const struct conv *c, uint32_t block, const float *w, const float *bias,
                  const float *x, float *y, float *work)
{
    const size_t in_plane = (size_t)c->in_h * c->in_w, out_plane = (size_t)c->out_h * c->out_w;
    const size_t depth = c->in * c->taps;
    const struct rows r = rows_of(c, block);

    for (uint32_t g = 0; g < c->groups; g++) {
        float *out = y + g * c->out * out_plane + r.offset;

        for (uint32_t o = 0; bias && o < c->out; o++)
            for (size_t i = 0; i < r.positions; i++)
                out[o * out_plane + i] = bias[(size_t)g * c->out + o];
        for (uint32_t b = 0; b < c->channel_blocks; b++) {
            size_t first = part(c->in, c->channel_blocks, b), count = part(c->in, c->channel_blocks, b + 1) - first;
            size_t stride;
            const float *columns = columns_of(c, x + ((size_t)g * c->in + first) * in_plane, count, r, work, &stride);

            gemm(blas, NO, NO, c->out, r.positions, count * c->taps, w + (g * c->out * depth + first * c->taps), depth,
                 columns, stride, bias || b > 0, out, out_plane);
        }
    }
}

void conv_input_error(const struct blas *blas, const struct conv *c, uint32_t block, const float *v, const float *dy,
                      bool add, float *dx, float *work)
{
    const size_t in_plane = (size_t)c->in_h * c->in_w, out_plane = (size_t)c->out_h * c->out_w;
    const size_t depth = c->in * c->taps, g = block / c->channel_blocks;
    const size_t first = part(c->in, c->channel_blocks, block % c->channel_blocks);
    const size_t count = part(c->in, c->channel_blocks, block % c->channel_blocks + 1) - first;
    const float *feedback = v + g * c->out * depth + first * c->taps;

    dx += (g * c->in + first) * in_plane;
    dy += g * c->out * out_plane;
    if (!add && !c->direct)
        memset(dx, 0, count * in_plane * sizeof *dx);
    for (uint32_t b = 0; b < c->row_blocks; b++) {
        const struct rows r = rows_of(c, b);
        const float *column = work;

        if (c->direct) {
            gemm(blas, YES, NO, count, r.positions, c->out, feedback, depth, dy + r.offset, out_plane, add,
                 dx + r.offset, in_plane);
            continue;
        }
        gemm(blas, YES, NO, count * c->taps, r.positions, c->out, feedback, depth, dy + r.offset, out_plane, false,
             work, r.positions);
        for (size_t i = 0; i < count; i++)
            for (uint32_t ky = 0; ky < c->kernel[0]; ky++)
                for (uint32_t kx = 0; kx < c->kernel[1]; kx++, column += r.positions)
                    scatter(c, column, tap_of(c, ky, kx), r.first, r.count, dx + i * in_plane);
    }
}

void conv_weight_gradient(const struct blas *blas, const struct conv *c, uint32_t slice, uint32_t images,
                          const float *x, const float *dy, bool add, float *dw, float *dbias, float *work)
{
    const size_t in_plane = (size_t)c->in_h * c->in_w, out_plane = (size_t)c->out_h * c->out_w;
    const size_t depth = c->in * c->taps, g = slice / c->slices;
    const size_t first = part(c->in, c->slices, slice % c->slices);
    const size_t count = part(c->in, c->slices, slice % c->slices + 1) - first;

    x += (g * c->in + first) * in_plane;
    dy += g * c->out * out_plane;
    dw += g * c->out * depth + first * c->taps;
    for (uint32_t n = 0; n < images; n++, x += c->x_floats, dy += c->y_floats) {
        for (uint32_t b = 0; b < c->row_blocks; b++) {
            const struct rows r = rows_of(c, b);
            size_t stride;
            const float *columns = columns_of(c, x, count, r, work, &stride);

            gemm(blas, NO, YES, c->out, count * c->taps, r.positions, dy + r.offset, out_plane, columns, stride,
                 add || n > 0 || b > 0, dw, depth);
        }
        for (uint32_t o = 0; dbias && first == 0 && o < c->out; o++) {
            float sum = sum_of(dy + o * out_plane, out_plane);
            float *d = &dbias[g * c->out + o];
            *d = add || n > 0 ? *d + sum : sum;
        }
    }
}
