/* Pillow's BILINEAR resize of 8-bit RGB: a triangle filter that widens when it shrinks, one axis
 * after the other, each from 8 bits to 8 bits (libImaging/Resample.c does the same sums). */
#include "formats/resize.h"
#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 22 }; /* of the fixed-point weights */

/* One axis: for each output of the window its weights and the input they begin at. */
struct axis {
    uint32_t count, taps; /* outputs; weights reserved for each */
    uint32_t *first, *used;
    int32_t *weight; /* [count][taps] */
};

static void axis_free(struct axis *a)
{
    free(a->first);
    free(a->used);
    free(a->weight);
}

static double triangle(double t)
{
    t = fabs(t);
    return t < 1.0 ? 1.0 - t : 0.0;
}

/* The weights of output `x`; the order of the sums and the product with 1 / scale are part of the
 * recipe. `real` has room for all taps. */
static void weigh(struct axis *a, uint32_t in, double scale, uint32_t x, uint32_t index, double *real)
{
    double filter_scale = scale < 1.0 ? 1.0 : scale, support = filter_scale, sum = 0;
    double center = (x + 0.5) * scale, inverse = 1.0 / filter_scale;
    int first = (int)(center - support + 0.5), last = (int)(center + support + 0.5);
    first = first < 0 ? 0 : first;
    last = last > (int)in ? (int)in : last;
    for (int i = 0; i < last - first; i++) {
        real[i] = triangle((i + first - center + 0.5) * inverse);
        sum += real[i];
    }
    for (int i = 0; i < last - first; i++) {
        double w = sum != 0.0 ? real[i] / sum : real[i];
        a->weight[(size_t)index * a->taps + (size_t)i] = (int32_t)(0.5 + w * (1 << BITS));
    }
    a->first[index] = (uint32_t)first;
    a->used[index] = (uint32_t)(last - first);
}

/* Weights for the outputs from `from` on of an axis that goes from `in` to `out`. */
static bioft_status axis_make(struct axis *a, uint32_t in, uint32_t out, uint32_t from, uint32_t count,
                              struct error *err)
{
    double scale = (double)in / out, support = scale < 1.0 ? 1.0 : scale;
    size_t weights;
    double *real = NULL;
    a->count = count;
    a->taps = (uint32_t)ceil(support) * 2 + 1;
    a->first = mem_array(count, sizeof *a->first);
    a->used = mem_array(count, sizeof *a->used);
    a->weight = mem_product(count, a->taps, &weights) ? mem_array(weights, sizeof *a->weight) : NULL;
    real = mem_array(a->taps, sizeof *real);
    if (!a->first || !a->used || !a->weight || !real) {
        free(real);
        return error_memory(err, "resizing an image");
    }
    for (uint32_t i = 0; i < count; i++)
        weigh(a, in, scale, from + i, i, real);
    free(real);
    return BIOFT_OK;
}

static uint8_t to_byte(int32_t sum)
{
    sum >>= BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* One row: `from` is the box's row, `to` gets a pixel for each output. */
static void resize_row(const struct axis *a, const uint8_t *from, uint8_t *to)
{
    for (uint32_t x = 0; x < a->count; x++) {
        const int32_t *weight = a->weight + (size_t)x * a->taps;
        const uint8_t *pixel = from + (size_t)a->first[x] * 3;
        int32_t red = 1 << (BITS - 1), green = red, blue = red;
        for (uint32_t i = 0; i < a->used[x]; i++, pixel += 3) {
            red += pixel[0] * weight[i];
            green += pixel[1] * weight[i];
            blue += pixel[2] * weight[i];
        }
        to[3 * (size_t)x] = to_byte(red);
        to[3 * (size_t)x + 1] = to_byte(green);
        to[3 * (size_t)x + 2] = to_byte(blue);
    }
}

/* One output row from the rows at `rows`; sums: a number for each byte of a row. */
static void resize_column(const struct axis *a, uint32_t y, const uint8_t *rows, size_t row_bytes, int32_t *sums,
                          uint8_t *to)
{
    const int32_t *weight = a->weight + (size_t)y * a->taps;
    for (size_t i = 0; i < row_bytes; i++)
        sums[i] = 1 << (BITS - 1);
    for (uint32_t k = 0; k < a->used[y]; k++) {
        const uint8_t *row = rows + k * row_bytes;
        int32_t w = weight[k];
        for (size_t i = 0; i < row_bytes; i++)
            sums[i] += row[i] * w;
    }
    for (size_t i = 0; i < row_bytes; i++)
        to[i] = to_byte(sums[i]);
}

static bool inside(const struct rectangle *r, uint32_t width, uint32_t height)
{
    return r->width > 0 && r->height > 0 && r->width <= width && r->height <= height && r->left <= width - r->width &&
           r->top <= height - r->height;
}

static bioft_status check(const struct resize *r, struct error *err)
{
    if (r->image_width > RESIZE_LARGEST || r->image_height > RESIZE_LARGEST || r->width > RESIZE_LARGEST ||
        r->height > RESIZE_LARGEST || !inside(&r->box, r->image_width, r->image_height) ||
        !inside(&r->window, r->width, r->height))
        return error_set(err, BIOFT_ERR_INVALID,
                         "resizing an image of %u x %u pixels: the box of %u x %u at %u, %u or "
                         "the "
                         "window of %u x %u at %u, %u in %u x %u does not lie inside",
                         r->image_width, r->image_height, r->box.width, r->box.height, r->box.left, r->box.top,
                         r->window.width, r->window.height, r->window.left, r->window.top, r->width, r->height);
    return BIOFT_OK;
}

/* A pass over an axis that keeps its size does nothing, in Pillow as here: rows are copied. */
bioft_status resize_bilinear(const struct resize *r, uint8_t *ret, struct error *err)
{
    const struct rectangle *box = &r->box, *window = &r->window;
    struct axis across = { .count = 0 }, down = { .count = 0 };
    bool resize_across = box->width != r->width, resize_down = box->height != r->height;
    size_t row_bytes = (size_t)window->width * 3, image_row = (size_t)r->image_width * 3;
    uint32_t first = window->top, rows = window->height; /* of the box that are needed */
    uint8_t *between = NULL;
    int32_t *sums = NULL;
    bioft_status st = check(r, err);
    if (st == BIOFT_OK && resize_across)
        st = axis_make(&across, box->width, r->width, window->left, window->width, err);
    if (st == BIOFT_OK && resize_down)
        st = axis_make(&down, box->height, r->height, window->top, window->height, err);
    if (st != BIOFT_OK)
        goto end;
    if (resize_down) {
        first = down.first[0];
        rows = down.first[down.count - 1] + down.used[down.count - 1] - first;
        between = mem_array(rows, row_bytes);
        sums = mem_array(row_bytes, sizeof *sums);
        if (!between || !sums) {
            st = error_memory(err, "resizing an image");
            goto end;
        }
    }
    for (uint32_t y = 0; y < rows; y++) {
        const uint8_t *from = r->pixels + (box->top + first + y) * image_row + (size_t)box->left * 3;
        uint8_t *to = (resize_down ? between : ret) + y * row_bytes;
        if (resize_across)
            resize_row(&across, from, to);
        else
            memcpy(to, from + (size_t)window->left * 3, row_bytes);
    }
    for (uint32_t y = 0; y < down.count; y++)
        resize_column(&down, y, between + (down.first[y] - first) * row_bytes, row_bytes, sums, ret + y * row_bytes);

end:
    axis_free(&across);
    axis_free(&down);
    free(between);
    free(sums);
    return st;
}
