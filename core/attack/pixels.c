/* Between pixels in [0,1] and the network's normalised input, plane by plane. */
#include "attack/pixels.h"

struct planes {
    const struct picture *picture;
    const float *x;
    float *ret;
    size_t size;                                   /* of one plane */
};

static struct planes planes_of(const struct picture *p, const float *x, float *ret)
{
    return (struct planes){ p, x, ret, (size_t)p->height * p->width };
}

static void normalise_plane(void *ctx, size_t index, uint32_t thread)
{
    const struct planes *p = ctx;
    const float mean = p->picture->mean[index % p->picture->channels];
    const float std = p->picture->std[index % p->picture->channels];

    (void)thread;
    for (size_t k = index * p->size; k < (index + 1) * p->size; k++)
        p->ret[k] = (p->x[k] - mean) / std;
}

static void divide_plane(void *ctx, size_t index, uint32_t thread)
{
    const struct planes *p = ctx;
    const float std = p->picture->std[index % p->picture->channels];

    (void)thread;
    for (size_t k = index * p->size; k < (index + 1) * p->size; k++)
        p->ret[k] /= std;
}

void pixels_normalise(const struct picture *p, struct pool *pool, uint32_t n, const float *x, float *ret)
{
    struct planes planes = planes_of(p, x, ret);
    pool_run(pool, (size_t)n * p->channels, normalise_plane, &planes);
}

void pixels_gradient(const struct picture *p, struct pool *pool, uint32_t n, float *dx)
{
    struct planes planes = planes_of(p, NULL, dx);
    pool_run(pool, (size_t)n * p->channels, divide_plane, &planes);
}
