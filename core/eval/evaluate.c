/* Evaluation: a program over samples, predictions out. */
#include "eval/evaluate.h"

#include "attack/answer.h"
#include "attack/dump.h"
#include "eval/retrieval.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BATCH = 200 };

/* An evaluation program with room for a batch; for codes, for the queries of each cell too. */
struct evaluator {
    const struct trained *target;
    struct encoder encoder;
    float *x;              /* [batch] pixels normalised */
    struct finite finite;  /* of all outputs so far */
    double *clean;         /* [batch] scores of a classifier without the attack */
    struct codes batch;    /* of one batch: what restarts are judged by */
    struct codes *queries; /* [cells], or NULL */
    size_t cells;
};

static void evaluator_free(struct evaluator *e)
{
    encoder_free(&e->encoder);
    free(e->x);
    free(e->clean);
    codes_free(&e->batch);
    for (size_t i = 0; e->queries && i < e->cells; i++)
        codes_free(&e->queries[i]);
    free(e->queries);
}

static bioft_status evaluator_create(const struct trained *t, uint32_t batch_size, struct evaluator *ret,
                                     struct error *err)
{
    ret->target = t;
    ret->x = mem_aligned(pixels_count(&t->image) * batch_size, sizeof *ret->x);
    ret->clean = mem_array(batch_size, sizeof *ret->clean);
    bioft_status st = ret->x && ret->clean
                          ? encoder_create(t->model, batch_size, t->precision, t->pool, &ret->encoder, err)
                          : error_memory(err, "an evaluation batch");
    if (st != BIOFT_OK)
        return st;
    if (t->codebook)
        return codes_create(batch_size, ret->encoder.bits, t->dataset->classes, &ret->batch, err);
    return BIOFT_OK;
}

size_t evaluate_metrics(const struct trained *t) { return t->k_count ? retrieval_metrics(t) : 1; }

const char *evaluate_metric(const struct trained *t, size_t metric, struct arena *arena)
{
    return t->k_count ? retrieval_metric(t, metric, arena) : METRIC_ACCURACY;
}

/* The class that the outputs of image i say; *ret_right: is it one of the image's? */
static int32_t answer(const bioft_batch *batch, uint32_t i, const float *out, uint32_t outputs, bool *ret_right)
{
    const int32_t best = largest_index(out + (size_t)i * outputs, outputs);

    *ret_right = answer_is_right(batch, i, best);
    return best;
}

/* Predictions for a batch; x: normalised. */
static bioft_status predict(struct evaluator *e, const bioft_batch *batch, const float *x, struct prediction *ret,
                            struct error *err)
{
    struct encoder *n = &e->encoder;
    bioft_status st = program_forward(n->program, batch->n, x, 0, n->out, err);

    if (st != BIOFT_OK)
        return st;
    finite_take(&e->finite, batch->n, n->bits, n->out, batch->sample);
    for (uint32_t i = 0; i < batch->n; i++) {
        bool right;
        const int32_t best = answer(batch, i, n->out, n->bits, &right);
        ret[i] = (struct prediction){ .sample = batch->sample[i],
                                      .label = batch->label[i],
                                      .prediction = best,
                                      .score = right ? 1.0 : 0.0,
                                      .attack = ret[i].attack };
    }
    return BIOFT_OK;
}

static bioft_status clean_classes(const struct trained *t, const uint64_t *positions, uint64_t count,
                                  struct prediction *ret, struct error *err)
{
    struct evaluator e = { 0 };
    struct batches *batches = NULL;
    bioft_batch batch;
    uint64_t done = 0;

    bioft_status st = evaluator_create(t, DEFAULT_BATCH, &e, err);
    if (st == BIOFT_OK)
        st = batches_create(&(struct batches_params){ .dataset = t->dataset,
                                                      .split = t->split,
                                                      .positions = positions,
                                                      .count = count,
                                                      .batch_size = DEFAULT_BATCH,
                                                      .normalise = true,
                                                      .image = t->image,
                                                      .pool = t->pool },
                            &batches, err);
    while (st == BIOFT_OK && (st = batches_next(batches, &batch, err)) == BIOFT_OK && batch.n > 0) {
        st = stop_asked(t->stop) ? error_set(err, BIOFT_ERR_CANCELLED, "stopped during evaluation")
                                 : predict(&e, &batch, batch.x, ret + done, err);
        done += batch.n;
    }
    if (st == BIOFT_OK)
        st = finite_end(&e.finite, t->dataset, t->split, err);
    batches_destroy(batches);
    evaluator_free(&e);
    return st;
}

static bioft_status clean_codes(const struct trained *t, const uint64_t *positions, uint64_t count,
                                struct prediction *const *ret, struct error *err)
{
    const uint64_t n = positions ? count : t->split->count;
    struct codes some = { 0 };
    const struct codes *queries = &some;
    bioft_status st = positions ? codebook_select(t->codebook, t->split->name, positions, count, &some, err)
                                : codebook_get(t->codebook, t->split->name, &queries, err);

    for (size_t m = 0; st == BIOFT_OK && m < evaluate_metrics(t); m++)
        for (uint64_t i = 0; i < n; i++) {
            const uint64_t sample = positions ? positions[i] : i;
            ret[m][i] = (struct prediction){ .sample = sample, .label = t->split->label[sample], .prediction = -1 };
        }
    if (st == BIOFT_OK)
        st = retrieval_rank(t, queries, ret, err);
    codes_free(&some);
    return st;
}

bioft_status evaluate_clean(const struct trained *t, const uint64_t *positions, uint64_t count,
                            struct prediction *const *ret, struct error *err)
{
    return t->codebook ? clean_codes(t, positions, count, ret, err) : clean_classes(t, positions, count, ret[0], err);
}

/* An attack's figures lie in cells: gradient by gradient, in each epsilon by epsilon. */
enum from { NOTHING, OWN_PASS, OTHER_GRADIENT };
struct attacked { /* where attack_run's batches go */
    const struct trained *target;
    const struct attack_spec *spec;
    bool transferred; /* the images are made on another network */
    struct evaluator evaluator;
    struct prediction *const *predictions;
    size_t metrics, cells;
    bool has_clean;
    uint64_t clean_first; /* the batch whose clean scores the evaluator has */
    enum from *from;      /* [cells] where a cell's predictions come from */
    bool *skip;           /* [cells] no pass of its own */
    struct dump *dumps;   /* [cells], or NULL */
};

/* The batch's codes among its cell's queries; scores come when all are there. */
static bioft_status encode(struct attacked *a, const struct attack_made *made, size_t cell, struct error *err)
{
    struct codes *q = &a->evaluator.queries[cell];
    const bioft_batch *b = made->clean;

    memcpy(q->labels + made->first * q->label_words, b->labels, (size_t)b->n * q->label_words * sizeof *q->labels);
    for (size_t m = 0; m < a->metrics; m++)
        for (uint32_t i = 0; i < b->n; i++)
            a->predictions[cell * a->metrics + m][made->first + i] = (struct prediction){
                .sample = b->sample[i],
                .label = b->label[i],
                .prediction = -1,
                .attack = a->predictions[cell * a->metrics + m][made->first + i].attack
            };
    return encoder_run(&a->evaluator.encoder, b->n, a->evaluator.x, b->sample, &a->evaluator.finite,
                       q->codes + made->first * q->words, err);
}

/* The classifier's scores on the batch as it is: once a batch, whatever is made of it. */
static bioft_status score_clean(struct attacked *a, const struct attack_made *made, struct error *err)
{
    struct evaluator *e = &a->evaluator;
    const bioft_batch *b = made->clean;
    bioft_status st = BIOFT_OK;

    if (a->has_clean && a->clean_first == made->first)
        return BIOFT_OK;
    if (!a->target->codebook) {
        pixels_normalise(&a->target->image, a->target->pool, b->n, b->x, e->x);
        st = program_forward(e->encoder.program, b->n, e->x, 0, e->encoder.out, err);
    }
    if (st == BIOFT_OK && !a->target->codebook)
        finite_take(&e->finite, b->n, e->encoder.bits, e->encoder.out, b->sample);
    for (uint32_t i = 0; st == BIOFT_OK && i < b->n; i++) {
        bool right = false;
        if (!a->target->codebook)
            answer(b, i, e->encoder.out, e->encoder.bits, &right);
        e->clean[i] = a->target->codebook ? (double)NAN : right ? 1.0 : 0.0;
    }
    a->has_clean = st == BIOFT_OK;
    a->clean_first = made->first;
    return st;
}

/* What the attack did to each image; a classifier is robust only where it was right before. */
static void add_records(struct attacked *a, const struct attack_made *made, struct prediction *const *ret)
{
    for (uint32_t i = 0; i < made->clean->n; i++) {
        const struct course_image *c = &made->course[i];
        struct attack_record *r = ret[0][made->first + i].attack;
        if (!r)
            continue;
        *r = (struct attack_record){ .clean = a->evaluator.clean[i],
                                     .right = ret[0][made->first + i].score > 0.0,
                                     .target = made->target ? made->target[i] : -1,
                                     .distance = made->distance[i],
                                     .queries = c->queries,
                                     .gradients = c->gradients,
                                     .zero = c->zero,
                                     .nonfinite = c->nonfinite,
                                     .found = c->found,
                                     .rising = course_rising(c),
                                     .traced = c->told > 0,
                                     .part = c->part ? c->part : "" };
        if (a->transferred) { /* what the attack saw was the other network's */
            r->zero = r->nonfinite = 0;
            r->found = r->rising = r->traced = false;
        }
    }
    for (uint32_t i = 0; !a->target->codebook && i < made->clean->n; i++)
        if (!(a->evaluator.clean[i] > 0.0))
            ret[0][made->first + i].score = 0.0;
}

static bioft_status take_batch(void *ctx, const struct attack_made *made, struct error *err)
{
    struct attacked *a = ctx;
    const size_t cell = made->gradient * a->spec->epsilon_count + made->epsilon;
    struct prediction *const *ret = a->predictions + cell * a->metrics;

    bioft_status st = score_clean(a, made, err);
    if (st != BIOFT_OK)
        return st;
    pixels_normalise(&a->target->image, a->target->pool, made->clean->n, made->adversarial, a->evaluator.x);
    st = a->target->codebook ? encode(a, made, cell, err)
                             : predict(&a->evaluator, made->clean, a->evaluator.x, ret[0] + made->first, err);
    for (size_t m = 0; st == BIOFT_OK && m < a->metrics; m++)
        for (uint32_t i = 0; i < made->clean->n; i++) {
            ret[m][made->first + i].delta_max = made->delta_max[i];
            ret[m][made->first + i].delta_mean = made->delta_mean[i];
        }
    if (st != BIOFT_OK)
        return st;
    add_records(a, made, ret);
    if (a->dumps && a->dumps[cell].count)
        dump_add(&a->dumps[cell], made, a->evaluator.encoder.out);
    return BIOFT_OK;
}

static bioft_status judge(void *ctx, const bioft_batch *batch, const float *out, double *ret, struct error *err)
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

static bioft_status write_dumps(const struct attacked *a, const char *folder, struct error *err)
{
    const struct attack_spec *spec = a->spec;
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < a->cells; i++) {
        const size_t g = i / spec->epsilon_count, e = i % spec->epsilon_count;
        const struct dump *d = &a->dumps[a->from[i] == OTHER_GRADIENT ? e : i];
        char number[TEXT_NUMBER];
        struct text name = { 0 };
        if (a->from[i] == NOTHING || !d->count)
            continue;
        text_printf(&name, "%s%s%s.%s.%s", spec->name, *spec->options ? "." : "", spec->options,
                    gradient_word(spec->gradients[g]), text_number(number, spec->epsilon[e]));
        st = name.failed ? error_memory(err, "a name") : dump_write(d, folder, name.data, err);
        text_free(&name);
    }
    return st;
}

/* Which cells need a pass of their own: at epsilon 0 the second gradient's is the first's. */
static bioft_status plan(struct attacked *a, struct error *err)
{
    const size_t epsilons = a->spec->epsilon_count;

    a->cells = a->spec->gradient_count * epsilons;
    a->from = mem_array(a->cells, sizeof *a->from);
    a->skip = mem_array(a->cells, sizeof *a->skip);
    if (!a->from || !a->skip)
        return error_memory(err, "a grid");
    for (size_t i = 0; i < a->cells; i++) {
        if (a->predictions[i * a->metrics])
            a->from[i] = i >= epsilons && a->spec->epsilon[i % epsilons] <= 0 && a->from[i % epsilons] == OWN_PASS
                             ? OTHER_GRADIENT
                             : OWN_PASS;
        a->skip[i] = a->from[i] != OWN_PASS;
    }
    return BIOFT_OK;
}

/* Room for what the passes leave behind. */
static bioft_status make_room(struct attacked *a, uint64_t count, bool dumps, struct error *err)
{
    const struct trained *t = a->target;
    struct evaluator *e = &a->evaluator;
    bioft_status st = BIOFT_OK;

    e->cells = a->cells;
    if ((dumps && !(a->dumps = mem_array(a->cells, sizeof *a->dumps))) ||
        (t->codebook && !(e->queries = mem_array(e->cells, sizeof *e->queries))))
        return error_memory(err, "attacked images");
    for (size_t i = 0; st == BIOFT_OK && i < a->cells; i++) {
        if (a->skip[i])
            continue;
        if (dumps)
            st = dump_begin(&a->dumps[i], &t->image, t->codebook ? 0 : a->evaluator.encoder.bits,
                            a->spec->dump < count ? a->spec->dump : count, err);
        if (st == BIOFT_OK && t->codebook)
            st = codes_create(count, e->encoder.bits, t->dataset->classes, &e->queries[i], err);
    }
    return st;
}

/* Ranks the queries of each pass, then fills in the cells that share one. */
static bioft_status complete(struct attacked *a, uint64_t count, struct error *err)
{
    const size_t epsilons = a->spec->epsilon_count;
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && a->target->codebook && i < a->cells; i++)
        if (!a->skip[i])
            st = retrieval_rank(a->target, &a->evaluator.queries[i], a->predictions + i * a->metrics, err);
    for (size_t i = 0; st == BIOFT_OK && i < a->cells; i++)
        for (size_t m = 0; a->from[i] == OTHER_GRADIENT && m < a->metrics; m++)
            memcpy(a->predictions[i * a->metrics + m], a->predictions[i % epsilons * a->metrics + m],
                   count * sizeof **a->predictions);
    if (st != BIOFT_OK)
        return st;
    return finite_end(&a->evaluator.finite, a->target->dataset, a->target->split, err);
}

bioft_status evaluate_attack(const struct evaluate_params *p, struct prediction *const *ret, bool *ret_redrawn,
                             struct error *err)
{
    const struct trained *t = p->target;
    const struct attack_spec *spec = p->spec;
    const struct trained *maker = p->maker ? p->maker : t;
    struct attacked a = {
        .target = t, .spec = spec, .predictions = ret, .metrics = evaluate_metrics(t), .transferred = maker != t
    };
    bioft_status st = plan(&a, err);

    *ret_redrawn = false;
    /* As large as any batch of the attack, whatever size that chooses. */
    if (st == BIOFT_OK)
        st = evaluator_create(t, spec->batch_size > DEFAULT_BATCH ? spec->batch_size : DEFAULT_BATCH, &a.evaluator,
                              err);
    if (st == BIOFT_OK)
        st = make_room(&a, p->count, spec->dump && p->dump_folder, err);
    if (st == BIOFT_OK)
        st = attack_run(&(struct attack_params){ .target = maker,
                                                 .spec = spec,
                                                 .skip = a.skip,
                                                 .positions = p->positions,
                                                 .count = p->count,
                                                 .leave = p->leave,
                                                 .redrawn = ret_redrawn,
                                                 .sink = take_batch,
                                                 .judge = judge,
                                                 .ctx = &a },
                        err);
    if (st == BIOFT_OK)
        st = complete(&a, p->count, err);
    if (st == BIOFT_OK && a.dumps)
        st = write_dumps(&a, p->dump_folder, err);
    for (size_t i = 0; a.dumps && i < a.cells; i++)
        dump_free(&a.dumps[i]);
    free(a.dumps);
    free(a.from);
    free(a.skip);
    evaluator_free(&a.evaluator);
    return st;
}
