/* The gradients that attacks follow, held against each other and against differences of the network's output. */
#include "eval/gradients.h"

#include "attack/pixels.h"
#include "attack/victim.h"
#include "base/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMAGES = 100 };
static const double jitter = 0.01, step = 0.01; /* in pixels of [0,1]; the length of the step along the gradient */
static const double tolerance = 0.05;

struct study {
    const struct trained *target;
    struct victim *victim;
    size_t pixels;
    uint32_t outputs;
    float *x, *moved, *rule, *exact;   /* [MOST_IMAGES][pixels] */
    float *out, *d_out, *plus, *minus; /* [MOST_IMAGES][outputs] */
    int32_t *other;                    /* [MOST_IMAGES] the strongest other class */
};

static void study_free(struct study *s)
{
    victim_destroy(s->victim);
    free(s->x);
    free(s->moved);
    free(s->rule);
    free(s->exact);
    free(s->out);
    free(s->d_out);
    free(s->plus);
    free(s->minus);
    free(s->other);
}

static bioft_status study_make(struct study *s, const struct trained *t, struct error *err)
{
    size_t values, outputs;

    *s = (struct study){ .target = t, .pixels = pixels_count(&t->image), .outputs = t->model->graph->view.outputs };
    if (!mem_product(MOST_IMAGES, s->pixels, &values) || !mem_product(MOST_IMAGES, s->outputs, &outputs))
        return error_memory(err, "images");
    s->x = mem_aligned(values, sizeof(float));
    s->moved = mem_aligned(values, sizeof(float));
    s->rule = mem_aligned(values, sizeof(float));
    s->exact = mem_aligned(values, sizeof(float));
    s->out = mem_aligned(outputs, sizeof(float));
    s->d_out = mem_aligned(outputs, sizeof(float));
    s->plus = mem_aligned(outputs, sizeof(float));
    s->minus = mem_aligned(outputs, sizeof(float));
    s->other = mem_array(MOST_IMAGES, sizeof *s->other);
    if (!s->x || !s->moved || !s->rule || !s->exact || !s->out || !s->d_out || !s->plus || !s->minus || !s->other)
        return error_memory(err, "images");
    return victim_create(t, MOST_IMAGES, NULL, &s->victim, err);
}

/* The clean images, each a little off. */
static bioft_status take_images(struct study *s, const bioft_batch *clean, struct error *err)
{
    for (uint32_t i = 0; i < clean->n; i++) {
        float *x = s->x + i * s->pixels;
        bioft_status st = random_fill(BIOFT_UNIFORM, s->target->seed, "gradients", clean->sample[i], 0, x, s->pixels);
        if (st != BIOFT_OK)
            return error_set(err, st, "random numbers");
        for (size_t k = 0; k < s->pixels; k++) {
            const float v = clean->x[i * s->pixels + k] + (float)jitter * (2.0f * x[k] - 1.0f);
            x[k] = v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
        }
    }
    return BIOFT_OK;
}

/* softmax(z) - onehot(label): the cross-entropy's derivative by the outputs. */
static void cross_entropy(struct study *s, const bioft_batch *clean)
{
    for (uint32_t i = 0; i < clean->n; i++) {
        const float *z = s->out + (size_t)i * s->outputs;
        float *d = s->d_out + (size_t)i * s->outputs;
        const double largest = (double)z[largest_index(z, s->outputs)];
        double sum = 0.0;
        for (uint32_t c = 0; c < s->outputs; c++)
            sum += exp((double)z[c] - largest);
        for (uint32_t c = 0; c < s->outputs; c++)
            d[c] = (float)(exp((double)z[c] - largest) / sum - ((int32_t)c == clean->label[i]));
    }
}

static void margin(struct study *s, const bioft_batch *clean)
{
    for (uint32_t i = 0; i < clean->n; i++) {
        const float *z = s->out + (size_t)i * s->outputs;
        float *d = s->d_out + (size_t)i * s->outputs;
        int32_t best = -1;
        for (uint32_t c = 0; c < s->outputs; c++) {
            d[c] = 0.0f;
            if ((int32_t)c != clean->label[i] && (best < 0 || z[c] > z[best]))
                best = (int32_t)c;
        }
        s->other[i] = best;
        if (clean->label[i] >= 0) {
            d[clean->label[i]] = 1.0f;
            d[best] = -1.0f;
        }
    }
}

static double norm_of(const float *g, size_t count)
{
    double sum = 0.0;
    for (size_t k = 0; k < count; k++)
        sum += (double)g[k] * (double)g[k];
    return sqrt(sum);
}

/* The gradient of <d_out, out> at x by either backward pass. */
static bioft_status gradient(struct study *s, enum gradient_kind kind, uint32_t n, float *ret)
{
    const bioft_victim *v = victim_view(s->victim);

    victim_gradient(s->victim, kind);
    bioft_status st = v->forward(v, n, s->x, s->out);
    return st == BIOFT_OK ? v->backward(v, n, s->d_out, ret) : st;
}

struct sums {
    uint64_t compared, checked;
    double cosine, signs, differs;
};

static void add_agreement(const struct study *s, uint32_t n, struct sums *sums)
{
    for (uint32_t i = 0; i < n; i++) {
        const float *a = s->rule + i * s->pixels, *b = s->exact + i * s->pixels;
        const double lengths = norm_of(a, s->pixels) * norm_of(b, s->pixels);
        double product = 0.0;
        uint64_t same = 0;
        if (!(lengths > 0.0) || !isfinite(lengths))
            continue;
        for (size_t k = 0; k < s->pixels; k++) {
            product += (double)a[k] * (double)b[k];
            same += (a[k] > 0.0f) - (a[k] < 0.0f) == (b[k] > 0.0f) - (b[k] < 0.0f);
        }
        sums->compared++;
        sums->cosine += product / lengths;
        sums->signs += (double)same / (double)s->pixels;
    }
}

/* The margins at x + h d and x - h d, d the unit vector along the exact gradient. */
static bioft_status outputs_beside(struct study *s, uint32_t n, double h, float *ret)
{
    const bioft_victim *v = victim_view(s->victim);

    for (uint32_t i = 0; i < n; i++) {
        const float *g = s->exact + i * s->pixels;
        const double length = norm_of(g, s->pixels), by = length > 0.0 ? h / length : 0.0;
        for (size_t k = 0; k < s->pixels; k++)
            s->moved[i * s->pixels + k] = (float)((double)s->x[i * s->pixels + k] + by * (double)g[k]);
    }
    return v->forward(v, n, s->moved, ret);
}

static double margin_of(const struct study *s, const bioft_batch *clean, uint32_t i, const float *out)
{
    const float *z = out + (size_t)i * s->outputs;
    if (clean->label[i] < 0)
        return 0.0;
    return (double)z[clean->label[i]] - (double)z[s->other[i]];
}

static void add_differences(const struct study *s, const bioft_batch *clean, struct sums *sums)
{
    for (uint32_t i = 0; i < clean->n; i++) {
        const double slope = norm_of(s->exact + i * s->pixels, s->pixels);
        const double found = (margin_of(s, clean, i, s->plus) - margin_of(s, clean, i, s->minus)) / (2.0 * step);
        if (clean->label[i] < 0 || (slope <= 0.0 && fabs(found) <= 0.0))
            continue;
        sums->checked++;
        sums->differs += !(fabs(found - slope) <= tolerance * slope);
    }
}

static bioft_status add_batch(struct study *s, const bioft_batch *clean, struct sums *sums, struct error *err)
{
    const bioft_victim *v = victim_view(s->victim);
    bioft_status st = take_images(s, clean, err);

    if (st != BIOFT_OK)
        return st;
    victim_batch(s->victim, clean);
    st = victim_begin(s->victim, &(struct victim_run){ .aimed = clean, .norm = BIOFT_LINF, .epsilon = jitter }, err);
    if (st != BIOFT_OK)
        return st;
    st = v->forward(v, clean->n, s->x, s->out);
    if (st == BIOFT_OK) {
        cross_entropy(s, clean);
        st = gradient(s, GRADIENT_RULE, clean->n, s->rule);
    }
    if (st == BIOFT_OK && s->target->feedback && !feedback_is_exact(s->target->feedback))
        st = gradient(s, GRADIENT_EXACT, clean->n, s->exact);
    else if (st == BIOFT_OK)
        memcpy(s->exact, s->rule, sizeof(float) * s->pixels * clean->n); /* the rule's is the exact one */
    if (st == BIOFT_OK) {
        add_agreement(s, clean->n, sums);
        margin(s, clean);
        st = gradient(s, GRADIENT_EXACT, clean->n, s->exact);
    }
    if (st == BIOFT_OK)
        st = outputs_beside(s, clean->n, step, s->plus);
    if (st == BIOFT_OK)
        st = outputs_beside(s, clean->n, -step, s->minus);
    if (st == BIOFT_OK)
        add_differences(s, clean, sums);
    return st == BIOFT_OK ? st : victim_error(s->victim, st, err);
}

bioft_status gradients_compare(const struct trained *t, const uint64_t *positions, uint64_t count,
                               struct gradients_found *ret, struct error *err)
{
    struct study s;
    struct sums sums = { 0 };
    struct batches *batches = NULL;
    bioft_batch clean;

    *ret = (struct gradients_found){ .cosine = NAN, .signs = NAN, .differs = NAN };
    if (t->codebook || t->dataset->multi_label || t->model->graph->view.outputs < 2)
        return BIOFT_OK;
    const uint64_t n = count < MOST_IMAGES ? count : MOST_IMAGES;
    bioft_status st = study_make(&s, t, err);
    if (st == BIOFT_OK)
        st = batches_create(&(struct batches_params){ .dataset = t->dataset,
                                                      .split = t->split,
                                                      .positions = positions,
                                                      .count = n,
                                                      .batch_size = MOST_IMAGES,
                                                      .image = t->image,
                                                      .pool = t->pool },
                            &batches, err);
    if (st == BIOFT_OK)
        st = batches_next(batches, &clean, err);
    if (st == BIOFT_OK && clean.n > 0) {
        st = add_batch(&s, &clean, &sums, err);
        victim_end(s.victim);
        ret->n = clean.n;
    }
    if (st == BIOFT_OK && sums.compared) {
        ret->cosine = sums.cosine / (double)sums.compared;
        ret->signs = sums.signs / (double)sums.compared;
    }
    if (st == BIOFT_OK && sums.checked)
        ret->differs = sums.differs / (double)sums.checked;
    batches_destroy(batches);
    study_free(&s);
    return st == BIOFT_OK ? st : error_prefix(err, "comparing gradients");
}
