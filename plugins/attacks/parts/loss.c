/* What attacks raise: functions of one image's outputs, with their derivatives. */
#include "loss.h"

#include <math.h>
#include <string.h>

const char *const loss_names[] = { "ce", "dlr", "dlr_targeted", "margin", NULL };

uint32_t loss_classes(int32_t loss, int targeted)
{
    return loss == LOSS_DLR_TARGETED || (loss == LOSS_DLR && targeted) ? 4 : loss == LOSS_DLR ? 3 : 2;
}

static double cross_entropy(uint32_t classes, const float *z, int32_t own, double sign, float *d)
{
    double largest = (double)z[0], others = 0.0;

    for (uint32_t c = 1; c < classes; c++)
        largest = (double)z[c] > largest ? (double)z[c] : largest;
    for (uint32_t c = 0; c < classes; c++)
        others += (int32_t)c == own ? 0.0 : exp((double)z[c] - largest);
    const double sum = others + exp((double)z[own] - largest);
    for (uint32_t c = 0; d && c < classes; c++) /* the label's own part is not 1 - 1 where it is all but sure */
        d[c] = (float)(sign * ((int32_t)c == own ? -others : exp((double)z[c] - largest)) / sum);
    return sign * (log(sum) + largest - (double)z[own]);
}

/* The first largest output beside `not`. */
static uint32_t largest_but(uint32_t classes, const float *z, int32_t not )
{
    uint32_t best = not == 0 ? 1 : 0;

    for (uint32_t c = best + 1; c < classes; c++)
        if ((int32_t)c != not &&z[c] > z[best])
            best = c;
    return best;
}

/* The first `count` of the order from the largest output down; equal ones by number. */
static void largest_few(uint32_t classes, const float *z, uint32_t count, uint32_t *ret)
{
    for (uint32_t k = 0; k < count; k++) {
        uint32_t best = classes;
        for (uint32_t c = 0; c < classes; c++) {
            int taken = 0;
            for (uint32_t p = 0; p < k; p++)
                taken |= ret[p] == c;
            if (!taken && (best == classes || z[c] > z[best]))
                best = c;
        }
        ret[k] = best;
    }
}

/* value = (z[up] - z[down]) / (z(1) - sum of weight k z(k)), its derivative to d. */
static double ratio(uint32_t classes, const float *z, uint32_t up, uint32_t down, int32_t loss, float *d)
{
    const uint32_t few = loss == LOSS_DLR ? 3 : 4;
    const double weight[4] = { 1.0, 0.0, loss == LOSS_DLR ? -1.0 : -0.5, loss == LOSS_DLR ? 0.0 : -0.5 };
    uint32_t order[4];
    double below = 1e-12;

    largest_few(classes, z, few, order);
    for (uint32_t k = 0; k < few; k++)
        below += weight[k] * (double)z[order[k]];
    const double value = ((double)z[up] - (double)z[down]) / below;
    if (!d)
        return value;
    memset(d, 0, sizeof(float) * classes);
    d[up] += (float)(1.0 / below);
    d[down] -= (float)(1.0 / below);
    for (uint32_t k = 0; k < few; k++)
        d[order[k]] -= (float)(value * weight[k] / below);
    return value;
}

double loss_value(int32_t loss, uint32_t classes, const float *z, int32_t y, int32_t t, int targeted, float *d)
{
    const int32_t own = targeted ? t : y;
    const uint32_t other = largest_but(classes, z, own);
    const uint32_t up = targeted ? (uint32_t)own : other, down = targeted ? other : (uint32_t)own;

    if (loss == LOSS_CE)
        return cross_entropy(classes, z, own, targeted ? -1.0 : 1.0, d);
    if (loss == LOSS_DLR_TARGETED || (loss == LOSS_DLR && targeted))
        return ratio(classes, z, (uint32_t)t, (uint32_t)y, LOSS_DLR_TARGETED, d);
    if (loss == LOSS_DLR)
        return ratio(classes, z, up, down, loss, d);
    if (d) {
        memset(d, 0, sizeof(float) * classes);
        d[up] = 1.0f;
        d[down] = -1.0f;
    }
    return (double)z[up] - (double)z[down];
}
