/* Geometry of the transforms, as torchvision has it; random numbers by (seed, epoch, sample), whatever the threads. */
#include "data/transform.h"

#include "base/random.h"
#include "data/private.h"
#include <math.h>
#include <string.h>

/* Numbers of the stream "augment": what each draw of a sample is for. */
enum { DRAW_FLIP, DRAW_TOP, DRAW_LEFT, DRAW_BOX, TRIES = 10, DRAWS = DRAW_BOX + 4 * TRIES };

enum { PUBLISHED_RESIZE = 256, PUBLISHED_CROP = 224 };     /* of torchvision's evaluation */

static void draw(const struct transform *t, uint64_t sample, float *ret, size_t count)
{
    random_fill(BIOFT_UNIFORM, t->seed, "augment", t->epoch << 40 | sample, 0, ret, count);
}

/* 0..choices-1 from a number in [0,1). */
static uint32_t pick(float u, uint32_t choices)
{
    return (uint32_t)((double)u * choices);
}

/* Resize(s): the shorter side becomes s, the longer one follows, truncated. */
static void resize_shorter(uint32_t s, struct placement *p)
{
    const uint64_t w = p->box_width, h = p->box_height;
    if (w <= h) {
        p->width = s;
        p->height = (uint32_t)((double)((uint64_t)s * h) / (double)w);
    } else {
        p->height = s;
        p->width = (uint32_t)((double)((uint64_t)s * w) / (double)h);
    }
}

/* CenterCrop along one side: rounds half to even; a smaller picture gets zeros on both sides first. */
static int64_t centre(uint32_t have, uint32_t want)
{
    if (have < want)
        return -(int64_t)((want - have) / 2);
    return (int64_t)nearbyint((have - want) / 2.0);
}

static void centre_crop(const struct transform *t, struct placement *p)
{
    p->top = centre(p->height, t->picture.height);
    p->left = centre(p->width, t->picture.width);
}

/* RandomCrop(size, padding). The caller knows that the padded picture is large enough. */
static void random_crop(const struct transform *t, const float *u, uint32_t padding, struct placement *p)
{
    const uint32_t padded_height = p->height + 2 * padding, padded_width = p->width + 2 * padding;
    p->top = (int64_t)pick(u[DRAW_TOP], padded_height - t->picture.height + 1) - padding;
    p->left = (int64_t)pick(u[DRAW_LEFT], padded_width - t->picture.width + 1) - padding;
}

/* RandomResizedCrop: scale (0.08, 1), ratio (3/4, 4/3), ten tries, else the centre. */
static void random_resized_crop(const struct transform *t, const float *u, struct placement *p)
{
    const uint32_t height = p->box_height, width = p->box_width;
    const double log_low = log(3.0 / 4.0), log_high = log(4.0 / 3.0);

    p->height = t->picture.height;
    p->width = t->picture.width;
    for (int k = 0; k < TRIES; k++, u += 4) {
        const double area = (double)height * width * (0.08 + (1.0 - 0.08) * (double)u[DRAW_BOX]);
        const double ratio = exp(log_low + (log_high - log_low) * (double)u[DRAW_BOX + 1]);
        const double w = nearbyint(sqrt(area * ratio)), h = nearbyint(sqrt(area / ratio));
        if (w > 0 && w <= width && h > 0 && h <= height) {
            p->box_width = (uint32_t)w;
            p->box_height = (uint32_t)h;
            p->box_top = pick(u[DRAW_BOX + 2], height - p->box_height + 1);
            p->box_left = pick(u[DRAW_BOX + 3], width - p->box_width + 1);
            return;
        }
    }
    if ((double)width / height < 3.0 / 4.0)
        p->box_height = (uint32_t)nearbyint(width / (3.0 / 4.0));
    else if ((double)width / height > 4.0 / 3.0)
        p->box_width = (uint32_t)nearbyint(height * (4.0 / 3.0));
    p->box_top = (height - p->box_height) / 2;
    p->box_left = (width - p->box_width) / 2;
}

/* Pictures of the world, as against arrays whose mirror image may mean something else: those that auto augments. */
static bool natural(const struct dataset *d)
{
    return d->encoded || (d->channels == 3 && d->private->format == BIOFT_SAMPLE_U8_HWC);
}

/* A set of pictures none of which is larger than the input. */
static bool small_set(const struct transform *t)
{
    const struct sides *s = &t->dataset->private->sides;
    return s->max_height <= t->picture.height && s->max_width <= t->picture.width;
}

static void place_auto(const struct transform *t, uint64_t sample, struct placement *p)
{
    const uint32_t shorter = t->picture.height < t->picture.width ? t->picture.height : t->picture.width;
    const bool augment = t->train && natural(t->dataset);
    float u[DRAW_BOX];

    if (augment) {
        draw(t, sample, u, DRAW_BOX);
        p->flip = u[DRAW_FLIP] < 0.5f;
    }
    if (small_set(t)) {
        p->height = t->picture.height;
        p->width = t->picture.width;
        return;
    }
    resize_shorter((uint32_t)(((uint64_t)shorter * PUBLISHED_RESIZE + PUBLISHED_CROP / 2) / PUBLISHED_CROP), p);
    if (augment && p->height >= t->picture.height && p->width >= t->picture.width)
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
        resize_shorter(spec->resize, p);
    else if (p->height != t->picture.height || p->width != t->picture.width)
        resize_shorter(t->picture.height > t->picture.width ? t->picture.height : t->picture.width, p);
    if (t->train && spec->train == CROP_RANDOM)
        random_crop(t, u, spec->padding, p);
    else
        centre_crop(t, p);
}

bioft_status transform_place(const struct transform *t, uint32_t source_height, uint32_t source_width, uint64_t sample,
                             struct placement *ret, struct error *err)
{
    struct placement p = {
        .box_height = source_height, .box_width = source_width, .height = source_height, .width = source_width,
    };

    if (t->spec->kind == TRANSFORM_AUTO)
        place_auto(t, sample, &p);
    else if (t->spec->kind == TRANSFORM_MAP)
        place_map(t, sample, &p);
    else if (source_height != t->picture.height || source_width != t->picture.width)
        return error_set(err, BIOFT_ERR_INVALID, "a picture of %ux%u where the network takes %ux%u, and 'transform: none' "
                         "leaves pictures as they are", source_width, source_height, t->picture.width,
                         t->picture.height);
    *ret = p;
    return BIOFT_OK;
}
