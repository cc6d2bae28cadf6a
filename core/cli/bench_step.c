/* A benchmark's steps, timed by phase. */
#include "cli/bench.h"

#include "base/clock.h"
#include <math.h>
#include <stdlib.h>

/* The gradient of the mean cross-entropy: softmax less the label, over the batch. */
static void loss_gradient(struct bench *b)
{
    for (uint32_t i = 0; i < b->batch; i++) {
        const float *out = b->out + (size_t)i * BENCH_CLASSES;
        float *d = b->d_out + (size_t)i * BENCH_CLASSES, largest = out[0], sum = 0;
        for (uint32_t c = 1; c < BENCH_CLASSES; c++)
            largest = out[c] > largest ? out[c] : largest;
        for (uint32_t c = 0; c < BENCH_CLASSES; c++)
            sum += d[c] = expf(out[c] - largest);
        for (uint32_t c = 0; c < BENCH_CLASSES; c++)
            d[c] = (d[c] / sum - (float)((int32_t)c == b->label[i])) / (float)b->batch;
    }
}

static bioft_status update(struct bench *b, const bioft_hooks *hooks, struct error *err)
{
    const bioft_update u = { .struct_size = sizeof u,
                             .kind = BIOFT_ADAM,
                             .t = b->step + 1,
                             .lr = b->lr,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = 1e-8,
                             .weight_decay = 5e-4,
                             .gradient_scale = 1.0 };
    uint32_t bad;
    bioft_status st = model_update(b->network.model, &u, hooks, &bad, err);

    b->step++;
    if (st == BIOFT_OK && b->feedback)
        st = feedback_step_end(b->feedback, b->step - 1, err);
    return st == BIOFT_OK && b->feedback ? feedback_refresh(b->feedback, b->step, err) : st;
}

static bioft_status learn(struct bench *b, struct bench_times *t, struct error *err)
{
    const bioft_batch batch = { .struct_size = sizeof batch,
                                .n = b->batch,
                                .classes = BENCH_CLASSES,
                                .label_words = 1,
                                .step = b->step,
                                .x = b->x,
                                .label = b->label,
                                .labels = b->labels };
    const bioft_hooks *hooks = NULL;
    double start = clock_seconds();

    loss_gradient(b);
    if (b->feedback)
        hooks = feedback_hooks(b->feedback, &batch, b->d_out, NULL, NULL, b->step);
    bioft_status st = program_backward(b->program, b->d_out, 0, NULL, hooks, err);
    t->backward = clock_seconds() - start;
    start = clock_seconds();
    if (st == BIOFT_OK)
        st = update(b, hooks, err);
    t->update = clock_seconds() - start;
    return st != BIOFT_OK && b->feedback ? feedback_error(b->feedback, st, err) : st;
}

static bioft_status run_step(struct bench *b, struct bench_times *ret, struct error *err)
{
    const double start = clock_seconds();
    struct bench_times t = { 0 };
    bioft_status st = program_forward(b->program, b->batch, b->x, b->step, b->out, err);

    t.forward = clock_seconds() - start;
    if (st == BIOFT_OK && b->train)
        st = learn(b, &t, err);
    t.all = clock_seconds() - start;
    *ret = t;
    return st;
}

static int by_all(const void *a, const void *b)
{
    const double x = ((const struct bench_times *)a)->all, y = ((const struct bench_times *)b)->all;
    return (x > y) - (x < y);
}

bioft_status bench_measure(struct bench *b, struct bench_times *ret_best, double *ret_median, struct error *err)
{
    struct bench_times warm_up, *times = mem_array(b->steps, sizeof *times);
    bioft_status st = times ? run_step(b, &warm_up, err) : error_memory(err, "the times");

    for (uint32_t i = 0; st == BIOFT_OK && i < b->steps; i++)
        st = run_step(b, &times[i], err);
    if (st == BIOFT_OK) {
        qsort(times, b->steps, sizeof *times, by_all);
        *ret_best = times[0];
        *ret_median = 0.5 * (times[(b->steps - 1) / 2].all + times[b->steps / 2].all);
    }
    free(times);
    return st;
}
