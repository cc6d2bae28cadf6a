/* Evaluation: a program over samples, predictions out. */
#include "eval/evaluate.h"

#include "attack/check.h"
#include "attack/dump.h"
#include "attack/pixels.h"
#include "eval/retrieval.h"
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BATCH = 200 };

/* An evaluation program with room for a batch; for codes, for the queries of each epsilon too. */
struct evaluator {
    const struct attack_target *target;
    struct encoder encoder;
    float *x;                                      /* [batch] pixels normalised */
    struct codes batch;                            /* of one batch: what restarts are judged by */
    struct codes *queries;                         /* [epsilons], or NULL */
    size_t epsilons;
};

static void evaluator_free(struct evaluator *e)
{
    encoder_free(&e->encoder);
    free(e->x);
    codes_free(&e->batch);
    for (size_t i = 0; e->queries && i < e->epsilons; i++)
        codes_free(&e->queries[i]);
    free(e->queries);
}

static bioft_status evaluator_create(const struct attack_target *t, uint32_t batch_size,
                                     struct evaluator *ret, struct error *err)
{
    ret->target = t;
    ret->x = mem_aligned(pixels_count(&t->picture) * batch_size, sizeof *ret->x);
    bioft_status st = ret->x ? encoder_create(t->model, batch_size, t->pool, &ret->encoder, err)
                             : error_memory(err, "an evaluation batch");
    if (st == BIOFT_OK && t->codebook)
        st = codes_create(batch_size, ret->encoder.bits, t->dataset->classes, &ret->batch, err);
    return st;
}

size_t evaluate_metrics(const struct attack_target *t)
{
    return t->k_count ? retrieval_metrics(t) : 1;
}

const char *evaluate_metric(const struct attack_target *t, size_t metric, struct arena *arena)
{
    return t->k_count ? retrieval_metric(t, metric, arena) : METRIC_ACCURACY;
}

/* The class that the outputs of image i say; *ret_right: is it one of the image's? */
static int32_t answer(const bioft_batch *batch, uint32_t i, const float *out, uint32_t outputs,
                      bool *ret_right)
{
    const int32_t best = largest_index(out + (size_t)i * outputs, outputs);
    const uint64_t *labels = batch->labels + (size_t)i * batch->label_words;

    *ret_right = (uint32_t)best < batch->classes && (labels[best / 64] >> (best % 64) & 1);
    return best;
}

/* Predictions for a batch; x: normalised. */
static bioft_status predict(struct evaluator *e, const bioft_batch *batch, const float *x,
                            struct prediction *ret, struct error *err)
{
    struct encoder *n = &e->encoder;
    bioft_status st = program_forward(n->program, batch->n, x, 0, n->out, err);

    for (uint32_t i = 0; st == BIOFT_OK && i < batch->n; i++) {
        bool right;
        const int32_t best = answer(batch, i, n->out, n->bits, &right);
        ret[i] = (struct prediction){ .sample = batch->sample[i], .label = batch->label[i],
                                      .prediction = best, .score = right ? 1.0 : 0.0 };
    }
    return st;
}

static bioft_status clean_classes(const struct attack_target *t, const uint64_t *positions,
                                  uint64_t count, struct prediction *ret, struct error *err)
{
    struct evaluator e = { 0 };
    struct batches *batches = NULL;
    bioft_batch batch;
    uint64_t done = 0;

    bioft_status st = evaluator_create(t, DEFAULT_BATCH, &e, err);
    if (st == BIOFT_OK)
        st = batches_create(&(struct batches_params){
            .dataset = t->dataset, .split = t->split, .positions = positions, .count = count,
            .batch_size = DEFAULT_BATCH, .normalise = true, .picture = t->picture,
            .pool = t->pool }, &batches, err);
    while (st == BIOFT_OK && (st = batches_next(batches, &batch, err)) == BIOFT_OK && batch.n > 0) {
        st = stop_asked(t->stop)
             ? error_set(err, BIOFT_ERR_CANCELLED, "stopped during evaluation")
             : predict(&e, &batch, batch.x, ret + done, err);
        done += batch.n;
    }
    batches_destroy(batches);
    evaluator_free(&e);
    return st;
}

static bioft_status clean_codes(const struct attack_target *t, const uint64_t *positions,
                                uint64_t count, struct prediction *const *ret, struct error *err)
{
    const uint64_t n = positions ? count : t->split->count;
    struct codes some = { 0 };
    const struct codes *queries = &some;
    bioft_status st = positions
        ? codebook_select(t->codebook, t->split->name, positions, count, &some, err)
        : codebook_get(t->codebook, t->split->name, &queries, err);

    for (size_t m = 0; st == BIOFT_OK && m < evaluate_metrics(t); m++)
        for (uint64_t i = 0; i < n; i++) {
            const uint64_t sample = positions ? positions[i] : i;
            ret[m][i] = (struct prediction){ .sample = sample, .label = t->split->label[sample],
                                             .prediction = -1 };
        }
    if (st == BIOFT_OK)
        st = retrieval_rank(t, queries, ret, err);
    codes_free(&some);
    return st;
}

bioft_status evaluate_clean(const struct attack_target *t, const uint64_t *positions,
                            uint64_t count, struct prediction *const *ret, struct error *err)
{
    return t->codebook ? clean_codes(t, positions, count, ret, err)
                       : clean_classes(t, positions, count, ret[0], err);
}

struct attacked {                                  /* where attack_run's batches go */
    const struct attack_target *target;
    struct evaluator evaluator;
    struct prediction *const *predictions;
    size_t metrics;
    struct dump *dumps;                            /* [epsilon_count], or NULL */
};

/* The batch's codes among its epsilon's queries; scores come when all are there. */
static bioft_status encode(struct attacked *a, const struct attack_made *made, struct error *err)
{
    struct codes *q = &a->evaluator.queries[made->epsilon];
    const bioft_batch *b = made->clean;

    memcpy(q->labels + made->first * q->label_words, b->labels,
           (size_t)b->n * q->label_words * sizeof *q->labels);
    for (size_t m = 0; m < a->metrics; m++)
        for (uint32_t i = 0; i < b->n; i++)
            a->predictions[made->epsilon * a->metrics + m][made->first + i] = (struct prediction){
                .sample = b->sample[i], .label = b->label[i], .prediction = -1 };
    return encoder_run(&a->evaluator.encoder, b->n, a->evaluator.x,
                       q->codes + made->first * q->words, err);
}

static bioft_status take_batch(void *ctx, const struct attack_made *made, struct error *err)
{
    struct attacked *a = ctx;
    struct prediction *const *ret = a->predictions + made->epsilon * a->metrics;

    pixels_normalise(&a->target->picture, made->clean->n, made->adversarial, a->evaluator.x);
    bioft_status st = a->target->codebook
        ? encode(a, made, err)
        : predict(&a->evaluator, made->clean, a->evaluator.x, ret[0] + made->first, err);
    for (size_t m = 0; st == BIOFT_OK && m < a->metrics; m++)
        for (uint32_t i = 0; i < made->clean->n; i++) {
            ret[m][made->first + i].delta_max = made->delta_max[i];
            ret[m][made->first + i].delta_mean = made->delta_mean[i];
        }
    if (st == BIOFT_OK && a->dumps && a->dumps[made->epsilon].count)
        dump_add(&a->dumps[made->epsilon], made);
    return st;
}

static bioft_status judge(void *ctx, const bioft_batch *batch, const float *out, double *ret,
                          struct error *err)
{
    struct attacked *a = ctx;
    struct codes *c = &a->evaluator.batch;

    if (a->target->codebook) {
        c->n = batch->n;
        codes_pack(out, batch->n, c->bits, c->codes);
        memcpy(c->labels, batch->labels, (size_t)batch->n * c->label_words * sizeof *c->labels);
        return retrieval_precisions(a->target, c, ret, err);
    }
    for (uint32_t i = 0; i < batch->n; i++) {
        bool right;
        answer(batch, i, out, a->evaluator.encoder.bits, &right);
        ret[i] = right ? 1.0 : 0.0;
    }
    return BIOFT_OK;
}

static bioft_status write_dumps(const struct attacked *a, const struct attack_spec *spec,
                                enum gradient_kind gradient, const char *folder,
                                struct error *err)
{
    bioft_status st = BIOFT_OK;
    for (size_t e = 0; st == BIOFT_OK && e < spec->epsilon_count; e++) {
        char number[TEXT_NUMBER];
        struct text name = { 0 };
        if (!a->dumps[e].count)
            continue;
        text_printf(&name, "%s%s%s.%s.%s", spec->name, *spec->options ? "." : "", spec->options,
                    gradient == GRADIENT_RULE ? "rule" : "exact",
                    text_number(number, spec->epsilon[e]));
        st = name.failed ? error_memory(err, "a name")
                         : dump_write(&a->dumps[e], folder, name.data, err);
        text_free(&name);
    }
    return st;
}

/* Room for what the epsilons that are not skipped leave behind. */
static bioft_status make_room(struct attacked *a, const struct attack_spec *spec, uint64_t count,
                              const bool *skip, bool dumps, struct error *err)
{
    const struct attack_target *t = a->target;
    struct evaluator *e = &a->evaluator;
    bioft_status st = BIOFT_OK;

    e->epsilons = spec->epsilon_count;
    if ((dumps && !(a->dumps = mem_array(e->epsilons, sizeof *a->dumps))) ||
        (t->codebook && !(e->queries = mem_array(e->epsilons, sizeof *e->queries))))
        return error_memory(err, "attacked images");
    for (size_t i = 0; st == BIOFT_OK && i < e->epsilons; i++) {
        if (skip[i])
            continue;
        if (dumps)
            st = dump_begin(&a->dumps[i], &t->picture, spec->dump < count ? spec->dump : count, err);
        if (st == BIOFT_OK && t->codebook)
            st = codes_create(count, e->encoder.bits, t->dataset->classes, &e->queries[i], err);
    }
    return st;
}

bioft_status evaluate_attack(const struct attack_target *t, const struct attack_spec *spec,
                             enum gradient_kind gradient, const uint64_t *positions,
                             uint64_t count, struct prediction *const *ret,
                             const char *dump_folder, struct error *err)
{
    struct attacked a = { .target = t, .predictions = ret, .metrics = evaluate_metrics(t) };
    bool *skip = mem_array(spec->epsilon_count, sizeof *skip);
    bioft_status st = skip ? BIOFT_OK : error_memory(err, "a grid");

    for (size_t e = 0; st == BIOFT_OK && e < spec->epsilon_count; e++)
        skip[e] = !ret[e * a.metrics];
    /* As large as any batch of the attack, whatever size that chooses. */
    if (st == BIOFT_OK)
        st = evaluator_create(t, spec->batch_size > DEFAULT_BATCH ? spec->batch_size : DEFAULT_BATCH,
                              &a.evaluator, err);
    if (st == BIOFT_OK)
        st = make_room(&a, spec, count, skip, spec->dump && dump_folder, err);
    if (st == BIOFT_OK)
        st = attack_run(&(struct attack_params){
            .target = t, .spec = spec, .gradient = gradient, .skip = skip, .positions = positions,
            .count = count, .sink = take_batch, .judge = judge, .ctx = &a }, err);
    for (size_t e = 0; st == BIOFT_OK && t->codebook && e < spec->epsilon_count; e++)
        if (!skip[e])
            st = retrieval_rank(t, &a.evaluator.queries[e], ret + e * a.metrics, err);
    if (st == BIOFT_OK && a.dumps)
        st = write_dumps(&a, spec, gradient, dump_folder, err);
    for (size_t e = 0; a.dumps && e < spec->epsilon_count; e++)
        dump_free(&a.dumps[e]);
    free(a.dumps);
    free(skip);
    evaluator_free(&a.evaluator);
    return st;
}
