/* Winograd's convolutions against the plain sum in double: forward, the error of the input and the gradient, in every
 * instruction set that this CPU has. */
#include "../../../plugins/engines/common/winograd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of the sum of the products' absolute values, and of 0.1 where the rounding of a tile's other outputs is all. */
static const double TOLERANCE = 1e-5;

struct shape {
    uint32_t images, in, out, height, width;
    uint32_t padding[4]; /* top, left, bottom, right */
};
static const struct shape shapes[] = {
    { 1, 1, 1, 3, 3, { 0, 0, 0, 0 } },      { 1, 1, 1, 1, 1, { 1, 1, 1, 1 } },
    { 1, 1, 5, 4, 4, { 1, 1, 1, 1 } },      { 1, 3, 17, 6, 9, { 1, 1, 1, 1 } },
    { 2, 16, 16, 8, 8, { 1, 1, 1, 1 } },    { 3, 20, 33, 7, 5, { 1, 1, 1, 1 } },
    { 1, 48, 40, 13, 11, { 0, 0, 0, 0 } },  { 2, 7, 9, 5, 6, { 2, 0, 1, 2 } },
    { 1, 4, 6, 3, 2, { 4, 3, 5, 3 } },      { 7, 32, 24, 2, 3, { 1, 1, 1, 1 } },
    { 2, 34, 72, 9, 10, { 1, 1, 1, 1 } },   { 1, 1, 3, 80, 90, { 1, 1, 1, 1 } }, /* tiles in several groups */
    { 63, 800, 150, 3, 3, { 0, 0, 0, 0 } }, /* gradients in several groups and chunks */
};

struct problem {
    const struct winograd_kernels *kernels;
    struct shape s;
    bioft_node conv;
    float *x, *dy, *w, *factor, *bias; /* plain: [image][channel][height][width] */
};

static float *array(size_t count)
{
    float *ret = calloc(count + 1, sizeof *ret);

    assert_non_null(ret);
    return ret;
}

static float *draws(size_t count, uint32_t seed)
{
    float *ret = array(count);

    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        ret[i] = (float)(int32_t)seed * 0x1p-31f;
    }
    return ret;
}

static struct problem begin(const struct winograd_kernels *k, const struct shape *s)
{
    struct problem p = { .kernels = k, .s = *s };

    p.conv = (bioft_node){ .struct_size = sizeof p.conv,
                           .op = BIOFT_OP_CONV2D,
                           .channels = s->out,
                           .height = s->height + s->padding[0] + s->padding[2] - 2,
                           .width = s->width + s->padding[1] + s->padding[3] - 2,
                           .kernel = { 3, 3 },
                           .stride = { 1, 1 },
                           .dilation = { 1, 1 },
                           .groups = 1 };
    memcpy(p.conv.padding, s->padding, sizeof s->padding);
    p.x = draws((size_t)s->images * s->in * s->height * s->width, 1);
    p.dy = draws((size_t)s->images * s->out * p.conv.height * p.conv.width, 2);
    p.w = draws((size_t)s->out * s->in * 9, 3);
    p.factor = draws(s->out, 4);
    p.bias = draws(s->out, 5);
    return p;
}

static void end(struct problem *p)
{
    free(p->x);
    free(p->dy);
    free(p->w);
    free(p->factor);
    free(p->bias);
}

static uint32_t blocks_of(const struct problem *p, uint32_t channels)
{
    return (channels + p->kernels->block - 1) / p->kernels->block;
}

/* Plain to blocks with zeros at the end, and back. */
static float *blocked(const struct problem *p, const float *plain, uint32_t channels, size_t plane)
{
    const uint32_t block = p->kernels->block, blocks = blocks_of(p, channels);
    float *ret = array((size_t)p->s.images * blocks * block * plane);

    for (size_t i = 0; i < p->s.images; i++)
        for (uint32_t c = 0; c < channels; c++)
            for (size_t k = 0; k < plane; k++)
                ret[((i * blocks + c / block) * plane + k) * block + c % block] = plain[(i * channels + c) * plane + k];
    return ret;
}

static float value_of(const struct problem *p, const float *array, size_t image, uint32_t c, uint32_t channels,
                      size_t plane, size_t at)
{
    const uint32_t block = p->kernels->block;

    return array[((image * blocks_of(p, channels) + c / block) * plane + at) * block + c % block];
}

/* A sum in double, and of absolute values. */
struct sum {
    double value, size;
};
static void add(struct sum *s, double product)
{
    s->value += product;
    s->size += fabs(product);
}

static void same(const struct problem *p, const char *what, struct sum expected, float value)
{
    if (!(fabs(expected.value - (double)value) <= TOLERANCE * (expected.size + 0.1)))
        fail_msg("%s, %s of %ux%ux%ux%u: %.9g instead of %.9g", p->kernels->name, what, p->s.images, p->s.in,
                 p->s.height, p->s.width, (double)value, expected.value);
}

static struct sum forward_sum(const struct problem *p, size_t i, uint32_t o, int oy, int ox)
{
    struct sum ret = { 0, 0 };

    for (uint32_t c = 0; c < p->s.in; c++)
        for (int t = 0; t < 9; t++) {
            const int iy = oy + t / 3 - (int)p->s.padding[0], ix = ox + t % 3 - (int)p->s.padding[1];
            if (iy < 0 || ix < 0 || iy >= (int)p->s.height || ix >= (int)p->s.width)
                continue;
            add(&ret, (double)p->factor[o] * (double)p->w[(o * p->s.in + c) * 9 + (uint32_t)t] *
                          (double)p->x[((i * p->s.in + c) * p->s.height + (size_t)iy) * p->s.width + (size_t)ix]);
        }
    return ret;
}

static float *pack(const struct winograd *w, const float *weights, const float *factor)
{
    float *ret = array(winograd_weights(w));

    for (uint32_t b = 0; b < w->out_blocks; b++)
        assert_true(winograd_pack(w, weights, factor, b, ret));
    return ret;
}

/* Shapes for one direction only: the plain sum takes long. */
static bool large(const struct problem *p) { return p->s.in > 500; }

static void check_forward(const struct problem *p)
{
    const struct winograd w = winograd_forward(p->kernels, &p->conv, p->s.in, p->s.height, p->s.width);
    const size_t plane = (size_t)p->conv.height * p->conv.width, floats = w.out_blocks * w.kernels->block * plane;
    float *x = blocked(p, p->x, p->s.in, (size_t)p->s.height * p->s.width), *packed = pack(&w, p->w, p->factor);
    float *other = blocked(p, p->dy, p->s.out, plane), *y = array(p->s.images * floats);
    float *work = array(winograd_work(&w));

    for (int fused = 0; fused < 2; fused++) {
        const struct winograd_end e = { .bias = fused ? p->bias : NULL, .other = fused ? other : NULL, .relu = fused };
        for (size_t i = 0; i < p->s.images * floats; i++)
            y[i] = NAN;
        winograd_run(&w, packed, p->s.images, x, &e, y, work);
        for (size_t i = 0; i < p->s.images; i++)
            for (uint32_t o = 0; o < p->s.out; o++)
                for (size_t k = 0; k < plane; k++) {
                    struct sum s = forward_sum(p, i, o, (int)(k / p->conv.width), (int)(k % p->conv.width));
                    if (fused)
                        add(&s, (double)p->bias[o]);
                    if (fused)
                        add(&s, (double)p->dy[(i * p->s.out + o) * plane + k]);
                    s.value = fused && s.value < 0 ? 0 : s.value;
                    same(p, "output", s, value_of(p, y, i, o, p->s.out, plane, k));
                }
        for (size_t i = 0; i < p->s.images * floats; i++)
            assert_false(isnan(y[i]));
    }
    free(x);
    free(packed);
    free(other);
    free(y);
    free(work);
}

static struct sum error_sum(const struct problem *p, size_t i, uint32_t c, int iy, int ix)
{
    struct sum ret = { 0, 0 };

    for (uint32_t o = 0; o < p->s.out; o++)
        for (int t = 0; t < 9; t++) {
            const int oy = iy - t / 3 + (int)p->s.padding[0], ox = ix - t % 3 + (int)p->s.padding[1];
            if (oy < 0 || ox < 0 || oy >= (int)p->conv.height || ox >= (int)p->conv.width)
                continue;
            add(&ret,
                (double)p->factor[o] * (double)p->w[(o * p->s.in + c) * 9 + (uint32_t)t] *
                    (double)p->dy[((i * p->s.out + o) * p->conv.height + (size_t)oy) * p->conv.width + (size_t)ox]);
        }
    return ret;
}

static void check_input_error(const struct problem *p)
{
    const struct winograd w = winograd_input_error(p->kernels, &p->conv, p->s.in, p->s.height, p->s.width);
    const size_t plane = (size_t)p->s.height * p->s.width, floats = w.out_blocks * w.kernels->block * plane;
    float *dy = blocked(p, p->dy, p->s.out, (size_t)p->conv.height * p->conv.width);
    float *packed = pack(&w, p->w, p->factor), *dx = array(p->s.images * floats), *work = array(winograd_work(&w));

    for (int adds = 0; adds < 2; adds++) {
        for (size_t i = 0; i < p->s.images * floats; i++)
            dx[i] = adds ? 1.0f : NAN;
        winograd_run(&w, packed, p->s.images, dy, &(struct winograd_end){ .add = adds }, dx, work);
        for (size_t i = 0; i < p->s.images; i++)
            for (uint32_t c = 0; c < p->s.in; c++)
                for (size_t k = 0; k < plane; k++) {
                    struct sum s = error_sum(p, i, c, (int)(k / p->s.width), (int)(k % p->s.width));
                    if (adds)
                        add(&s, 1);
                    same(p, "input error", s, value_of(p, dx, i, c, p->s.in, plane, k));
                }
    }
    free(dy);
    free(packed);
    free(dx);
    free(work);
}

static struct sum gradient_sum(const struct problem *p, uint32_t o, uint32_t c, int tap)
{
    struct sum ret = { 0, 0 };

    for (size_t i = 0; i < p->s.images; i++)
        for (int oy = 0; oy < (int)p->conv.height; oy++)
            for (int ox = 0; ox < (int)p->conv.width; ox++) {
                const int iy = oy + tap / 3 - (int)p->s.padding[0], ix = ox + tap % 3 - (int)p->s.padding[1];
                if (iy < 0 || ix < 0 || iy >= (int)p->s.height || ix >= (int)p->s.width)
                    continue;
                add(&ret,
                    (double)p->dy[((i * p->s.out + o) * p->conv.height + (size_t)oy) * p->conv.width + (size_t)ox] *
                        (double)p->x[((i * p->s.in + c) * p->s.height + (size_t)iy) * p->s.width + (size_t)ix]);
            }
    return ret;
}

static void check_gradient(const struct problem *p)
{
    const struct winograd w = winograd_forward(p->kernels, &p->conv, p->s.in, p->s.height, p->s.width);
    const size_t plane = (size_t)p->conv.height * p->conv.width, weights = (size_t)p->s.out * p->s.in * 9;
    float *x = blocked(p, p->x, p->s.in, (size_t)p->s.height * p->s.width), *dy = blocked(p, p->dy, p->s.out, plane);
    float *dw = array(weights), *db = array(p->s.out), *work = array(winograd_gradient_work(&w));

    for (int adds = 0; adds < 2; adds++) {
        for (size_t i = 0; i < weights; i++)
            dw[i] = adds ? 1.0f : NAN;
        for (uint32_t o = 0; o < p->s.out; o++)
            db[o] = adds ? 1.0f : NAN;
        winograd_gradient(&w, p->s.images, x, dy, adds, dw, db, work);
        for (uint32_t o = 0; o < p->s.out; o++) {
            struct sum bias = { adds, adds };
            for (uint32_t c = 0; c < p->s.in; c++)
                for (int t = 0; t < 9; t++) {
                    struct sum s = gradient_sum(p, o, c, t);
                    if (adds)
                        add(&s, 1);
                    same(p, "gradient", s, dw[(o * p->s.in + c) * 9 + (uint32_t)t]);
                }
            for (size_t i = 0; i < p->s.images; i++)
                for (size_t k = 0; k < plane; k++)
                    add(&bias, (double)p->dy[(i * p->s.out + o) * plane + k]);
            same(p, "bias's gradient", bias, db[o]);
        }
    }
    free(x);
    free(dy);
    free(dw);
    free(db);
    free(work);
}

static void every_set(void (*check)(const struct problem *p), bool large_too)
{
    static const char *const names[] = { "plain", "avx2", "avx512" };
    const struct winograd_kernels *last = NULL;

    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        const struct winograd_kernels *k;
        setenv("BIOFT_ISA", names[n], 1);
        k = winograd_kernels_for(0);
        assert_non_null(k);
        if (k == last)
            continue; /* this CPU has no wider one */
        last = k;
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct problem p = begin(k, &shapes[i]);
            if (large_too || !large(&p))
                check(&p);
            end(&p);
        }
    }
    unsetenv("BIOFT_ISA");
}

static void forward(void **state)
{
    (void)state;
    every_set(check_forward, false);
}

static void input_error(void **state)
{
    (void)state;
    every_set(check_input_error, false);
}

static void gradient(void **state)
{
    (void)state;
    every_set(check_gradient, true);
}

static void not_finite_weights_are_seen(void **state)
{
    const struct winograd_kernels *k = winograd_kernels_for(0);
    struct problem p = begin(k, &shapes[3]);
    const struct winograd w = winograd_forward(k, &p.conv, p.s.in, p.s.height, p.s.width);
    float *packed = array(winograd_weights(&w));

    (void)state;
    p.w[(16 * 3 + 2) * 9 + 8] = INFINITY;
    assert_false(winograd_pack(&w, p.w, NULL, 16 / k->block, packed));
    p.w[(16 * 3 + 2) * 9 + 8] = NAN;
    assert_false(winograd_pack(&w, p.w, NULL, 16 / k->block, packed));
    p.w[(16 * 3 + 2) * 9 + 8] = 1;
    assert_true(winograd_pack(&w, p.w, NULL, 16 / k->block, packed));
    free(packed);
    end(&p);
}

static void what_suits(void **state)
{
    struct problem p = begin(winograd_kernels_for(0), &shapes[0]);
    bioft_node other;

    (void)state;
    assert_true(winograd_suits(&p.conv));
    other = p.conv;
    other.stride[1] = 2;
    assert_false(winograd_suits(&other));
    other = p.conv;
    other.dilation[0] = 2;
    assert_false(winograd_suits(&other));
    other = p.conv;
    other.kernel[0] = 5;
    assert_false(winograd_suits(&other));
    other = p.conv;
    other.groups = 2;
    assert_false(winograd_suits(&other));
    assert_false(winograd_pays(&p.conv, 1));
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward),    cmocka_unit_test(input_error),
        cmocka_unit_test(gradient),   cmocka_unit_test(not_finite_weights_are_seen),
        cmocka_unit_test(what_suits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
