/* Transforms: the input size they give, and pixels into floats through tables. */
#include "data/transform.h"

#include "base/memory.h"
#include "data/private.h"
#include "formats/resize.h"
#include <stdio.h>
#include <stdlib.h>

/* What each byte becomes. */
static void fill_values(struct transform *t)
{
    for (uint32_t c = 0; c < t->image.channels && c < 4; c++)
        for (int v = 0; v < 256; v++) {
            const float x = (float)v / 255.0f;
            t->value[c][v] = t->normalise ? (x - t->image.mean[c]) / t->image.std[c] : x;
        }
}

void transform_init(struct transform *t, const struct batches_params *p)
{
    const struct dataset *d = p->dataset;
    const struct sides *s = &d->private->sides;
    *t = (struct transform){
        .spec = &d->spec->transform,
        .image = p->image,
        .train = p->train,
        .normalise = p->normalise,
        .natural = d->encoded || (d->channels == 3 && d->private->format == BIOFT_SAMPLE_U8_HWC),
        .small = s->max_height <= p->image.height && s->max_width <= p->image.width,
        .seed = p->seed,
        .epoch = p->epoch,
    };
    if (p->rank)
        snprintf(t->stream, sizeof t->stream, "augment/%u", p->rank);
    else
        snprintf(t->stream, sizeof t->stream, "augment");
    fill_values(t);
}

void transform_init_alone(struct transform *t, const struct transform_spec *spec, const struct image_format *image)
{
    *t = (struct transform){ .spec = spec, .image = *image, .normalise = true, .natural = true };
    fill_values(t);
}

void canvas_finish(struct canvas *c)
{
    free(c->pixels);
    *c = (struct canvas){ 0 };
}

/* The columns 0..width-1 of a window that begins at `left`, as far as they lie inside `have`
 * columns. */
static void inside(int64_t left, uint32_t width, uint32_t have, uint32_t *ret_begin, uint32_t *ret_end)
{
    const int64_t begin = left < 0 ? -left : 0, end = (int64_t)have - left;
    *ret_begin = (uint32_t)(begin < width ? begin : width);
    *ret_end = end < *ret_begin ? *ret_begin : (uint32_t)(end < width ? end : width);
}

/* One row of the window, not mirrored: bytes `step` apart through a table. */
static void row_u8(const uint8_t *from, size_t step, const float *value, uint32_t width, float *ret)
{
    if (step == 1)
        for (uint32_t x = 0; x < width; x++)
            ret[x] = value[from[x]];
    else
        for (uint32_t x = 0; x < width; x++)
            ret[x] = value[from[x * step]];
}

static void mirror(float *row, uint32_t width)
{
    for (uint32_t a = 0, b = width; a + 1 < b; a++) {
        const float v = row[a];
        row[a] = row[--b];
        row[b] = v;
    }
}

/* The window of an image of p->height x p->width into floats; zeros (black) beyond its edges. */
static void window(const struct transform *t, const struct pixels *p, const struct placement *at, float *ret)
{
    const uint32_t height = t->image.height, width = t->image.width;
    uint32_t top, bottom, left, right;

    inside(at->top, height, p->height, &top, &bottom);
    inside(at->left, width, p->width, &left, &right);
    for (uint32_t c = 0; c < t->image.channels; c++) {
        const uint32_t from = p->channels == 1 ? 0 : c;
        for (uint32_t y = 0; y < height; y++, ret += width) {
            const size_t row = (size_t)(at->top + y), column = (size_t)(at->left + left);
            const bool black = y < top || y >= bottom;
            for (uint32_t x = 0; x < (black ? width : left); x++)
                ret[x] = t->value[c][0];
            for (uint32_t x = black ? width : right; x < width; x++)
                ret[x] = t->value[c][0];
            if (!black && p->format == BIOFT_SAMPLE_U8_HWC) {
                const uint8_t *bytes = p->data;
                row_u8(bytes + (row * p->width + column) * p->channels + from, p->channels, t->value[c], right - left,
                       ret + left);
            } else if (!black) {
                const float *v = (const float *)p->data + (from * (size_t)p->height + row) * p->width + column;
                const float mean = t->normalise ? t->image.mean[c] : 0, std = t->normalise ? t->image.std[c] : 1;
                for (uint32_t x = left; x < right; x++)
                    ret[x] = (v[x - left] - mean) / std;
            }
            if (at->flip)
                mirror(ret, width);
        }
    }
}

static uint8_t *canvas_room(struct canvas *c, size_t size)
{
    if (size > c->capacity) {
        free(c->pixels);
        c->pixels = mem_aligned(size, 1);
        c->capacity = c->pixels ? size : 0;
    }
    return c->pixels;
}

/* The resizer takes three channels: grey becomes three equal ones, which resizes alike. */
static void spread(const uint8_t *grey, size_t count, uint8_t *ret)
{
    for (size_t i = 0; i < count; i++)
        ret[3 * i] = ret[3 * i + 1] = ret[3 * i + 2] = grey[i];
}

/* The part of the window that lies inside the resized image, and no more, is computed; *at
 * becomes relative to it. */
static bioft_status resize(const struct transform *t, const struct pixels *p, struct placement *at,
                           struct canvas *canvas, struct pixels *ret, struct error *err)
{
    const size_t source = (size_t)p->height * p->width;
    uint32_t top, bottom, left, right;
    struct resize r;
    uint8_t *room;

    if (p->format != BIOFT_SAMPLE_U8_HWC || (p->channels != 1 && p->channels != 3))
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "%ux%u pixels of %u channel%s%s are not resized: save them as uint8 of "
                         "1 or 3 channels, or use 'transform: none'",
                         p->width, p->height, p->channels, p->channels == 1 ? "" : "s",
                         p->format == BIOFT_SAMPLE_U8_HWC ? "" : " in floats");
    inside(at->top, t->image.height, at->height, &top, &bottom);
    inside(at->left, t->image.width, at->width, &left, &right);
    r = (struct resize){
        .pixels = p->data,
        .image_width = p->width,
        .image_height = p->height,
        .box = { .left = at->box_left, .top = at->box_top, .width = at->box_width, .height = at->box_height },
        .width = at->width,
        .height = at->height,
        .window = { .left = (uint32_t)(at->left + left),
                    .top = (uint32_t)(at->top + top),
                    .width = right - left,
                    .height = bottom - top },
    };
    const size_t result = (size_t)r.window.width * r.window.height * 3;
    room = canvas_room(canvas, result + (p->channels == 1 ? source * 3 : 0));
    if (!room)
        return error_memory(err, "resizing an image");
    if (p->channels == 1) {
        spread(p->data, source, room + result);
        r.pixels = room + result;
    }
    *ret = (struct pixels){
        .format = p->format, .height = r.window.height, .width = r.window.width, .channels = 3, .data = room
    };
    at->top = -(int64_t)top;
    at->left = -(int64_t)left;
    return resize_bilinear(&r, room, err);
}

bioft_status transform_apply(const struct transform *t, const struct pixels *p, uint64_t sample, struct canvas *canvas,
                             float *ret, struct error *err)
{
    struct placement at;
    struct pixels resized = *p;
    bioft_status st = transform_place(t, p->height, p->width, sample, &at, err);

    if (st != BIOFT_OK)
        return st;
    if (p->channels != t->image.channels && p->channels != 1)
        return error_set(err, BIOFT_ERR_FORMAT, "%u channels where the others have %u", p->channels, t->image.channels);
    if (at.box_height != p->height || at.box_width != p->width || at.height != p->height || at.width != p->width)
        st = resize(t, p, &at, canvas, &resized, err);
    if (st == BIOFT_OK)
        window(t, &resized, &at, ret);
    return st;
}
