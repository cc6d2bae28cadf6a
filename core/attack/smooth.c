/* A gradient by differences of the network's outputs. */
#include "attack/smooth.h"

#include "attack/pixels.h"
#include "base/random.h"
#include <stdlib.h>
#include <string.h>

struct smooth {
    struct smoothing by;
    struct pool *pool;
    uint64_t seed, *key; /* [max_batch] of each image's directions */
    size_t pixels, outputs, max_batch;
    float *u, *moved; /* [max_batch][pixels] */
    float *out;       /* [samples][max_batch][outputs] */
};

bioft_status smooth_create(const struct smoothing *by, const struct trained *t, uint32_t max_batch, struct smooth **ret,
                           struct error *err)
{
    size_t values, outputs;
    struct smooth *s = mem_array(1, sizeof *s);

    if (!s)
        return error_memory(err, "a smoothed gradient");
    *s = (struct smooth){ .by = *by,
                          .pool = t->pool,
                          .seed = t->seed,
                          .pixels = pixels_count(&t->image),
                          .outputs = t->model->graph->view.outputs,
                          .max_batch = max_batch };
    if (mem_product(s->pixels, max_batch, &values) && mem_product(s->outputs, max_batch, &outputs) &&
        mem_product(outputs, by->samples, &outputs)) {
        s->key = mem_array(max_batch, sizeof *s->key);
        s->u = mem_aligned(values, sizeof *s->u);
        s->moved = mem_aligned(values, sizeof *s->moved);
        s->out = mem_aligned(outputs, sizeof *s->out);
    }
    if (!s->key || !s->u || !s->moved || !s->out) {
        smooth_destroy(s);
        return error_memory(err, "a smoothed gradient");
    }
    *ret = s;
    return BIOFT_OK;
}

void smooth_destroy(struct smooth *s)
{
    if (!s)
        return;
    free(s->key);
    free(s->u);
    free(s->moved);
    free(s->out);
    free(s);
}

/* FNV-1a over an image's words, then a restart. */
static uint64_t key_of(const float *x, size_t count, uint32_t restart)
{
    const uint64_t prime = UINT64_C(1099511628211);
    uint64_t key = UINT64_C(14695981039346656037);
    uint32_t word;

    for (size_t k = 0; k < count; k++) {
        memcpy(&word, &x[k], sizeof word);
        key = (key ^ word) * prime;
    }
    return (key ^ restart) * prime;
}

struct task {
    struct smooth *s;
    const float *x, *d_out;
    float *dx;
    uint32_t restart, k;
};

static void direction(const struct smooth *s, size_t index, uint32_t pair)
{
    random_fill(BIOFT_NORMAL, s->seed, "smoothed", s->key[index], (uint64_t)pair * s->pixels, s->u + index * s->pixels,
                s->pixels);
}

static void move_one(void *ctx, size_t index, uint32_t thread)
{
    const struct task *t = ctx;
    const struct smooth *s = t->s;
    const float *x = t->x + index * s->pixels, *u = s->u + index * s->pixels;
    const float by = (t->k % 2 ? -1.0f : 1.0f) * (float)s->by.sigma;
    float *moved = s->moved + index * s->pixels;

    (void)thread;
    if (t->k == 0)
        s->key[index] = key_of(x, s->pixels, t->restart);
    if (t->k % 2 == 0)
        direction(s, index, t->k / 2);
    for (size_t i = 0; i < s->pixels; i++)
        moved[i] = x[i] + by * u[i];
}

float *smooth_move(struct smooth *s, uint32_t n, const float *x, uint32_t restart, uint32_t k)
{
    struct task t = { .s = s, .x = x, .restart = restart, .k = k };

    pool_run(s->pool, n, move_one, &t);
    return s->moved;
}

float *smooth_outputs(struct smooth *s, uint32_t k) { return s->out + (size_t)k * s->max_batch * s->outputs; }

static void gradient_of_one(void *ctx, size_t index, uint32_t thread)
{
    const struct task *t = ctx;
    struct smooth *s = t->s;
    const float *d = t->d_out + index * s->outputs, *u = s->u + index * s->pixels;
    const double scale = 1.0 / ((double)s->by.samples * s->by.sigma); /* half the samples are pairs, 2 sigma apart */
    float *dx = t->dx + index * s->pixels;

    (void)thread;
    memset(dx, 0, s->pixels * sizeof *dx);
    for (uint32_t pair = 0; pair < s->by.samples / 2; pair++) {
        const float *plus = smooth_outputs(s, 2 * pair) + index * s->outputs;
        const float *minus = smooth_outputs(s, 2 * pair + 1) + index * s->outputs;
        double rise = 0.0;
        for (size_t c = 0; c < s->outputs; c++)
            rise += (double)d[c] * ((double)plus[c] - (double)minus[c]);
        direction(s, index, pair);
        for (size_t i = 0; i < s->pixels; i++)
            dx[i] += (float)(scale * rise) * u[i];
    }
}

void smooth_gradient(struct smooth *s, uint32_t n, const float *d_out, float *ret_dx)
{
    struct task t = { .s = s, .d_out = d_out, .dx = ret_dx };

    pool_run(s->pool, n, gradient_of_one, &t);
}
