/* Geometry of the transforms, as torchvision has it; random numbers by (seed, epoch, sample),
 * whatever the threads. */
#include "data/transform.h"

#include "base/random.h"
#include "formats/resize.h"

/* Numbers of the stream "augment": what each draw of a sample is for. */
enum { DRAW_FLIP, DRAW_TOP, DRAW_LEFT, DRAW_BOX, DRAWS = DRAW_BOX + RESIZE_UNIFORMS };

enum { PUBLISHED_RESIZE = 256, PUBLISHED_CROP = 224 }; /* of torchvision's evaluation */

static void draw(const struct transform *t, uint64_t sample, float *ret, size_t count)
{
    random_fill(BIOFT_UNIFORM, t->seed, t->stream, t->epoch << 40 | sample, 0, ret, count);
}

/* 0..choices-1 from a number in [0,1). */
static uint32_t pick(float u, uint32_t choices) { return (uint32_t)((double)u * choices); }

/* The box resized so that its shorter side has `side`. */
static void resize_to(uint32_t side, struct placement *p)
{
    resize_shorter_side(p->box_width, p->box_height, side, &p->width, &p->height);
}

static void centre_crop(const struct transform *t, struct placement *p)
{
    p->top = resize_center_crop(p->width, p->height, t->image.height).top;
    p->left = resize_center_crop(p->width, p->height, t->image.width).left;
}

/* RandomCrop(size, padding). The caller knows that the padded image is large enough. */
static void random_crop(const struct transform *t, const float *u, uint32_t padding, struct placement *p)
{
    const uint32_t padded_height = p->height + 2 * padding, padded_width = p->width + 2 * padding;
    p->top = (int64_t)pick(u[DRAW_TOP], padded_height - t->image.height + 1) - padding;
    p->left = (int64_t)pick(u[DRAW_LEFT], padded_width - t->image.width + 1) - padding;
}

static void random_resized_crop(const struct transform *t, const float *u, struct placement *p)
{
    static const double scale[2] = { 0.08, 1.0 }, ratio[2] = { 3.0 / 4.0, 4.0 / 3.0 }; /* torchvision's */
    const struct rectangle box = resize_random_crop(p->box_width, p->box_height, scale, ratio, u + DRAW_BOX);

    p->box_top = box.top;
    p->box_left = box.left;
    p->box_height = box.height;
    p->box_width = box.width;
    p->height = t->image.height;
    p->width = t->image.width;
}

static void place_auto(const struct transform *t, uint64_t sample, struct placement *p)
{
    const uint32_t shorter = t->image.height < t->image.width ? t->image.height : t->image.width;
    const bool augment = t->train && t->natural;
    float u[DRAW_BOX];

    if (augment) {
        draw(t, sample, u, DRAW_BOX);
        p->flip = u[DRAW_FLIP] < 0.5f;
    }
    if (t->small) {
        p->height = t->image.height;
        p->width = t->image.width;
        return;
    }
    resize_to((uint32_t)(((uint64_t)shorter * PUBLISHED_RESIZE + PUBLISHED_CROP / 2) / PUBLISHED_CROP), p);
    if (augment && p->height >= t->image.height && p->width >= t->image.width)
        random_crop(t, u, 0, p);
    else
        centre_crop(t, p);
}

static void place_map(const struct transform *t, uint64_t sample, struct placement *p)
{
    const struct transform_spec *spec = t->spec;
    const bool random = t->train && (spec->train != CROP_NONE || spec->flip);
    float u[DRAWS];

    if (random) {
        draw(t, sample, u, DRAWS);
        p->flip = spec->flip && u[DRAW_FLIP] < 0.5f;
    }
    if (t->train && spec->train == CROP_RANDOM_RESIZED) {
        random_resized_crop(t, u, p);
        return;
    }
    if (spec->resize)
        resize_to(spec->resize, p);
    else if (p->height != t->image.height || p->width != t->image.width)
        resize_to(t->image.height > t->image.width ? t->image.height : t->image.width, p);
    if (t->train && spec->train == CROP_RANDOM)
        random_crop(t, u, spec->padding, p);
    else
        centre_crop(t, p);
}

bioft_status transform_place(const struct transform *t, uint32_t source_height, uint32_t source_width, uint64_t sample,
                             struct placement *ret, struct error *err)
{
    struct placement p = {
        .box_height = source_height,
        .box_width = source_width,
        .height = source_height,
        .width = source_width,
    };

    if (t->spec->kind == TRANSFORM_AUTO)
        place_auto(t, sample, &p);
    else if (t->spec->kind == TRANSFORM_MAP)
        place_map(t, sample, &p);
    else if (source_height != t->image.height || source_width != t->image.width)
        return error_set(err, BIOFT_ERR_INVALID,
                         "an image of %ux%u where the network takes %ux%u, and 'transform: none' "
                         "leaves images as they are",
                         source_width, source_height, t->image.width, t->image.height);
    *ret = p;
    return BIOFT_OK;
}
