/* A figure from the predictions behind it. */
#include "eval/figure.h"

#include "base/memory.h"
#include "eval/interval.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *gradient_title(const char *gradient)
{
    return !*gradient                                     ? "both"
           : strcmp(gradient, GRADIENT_OF_RULE) == 0      ? "rule's own"
           : strcmp(gradient, GRADIENT_OF_STAND_INS) == 0 ? "straight through"
                                                          : gradient;
}

bool figure_counts(const struct figure *f) { return strcmp(f->metric, METRIC_ACCURACY) == 0; }

static void fill_share(struct figure *f)
{
    uint64_t right = 0;

    for (uint64_t i = 0; i < f->n; i++)
        right += f->predictions[i].score > 0.0;
    const struct interval ci = interval_wilson(right, f->n);
    f->value = f->n ? (double)right / (double)f->n : 0.0;
    f->ci_low = ci.low;
    f->ci_high = ci.high;
}

/* The sum is in the order of the samples, as a ranking's own mean is. */
static bioft_status fill_mean(struct figure *f, struct error *err)
{
    double *scores = mem_array(f->n, sizeof *scores), sum = 0.0;

    if (!scores)
        return error_memory(err, "scores");
    for (uint64_t i = 0; i < f->n; i++)
        sum += scores[i] = f->predictions[i].score;
    const struct interval ci = interval_mean(scores, f->n, 0.0, 1.0);
    f->value = f->n ? sum / (double)f->n : 0.0;
    f->ci_low = ci.low;
    f->ci_high = ci.high;
    free(scores);
    return BIOFT_OK;
}

/* Was the image the network's without the attack? Of codes every one counts. */
static bool was_right(const struct prediction *p) { return !(p->attack->clean <= 0.0); }

static bool is_broken(const struct prediction *p)
{
    return p->attack->target >= 0 ? p->prediction == p->attack->target : !p->attack->right;
}

static void count_one(const struct figure *f, const struct prediction *p, struct indicators *i)
{
    const struct attack_record *a = p->attack;
    const bool right = was_right(p), survived = right && p->score > 0.0, vanished = a->zero + a->nonfinite > 0;

    i->right += right;
    i->gained += !right && a->right;
    i->reached += a->target >= 0 && p->prediction == a->target;
    i->queries += (double)a->queries;
    i->gradients += (double)a->gradients;
    i->zero_gradient += right && vanished;
    i->zero_survived += survived && vanished;
    i->unchanged += right && p->delta_max <= 0.0;
    i->budget_unused += right && a->distance < 0.5 * f->epsilon;
    i->silent += a->found && (f->nearest ? isinf(a->distance) : !is_broken(p));
    i->rising += survived && a->rising;
}

static void fill_indicators(struct figure *f)
{
    struct indicators i = { .cosine = f->indicators.cosine,
                            .signs = f->indicators.signs,
                            .differs = f->indicators.differs,
                            .draws = f->indicators.draws };
    bool records = f->n > 0, traced = false, targeted = false, classes = true;

    for (uint64_t k = 0; k < f->n && records; k++) {
        const struct prediction *p = &f->predictions[k];
        records = p->attack != NULL;
        if (!records)
            break;
        count_one(f, p, &i);
        traced = traced || p->attack->traced;
        targeted = targeted || p->attack->target >= 0;
        classes = classes && !isnan(p->attack->clean);
    }
    if (records) {
        i.queries /= (double)f->n;
        i.gradients /= (double)f->n;
    } else {
        i.queries = i.gradients = (double)NAN;
    }
    if (!records || !classes)
        i.right = i.gained = i.silent = i.rising = i.zero_survived = -1;
    if (!records || !targeted)
        i.reached = -1;
    if (!records || !traced)
        i.silent = i.rising = -1;
    if (f->nearest) /* what seeks the boundary ends where it is reached, still rising */
        i.rising = -1;
    if (!records || f->epsilon <= 0.0 || (f->from && *f->from))
        i.zero_gradient = i.zero_survived = -1;
    if (!records || f->epsilon <= 0.0 || f->nearest)
        i.unchanged = i.budget_unused = -1;
    f->indicators = i;
}

bioft_status figure_fill(struct figure *f, struct prediction *predictions, uint64_t n, struct error *err)
{
    double largest = 0.0, sum = 0.0;

    for (uint64_t i = 0; i < n; i++) {
        largest = predictions[i].delta_max > largest ? predictions[i].delta_max : largest;
        sum += predictions[i].delta_mean;
    }
    f->n = n;
    f->delta_max = largest;
    f->delta_mean = n ? sum / (double)n : 0.0;
    f->predictions = predictions;
    if (f->attacked)
        fill_indicators(f);
    if (!figure_counts(f))
        return fill_mean(f, err);
    fill_share(f);
    return BIOFT_OK;
}
