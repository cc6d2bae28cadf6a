/* The loops of pooling and batchnorm against their formulas value by value, in every instruction set that this CPU has:
 * the same bits. Depthwise convolutions against the sum in double. */
#include "../../../plugins/engines/onednn/lanes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 600, WIDTH = 7, ROWS = 5, RUN = 256 };

struct problem {
    const struct lanes *set;
    uint32_t block;
    float x[VALUES * MOST_BLOCK], y[VALUES * MOST_BLOCK], other[VALUES * MOST_BLOCK], got[VALUES * MOST_BLOCK];
    float a[MOST_BLOCK], b[MOST_BLOCK];
};

/* Few different values, so that there are ties and zeros of both signs; now and then one that is not finite. */
static void draw(float *ret, size_t count, uint32_t seed, bool odd)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        ret[i] = (float)((int32_t)(seed >> 24) - 128) / 32 * (seed & 0x800000 ? 1.0f : 1.1f);
        if (odd && (seed >> 8) % 41 == 0)
            ret[i] = (seed >> 8) % 3 == 0 ? NAN : (seed >> 8) % 3 == 1 ? -INFINITY : -0.0f;
    }
}

static void same(const float *got, const float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(expected[i]) ? !isnan(got[i]) : memcmp(&got[i], &expected[i], sizeof *got) != 0)
            fail_msg("value %zu is %a, expected %a", i, (double)got[i], (double)expected[i]);
}

static void every_set(void (*check)(struct problem *p))
{
    static const char *const names[] = { "plain", "avx2", "avx512" };
    struct problem *p = malloc(sizeof *p);

    assert_non_null(p);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (uint32_t block = 8; block <= MOST_BLOCK; block += 8) {
            setenv("BIOFT_ISA", names[n], 1);
            *p = (struct problem){ .set = lanes_for(block), .block = block };
            draw(p->x, VALUES * block, 1, true);
            draw(p->y, VALUES * block, 2, true);
            draw(p->other, VALUES * block, 3, false);
            draw(p->a, block, 4, false);
            draw(p->b, block, 5, false);
            check(p);
        }
    unsetenv("BIOFT_ISA");
    free(p);
}

static void the_widest_set_fits(void **state)
{
    (void)state;
    setenv("BIOFT_ISA", "plain", 1);
    assert_ptr_equal(lanes_for(16), &lanes_plain);
    unsetenv("BIOFT_ISA");
    assert_int_equal(8 % lanes_for(8)->lanes, 0);
    assert_true(lanes_for(16)->lanes >= lanes_for(8)->lanes);
}

static void check_pool(struct problem *p, const struct pool_window *w)
{
    float y[MOST_BLOCK], best[MOST_BLOCK], dx[ROWS * WIDTH * MOST_BLOCK];
    uint16_t positions[MOST_BLOCK], at[MOST_BLOCK];
    const size_t floats = (size_t)ROWS * WIDTH * p->block;

    memcpy(dx, p->other, floats * sizeof *dx);
    for (uint32_t l = 0; l < p->block; l++) {
        size_t winner = w->first + l;
        best[l] = -INFINITY;
        at[l] = (uint16_t)w->position;
        for (uint32_t r = 0; r < w->rows; r++)
            for (uint32_t c = 0; c < w->columns; c++) {
                const size_t k = w->first + r * w->down + c * w->right + l;
                if (isnan(best[l]) || p->x[k] <= best[l])
                    continue;
                best[l] = p->x[k];
                at[l] = (uint16_t)(w->position + r * w->width + c);
                winner = k;
            }
        dx[winner] += p->y[l];
    }
    p->set->pool_max(w, p->block, p->x, y, NULL);
    same(y, best, p->block);
    p->set->pool_max(w, p->block, p->x, y, positions);
    same(y, best, p->block);
    assert_memory_equal(positions, at, p->block * sizeof *at);
    memcpy(p->got, p->other, floats * sizeof *dx);
    p->set->pool_max_error(w, p->block, p->y, positions, p->got);
    same(p->got, dx, floats);
}

static void pool(struct problem *p)
{
    const size_t right = p->block, down = WIDTH * right;

    for (size_t first = 0; first < 4; first++)
        for (uint32_t rows = 1; rows <= 3; rows++)
            check_pool(p, &(struct pool_window){ first * right, down, right, rows, 3, 0, 3 });
    check_pool(p, &(struct pool_window){ down, 2 * down, 2 * right, 2, 3, 4, 3 }); /* dilated, cut at the top left */
}

static void scale(struct problem *p)
{
    float expected[VALUES * MOST_BLOCK];

    for (int what = 0; what < 4; what++) {
        const float *other = what & 1 ? p->other : NULL;
        for (uint32_t k = 0; k < VALUES * p->block; k++) {
            const float product = p->x[k] * p->a[k % p->block], sum = product + p->b[k % p->block];
            const float v = other ? sum + other[k] : sum;
            expected[k] = what & 2 && v < 0 ? 0 : v;
        }
        p->set->norm_scale(p->x, other, p->got, VALUES, p->block, p->a, p->b, what & 2);
        same(p->got, expected, VALUES * p->block);
    }
}

static void error(struct problem *p)
{
    float expected[VALUES * MOST_BLOCK];
    struct norm_line c;

    memcpy(c.a, p->a, sizeof c.a);
    memcpy(c.b, p->b, sizeof c.b);
    memcpy(c.mean, p->other, sizeof c.mean);
    memcpy(c.factor, p->other + MOST_BLOCK, sizeof c.factor);
    for (int what = 0; what < 4; what++) {
        const float *y = what & 1 ? p->y : NULL;
        for (uint32_t k = 0; k < VALUES * p->block; k++) {
            const uint32_t l = k % p->block;
            const float dy = y && y[k] <= 0 ? 0 : p->other[k], product = c.b[l] * (p->x[k] - c.mean[l]);
            const float d = c.factor[l] * (dy - c.a[l] - product);
            p->got[k] = p->a[l];
            expected[k] = what & 2 ? p->got[k] + d : d;
        }
        p->set->norm_error(p->other, y, p->x, p->got, VALUES, p->block, &c, what & 2);
        same(p->got, expected, VALUES * p->block);
    }
}

/* Added in float RUN at a time, then in double. */
static void sums(struct problem *p)
{
    double got[4][MOST_BLOCK] = { { 0 } };

    draw(p->x, VALUES * p->block, 6, false);
    p->set->norm_moments(p->x, VALUES, p->block, p->a, got[0], got[1]);
    p->set->norm_errors(p->other, p->y, p->x, VALUES, p->block, p->a, got[2], got[3]);
    for (uint32_t l = 0; l < p->block; l++) {
        double expected[4] = { 0 };
        for (uint32_t from = 0; from < VALUES; from += RUN) {
            float run[4] = { 0 };
            for (uint32_t k = from; k < from + RUN && k < VALUES; k++) {
                const size_t i = (size_t)k * p->block + l;
                const float v = p->x[i] - p->a[l], square = v * v, dy = p->y[i] <= 0 ? 0 : p->other[i],
                            product = dy * v;
                run[0] += v;
                run[1] += square;
                run[2] += dy;
                run[3] += product;
            }
            for (int i = 0; i < 4; i++)
                expected[i] += (double)run[i];
        }
        for (int i = 0; i < 4; i++)
            assert_memory_equal(&got[i][l], &expected[i], sizeof expected[i]);
    }
}

static void close_to(float got, double expected)
{
    if (!(fabs((double)got - expected) <= 1e-5 * (1 + fabs(expected))))
        fail_msg("%.9g, expected %.9g", (double)got, expected);
}

/* y, dx and dw by one loop over all that meet. */
static void check_depthwise(struct problem *p, const struct depthwise *d)
{
    const uint32_t block = p->block, taps = d->kernel[0] * d->kernel[1];
    static double y[VALUES * MOST_BLOCK], dx[VALUES * MOST_BLOCK];
    double dw[49 * MOST_BLOCK] = { 0 }, got_w[49 * MOST_BLOCK] = { 0 };
    double db[MOST_BLOCK] = { 0 }, got_b[MOST_BLOCK] = { 0 };
    const float *w = p->y;

    for (size_t k = 0; k < VALUES * block; k++)
        dx[k] = y[k] = 0;
    for (uint32_t at = 0; at < d->out[0] * d->out[1] * taps * block; at++) {
        const uint32_t l = at % block, t = at / block % taps, o = at / block / taps;
        const uint32_t to[2] = { o / d->out[1], o % d->out[1] }, tap[2] = { t / d->kernel[1], t % d->kernel[1] };
        const int64_t iy = (int64_t)to[0] * d->stride[0] - d->before[0] + (int64_t)tap[0] * d->dilation[0];
        const int64_t ix = (int64_t)to[1] * d->stride[1] - d->before[1] + (int64_t)tap[1] * d->dilation[1];
        const double dy = (double)p->other[o * block + l], weight = (double)w[t * block + l];
        size_t i;
        if (t == 0)
            db[l] += dy;
        if (iy < 0 || ix < 0 || iy >= d->in[0] || ix >= d->in[1])
            continue;
        i = ((size_t)iy * d->in[1] + (size_t)ix) * block + l;
        y[o * block + l] += weight * (double)p->x[i];
        dx[i] += weight * dy;
        dw[t * block + l] += dy * (double)p->x[i];
    }
    p->set->depthwise(d, block, p->x, w, p->b, p->got);
    for (size_t k = 0; k < (size_t)d->out[0] * d->out[1] * block; k++)
        close_to(p->got[k], y[k] + (double)p->b[k % block]);
    memset(p->got, 0, sizeof p->got);
    p->set->depthwise_error(d, block, p->other, w, p->got);
    for (size_t k = 0; k < (size_t)d->in[0] * d->in[1] * block; k++)
        close_to(p->got[k], dx[k]);
    p->set->depthwise_gradient(d, block, p->x, p->other, got_w, got_b);
    for (size_t k = 0; k < taps * block; k++)
        close_to((float)got_w[k], dw[k]);
    for (uint32_t l = 0; l < block; l++)
        close_to((float)got_b[l], db[l]);
}

static void depthwise(struct problem *p)
{
    static const struct depthwise shapes[] = {
        { { 9, 7 }, { 9, 7 }, { 5, 5 }, { 1, 1 }, { 1, 1 }, { 2, 2 } },
        { { 10, 8 }, { 5, 4 }, { 5, 3 }, { 2, 2 }, { 1, 1 }, { 1, 0 } }, /* padding on one side */
        { { 3, 2 }, { 3, 2 }, { 7, 7 }, { 1, 1 }, { 1, 1 }, { 3, 3 } },  /* kernels larger than the image */
        { { 12, 11 }, { 4, 5 }, { 3, 3 }, { 2, 2 }, { 2, 1 }, { 0, 1 } },
        { { 1, 1 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 } }, /* outputs that see no value */
    };

    draw(p->x, VALUES * p->block, 7, false);
    draw(p->y, VALUES * p->block, 8, false);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_depthwise(p, &shapes[i]);
}

static void convolving(void **state)
{
    (void)state;
    every_set(depthwise);
}

static void pooling(void **state)
{
    (void)state;
    every_set(pool);
}

static void normalising(void **state)
{
    (void)state;
    every_set(scale);
    every_set(error);
    every_set(sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_widest_set_fits),
        cmocka_unit_test(pooling),
        cmocka_unit_test(normalising),
        cmocka_unit_test(convolving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
