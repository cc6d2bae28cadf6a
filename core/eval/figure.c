/* A figure from the predictions behind it. */
#include "eval/figure.h"

#include "eval/interval.h"

void figure_accuracy(struct figure *f, struct prediction *predictions, uint64_t n)
{
    uint64_t right = 0;
    double largest = 0.0, sum = 0.0;

    for (uint64_t i = 0; i < n; i++) {
        right += predictions[i].score > 0.0;
        largest = predictions[i].delta_max > largest ? predictions[i].delta_max : largest;
        sum += predictions[i].delta_mean;
    }
    const struct interval ci = interval_wilson(right, n);
    f->metric = "accuracy";
    f->value = n ? (double)right / (double)n : 0.0;
    f->ci_low = ci.low;
    f->ci_high = ci.high;
    f->n = n;
    f->delta_max = largest;
    f->delta_mean = n ? sum / (double)n : 0.0;
    f->predictions = predictions;
}
