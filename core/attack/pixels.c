/* Between pixels in [0,1] and the network's normalised input, plane by plane. */
#include "attack/pixels.h"

#include <stdatomic.h>
#include <string.h>

struct planes {
    const struct image_format *image;
    const float *x;
    float *ret;
    size_t size; /* of one plane */
};

static struct planes planes_of(const struct image_format *p, const float *x, float *ret)
{
    return (struct planes){ p, x, ret, (size_t)p->height * p->width };
}

static void normalise_plane(void *ctx, size_t index, uint32_t thread)
{
    const struct planes *p = ctx;
    const float mean = p->image->mean[index % p->image->channels];
    const float std = p->image->std[index % p->image->channels];

    (void)thread;
    for (size_t k = index * p->size; k < (index + 1) * p->size; k++)
        p->ret[k] = (p->x[k] - mean) / std;
}

static void divide_plane(void *ctx, size_t index, uint32_t thread)
{
    const struct planes *p = ctx;
    const float std = p->image->std[index % p->image->channels];

    (void)thread;
    for (size_t k = index * p->size; k < (index + 1) * p->size; k++)
        p->ret[k] /= std;
}

void pixels_normalise(const struct image_format *p, struct pool *pool, uint32_t n, const float *x, float *ret)
{
    struct planes planes = planes_of(p, x, ret);
    pool_run(pool, (size_t)n * p->channels, normalise_plane, &planes);
}

void pixels_gradient(const struct image_format *p, struct pool *pool, uint32_t n, float *dx)
{
    struct planes planes = planes_of(p, NULL, dx);
    pool_run(pool, (size_t)n * p->channels, divide_plane, &planes);
}

struct pair {
    const float *a, *b;
    float *ret;
    size_t bytes; /* of one image */
    atomic_bool differ;
};

static void copy_image(void *ctx, size_t index, uint32_t thread)
{
    const struct pair *p = ctx;
    const size_t at = index * p->bytes / sizeof *p->a;

    (void)thread;
    memcpy(p->ret + at, p->a + at, p->bytes);
}

static void compare_image(void *ctx, size_t index, uint32_t thread)
{
    struct pair *p = ctx;
    const size_t at = index * p->bytes / sizeof *p->a;

    (void)thread;
    if (!atomic_load(&p->differ) && memcmp(p->a + at, p->b + at, p->bytes) != 0)
        atomic_store(&p->differ, true);
}

void pixels_copy(const struct image_format *p, struct pool *pool, uint32_t n, const float *x, float *ret)
{
    struct pair pair = { .a = x, .ret = ret, .bytes = sizeof *x * pixels_count(p) };
    pool_run(pool, n, copy_image, &pair);
}

bool pixels_same(const struct image_format *p, struct pool *pool, uint32_t n, const float *a, const float *b)
{
    struct pair pair = { .a = a, .b = b, .bytes = sizeof *a * pixels_count(p) };

    atomic_init(&pair.differ, false);
    pool_run(pool, n, compare_image, &pair);
    return !atomic_load(&pair.differ);
}
