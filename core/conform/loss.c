/* Tests for losses: the gradient against differences, evaluation that changes nothing, the same numbers again. */
#include "conform/private.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 6, CLASSES = 4, CODES = 16 };

struct work {
    struct conform *c;
    struct subject *s;
    bioft_task task;
    bioft_batch batch;
    float *out; /* [IMAGES][outputs] */
    size_t count;
};

static const bioft_loss *loss_of(const struct conform *c) { return &c->p->plugin->api.loss; }

static void fill_batch(struct work *w)
{
    struct conform *c = w->c;
    const bool many = w->task.multi_label;
    uint64_t *sample = guard_take(c, "batch->sample", IMAGES * sizeof *sample, true);
    uint64_t *labels = guard_take(c, "batch->labels", IMAGES * sizeof *labels, true);
    int32_t *label = guard_take(c, "batch->label", IMAGES * sizeof *label, false);
    for (uint32_t i = 0; i < IMAGES; i++) {
        sample[i] = 3 * i + 1;
        labels[i] = many ? i % 3 == 0 ? 3 : i % 3 == 1 ? 12 : 2 : UINT64_C(1) << (i % CLASSES);
        label[i] = many && i % 3 < 2 ? -1 : many ? 1 : (int32_t)(i % CLASSES);
    }
    guard_readonly(c, sample);
    guard_readonly(c, labels);
    guard_readonly(c, label);
    guard_keep(c, sample);
    guard_keep(c, labels);
    guard_keep(c, label);
    w->batch = (bioft_batch){ .struct_size = sizeof w->batch,
                              .n = IMAGES,
                              .classes = CLASSES,
                              .label_words = 1,
                              .sample = sample,
                              .label = label,
                              .labels = labels };
}

/* An instance attached to a task that suits the loss; NULL after a finding. */
static bool work_make(struct conform *c, struct work *w)
{
    const bioft_loss *l = loss_of(c);
    const bool codes = !(l->flags & BIOFT_LOSS_CLASSES) && l->flags & BIOFT_LOSS_CODES;
    *w = (struct work){ .c = c,
                        .task = { .struct_size = sizeof w->task,
                                  .outputs = codes ? CODES : CLASSES,
                                  .classes = CLASSES,
                                  .multi_label = l->flags & BIOFT_LOSS_MULTI_LABEL ? 1 : 0,
                                  .train_count = 100,
                                  .total_steps = 50 } };
    w->count = (size_t)IMAGES * w->task.outputs;
    w->s = subject_create(c, NULL, c->p->seed, NULL);
    if (!w->s)
        return false;
    fill_batch(w);
    w->out = arena_array(c->arena, w->count, sizeof(float));
    random_floats(c, "conform/outputs", 0, -1.0f, 1.0f, w->out, w->count);
    calling(c, "loss.h", "attach", "once before the first step: states, trainables and their initial values",
            "attach(%u outputs, %u classes%s)", w->task.outputs, CLASSES,
            w->task.multi_label ? ", several labels" : "");
    return !l->attach || subject_ok(w->s, l->attach(w->s->self, &w->task));
}

static bool call_value(struct work *w, double *ret, float *ret_d)
{
    struct conform *c = w->c;
    float *out = guard_floats(c, "out", w->count), *d = ret_d ? guard_floats(c, "ret_d_out", w->count) : NULL;
    memcpy(out, w->out, w->count * sizeof *out);
    guard_readonly(c, out);
    for (size_t i = 0; d && i < w->count; i++)
        d[i] = NAN;
    *ret = NAN;
    calling(c, "loss.h", "value",
            "*ret_value: the mean over the batch, or what the paper's formula says; ret_d_out: its "
            "derivative, or NULL in evaluation",
            "value(out [%u][%u], %s)", IMAGES, w->task.outputs, d ? "ret_d_out" : "NULL");
    w->s->step = true;
    const bool fine = subject_ok(w->s, loss_of(c)->value(w->s->self, out, &w->batch, ret, d));
    w->s->step = false;
    if (fine && !isfinite(*ret))
        conform_find(c, "the value is %g", *ret);
    const size_t bad = d ? first_nonfinite(d, w->count) : SIZE_MAX;
    if (fine && bad != SIZE_MAX)
        conform_find(c, "ret_d_out[%zu] of %zu was not written, or is not finite", bad, w->count);
    if (d)
        memcpy(ret_d, d, w->count * sizeof *d);
    guard_release_calls(c);
    return fine;
}

/* The slope of the value along one number: two steps, so that a bend between shows. */
static bool slope(struct work *w, float *x, double *ret, bool *ret_bent)
{
    const float old = *x;
    double v[4], s[2];
    static const float steps[2] = { 1e-2f, 2.5e-3f };
    for (int k = 0; k < 4; k++) {
        *x = old + (k % 2 ? -steps[k / 2] : steps[k / 2]);
        if (!call_value(w, &v[k], NULL))
            return false;
    }
    *x = old;
    for (int k = 0; k < 2; k++)
        s[k] = (v[2 * k] - v[2 * k + 1]) / (2.0 * (double)steps[k]);
    *ret = s[1];
    *ret_bent = fabs(s[0] - s[1]) > 1e-3 + 0.02 * fabs(s[1]);
    return true;
}

static void compare_slope(struct work *w, const char *name, size_t index, float *x, float said)
{
    double measured;
    bool bent;
    if (!slope(w, x, &measured, &bent) || bent)
        return;
    if (fabs(measured - (double)said) > 2e-3 + 0.02 * fmax(fabs(measured), fabs((double)said))) {
        conform_says(w->c, "loss.h", "value", "ret_d_out is the derivative of *ret_value by the outputs");
        conform_find(w->c, "wrong gradient: %s[%zu] is %.6g, differences of the value say %.6g", name, index,
                     (double)said, measured);
    }
}

static void test_gradient(struct conform *c)
{
    struct work w;
    double value;
    if (work_make(c, &w)) {
        float *d = arena_array(c->arena, w.count, sizeof *d);
        for (size_t i = 0; i < w.s->array_count; i++)
            if (w.s->arrays[i].gradient)
                memset(w.s->arrays[i].gradient, 0, w.s->arrays[i].bytes);
        if (call_value(&w, &value, d)) {
            for (size_t i = 0; i < w.count && c->findings == 0; i++)
                compare_slope(&w, "ret_d_out", i, &w.out[i], d[i]);
            for (size_t a = 0; a < w.s->array_count; a++)
                for (size_t i = 0; w.s->arrays[a].gradient && i < w.s->arrays[a].count && c->findings == 0; i++)
                    compare_slope(&w, w.s->arrays[a].name, i, &w.s->arrays[a].value[i], w.s->arrays[a].gradient[i]);
        }
    }
    subject_destroy(w.s);
}

static void test_evaluation(struct conform *c)
{
    struct work w;
    double with, without;
    if (work_make(c, &w)) {
        float *d = arena_array(c->arena, w.count, sizeof *d), *d2 = arena_array(c->arena, w.count, sizeof *d);
        float **before = arena_array(c->arena, w.s->array_count + 1, sizeof(float *));
        for (size_t i = 0; i < w.s->array_count; i++) {
            before[i] = arena_array(c->arena, w.s->arrays[i].count + 1, sizeof(float));
            memcpy(before[i], w.s->arrays[i].value, w.s->arrays[i].count * sizeof(float));
        }
        const size_t arrays = w.s->array_count;
        if (call_value(&w, &without, NULL)) {
            for (size_t i = 0; i < arrays; i++)
                if (!w.s->arrays[i].scratch &&
                    memcmp(before[i], w.s->arrays[i].value, w.s->arrays[i].count * sizeof(float)) != 0)
                    conform_find(c, "changed '%s', and no gradient was asked for", w.s->arrays[i].name);
            /* With state of its own the batch at hand may count first. */
            bool state = false;
            for (size_t i = 0; i < arrays; i++)
                state = state || (!w.s->arrays[i].scratch && !w.s->arrays[i].gradient);
            if (call_value(&w, &with, d) && !state && with != without)
                conform_find(c, "%.17g with a gradient asked for, %.17g without", with, without);
        }
        struct work again = { 0 };
        if (c->findings == 0 && work_make(c, &again) && call_value(&again, &with, d2) &&
            memcmp(d, d2, w.count * sizeof *d) != 0)
            conform_find(c, "another instance with the same seed gives another gradient");
        subject_destroy(again.s);
    }
    subject_destroy(w.s);
}

static bool round_of(struct conform *c)
{
    struct work w;
    double value;
    bool fine = work_make(c, &w);
    float *d = fine ? arena_array(c->arena, w.count, sizeof *d) : NULL;
    fine = fine && d && call_value(&w, &value, d);
    subject_destroy(w.s);
    return fine;
}

static void test_leaks(struct conform *c) { check_leak(c, round_of); }

const struct conform_test conform_loss[] = {
    { "gradient", "the derivative by the outputs and by what is trained, against differences", test_gradient },
    { "evaluation", "without a gradient asked the value is the same and nothing changes", test_evaluation },
    { "leaks", "attached and used, it leaves nothing behind", test_leaks },
    { 0 },
};
