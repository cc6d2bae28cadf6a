/* Evaluation: a program over samples, predictions out. */
#include "eval/evaluate.h"

#include "attack/check.h"
#include "attack/dump.h"
#include "attack/pixels.h"
#include <stdlib.h>

enum { DEFAULT_BATCH = 200 };

/* An evaluation program with room for its outputs. */
struct evaluator {
    struct program *program;
    float *x, *out;                                /* [batch] pixels normalised, outputs */
    uint32_t outputs;
};

static void evaluator_free(struct evaluator *e)
{
    program_destroy(e->program);
    free(e->x);
    free(e->out);
}

static bioft_status evaluator_create(const struct attack_target *t, uint32_t batch_size, struct evaluator *ret,
                                     struct error *err)
{
    const bioft_use use = {
        .struct_size = sizeof use, .kind = BIOFT_EVAL, .precision = BIOFT_F32, .max_batch = batch_size,
        .threads = t->pool ? pool_threads(t->pool) : 1,
    };
    ret->outputs = t->model->graph->view.outputs;
    ret->x = mem_aligned(pixels_count(&t->picture) * batch_size, sizeof(float));
    ret->out = mem_aligned((size_t)ret->outputs * batch_size, sizeof(float));
    if (!ret->x || !ret->out)
        return error_memory(err, "an evaluation batch");
    return program_create(t->model, &use, NULL, &ret->program, err);
}

/* Predictions for a batch; x: normalised. A sample with several labels counts as right where the prediction is one. */
static bioft_status predict(struct evaluator *e, const bioft_batch *batch, const float *x, struct prediction *ret,
                            struct error *err)
{
    bioft_status st = program_forward(e->program, batch->n, x, 0, e->out, err);
    for (uint32_t i = 0; st == BIOFT_OK && i < batch->n; i++) {
        const int32_t best = largest_index(e->out + (size_t)i * e->outputs, e->outputs);
        const uint64_t *labels = batch->labels + (size_t)i * batch->label_words;
        const bool right = (uint32_t)best < batch->classes && (labels[best / 64] >> (best % 64) & 1);
        ret[i] = (struct prediction){ .sample = batch->sample[i], .label = batch->label[i], .prediction = best,
                                      .score = right ? 1.0 : 0.0 };
    }
    return st;
}

bioft_status evaluate_clean(const struct attack_target *t, const uint64_t *positions, uint64_t count,
                            uint32_t batch_size, struct prediction *ret, struct error *err)
{
    struct evaluator e = { 0 };
    struct batches *batches = NULL;
    bioft_batch batch;
    uint64_t done = 0;

    batch_size = batch_size ? batch_size : DEFAULT_BATCH;
    bioft_status st = evaluator_create(t, batch_size, &e, err);
    if (st == BIOFT_OK)
        st = batches_create(&(struct batches_params){
            .dataset = t->dataset, .split = t->split, .positions = positions, .count = count,
            .batch_size = batch_size, .normalise = true, .picture = t->picture, .pool = t->pool }, &batches, err);
    while (st == BIOFT_OK && (st = batches_next(batches, &batch, err)) == BIOFT_OK && batch.n > 0) {
        st = stop_asked(t->stop) ? error_set(err, BIOFT_ERR_CANCELLED, "stopped during evaluation")
                                 : predict(&e, &batch, batch.x, ret + done, err);
        done += batch.n;
    }
    batches_destroy(batches);
    evaluator_free(&e);
    return st;
}

struct attacked {                                  /* where attack_run's batches go */
    const struct attack_target *target;
    struct evaluator evaluator;
    struct prediction *const *predictions;
    struct dump *dumps;                            /* [epsilon_count], or NULL */
};

static bioft_status take_batch(void *ctx, const struct attack_made *made, struct error *err)
{
    struct attacked *a = ctx;
    struct prediction *ret = a->predictions[made->epsilon] + made->first;

    pixels_normalise(&a->target->picture, made->clean->n, made->adversarial, a->evaluator.x);
    bioft_status st = predict(&a->evaluator, made->clean, a->evaluator.x, ret, err);
    for (uint32_t i = 0; st == BIOFT_OK && i < made->clean->n; i++) {
        ret[i].delta_max = made->delta_max[i];
        ret[i].delta_mean = made->delta_mean[i];
    }
    if (st == BIOFT_OK && a->dumps && a->dumps[made->epsilon].count)
        dump_add(&a->dumps[made->epsilon], made);
    return st;
}

static bioft_status write_dumps(const struct attacked *a, const struct attack_spec *spec, enum gradient_kind gradient,
                                const char *folder, struct error *err)
{
    bioft_status st = BIOFT_OK;
    for (size_t e = 0; st == BIOFT_OK && e < spec->epsilon_count; e++) {
        char number[TEXT_NUMBER];
        struct text name = { 0 };
        if (!a->dumps[e].count)
            continue;
        text_printf(&name, "%s%s%s.%s.%s", spec->name, *spec->options ? "." : "", spec->options,
                    gradient == GRADIENT_RULE ? "rule" : "exact", text_number(number, spec->epsilon[e]));
        st = name.failed ? error_memory(err, "a name") : dump_write(&a->dumps[e], folder, name.data, err);
        text_free(&name);
    }
    return st;
}

bioft_status evaluate_attack(const struct attack_target *t, const struct attack_spec *spec, enum gradient_kind gradient,
                             const uint64_t *positions, uint64_t count, struct prediction *const *ret,
                             const char *dump_folder, struct error *err)
{
    struct attacked a = { .target = t, .predictions = ret };
    bool *skip = mem_array(spec->epsilon_count, sizeof *skip);
    bioft_status st = skip ? BIOFT_OK : error_memory(err, "a grid");

    /* As large as any batch of the attack, whatever size that chooses. */
    if (st == BIOFT_OK)
        st = evaluator_create(t, spec->batch_size > DEFAULT_BATCH ? spec->batch_size : DEFAULT_BATCH, &a.evaluator, err);
    if (st == BIOFT_OK && spec->dump && dump_folder &&
        !(a.dumps = mem_array(spec->epsilon_count, sizeof *a.dumps)))
        st = error_memory(err, "dumps");
    for (size_t e = 0; st == BIOFT_OK && e < spec->epsilon_count; e++) {
        skip[e] = !ret[e];
        if (a.dumps && !skip[e])
            st = dump_begin(&a.dumps[e], &t->picture, spec->dump < count ? spec->dump : count, err);
    }
    if (st == BIOFT_OK)
        st = attack_run(&(struct attack_params){
            .target = t, .spec = spec, .gradient = gradient, .skip = skip, .positions = positions, .count = count,
            .sink = take_batch, .ctx = &a }, err);
    if (st == BIOFT_OK && a.dumps)
        st = write_dumps(&a, spec, gradient, dump_folder, err);
    for (size_t e = 0; a.dumps && e < spec->epsilon_count; e++)
        dump_free(&a.dumps[e]);
    free(a.dumps);
    free(skip);
    evaluator_free(&a.evaluator);
    return st;
}
