/* A figure from the predictions behind it. */
#include "eval/figure.h"

#include "base/memory.h"
#include "eval/interval.h"
#include <stdlib.h>
#include <string.h>

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
    const struct interval ci = interval_bootstrap(scores, f->n, 0);
    f->value = f->n ? sum / (double)f->n : 0.0;
    f->ci_low = ci.low;
    f->ci_high = ci.high;
    free(scores);
    return BIOFT_OK;
}

bioft_status figure_fill(struct figure *f, struct prediction *predictions, uint64_t n,
                         struct error *err)
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
    if (!figure_counts(f))
        return fill_mean(f, err);
    fill_share(f);
    return BIOFT_OK;
}
