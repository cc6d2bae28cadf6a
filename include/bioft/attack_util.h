/* Inline helpers for authors of gradient attacks on classifiers. Nothing here is part of the ABI. */
#ifndef BIOFT_ATTACK_UTIL_H
#define BIOFT_ATTACK_UTIL_H

#include <bioft/attack.h>
#include <bioft/util.h>
#include <math.h>

/* The gradient of sum_i CE(out_i, label_i) by the outputs, softmax(out) - onehot(label), times `sign`: 1 to raise the
 * loss of the true labels, -1 to lower that of targets. out, ret: [n][classes]. */
static inline void bioft_cross_entropy_gradient(uint32_t n, uint32_t classes, const float *out, const int32_t *label,
                                                float sign, float *ret)
{
    for (uint32_t i = 0; i < n; i++) {
        const float *z = out + (size_t)i * classes;
        float *d = ret + (size_t)i * classes, largest = z[0], sum = 0.0f;
        for (uint32_t c = 1; c < classes; c++)
            largest = z[c] > largest ? z[c] : largest;
        for (uint32_t c = 0; c < classes; c++)
            sum += d[c] = expf(z[c] - largest);
        for (uint32_t c = 0; c < classes; c++)
            d[c] = sign * (d[c] / sum - ((int32_t)c == label[i] ? 1.0f : 0.0f));
    }
}

/* One step along the sign of the gradient inside the L-infinity ball: x <- x + step sign(g), then into
 * [clean - epsilon, clean + epsilon], then into [0,1]. sign(0) = 0. The arrays are three. */
static inline void bioft_linf_step(size_t count, float step, float epsilon, const float *clean, const float *g,
                                   float *x)
{
    for (size_t i = 0; i < count; i++) {
        float v = x[i] + step * (float)((g[i] > 0.0f) - (g[i] < 0.0f)), low = clean[i] - epsilon,
              high = clean[i] + epsilon;
        v = v < low ? low : v;
        v = v > high ? high : v;
        v = v < 0.0f ? 0.0f : v;
        x[i] = v > 1.0f ? 1.0f : v;
    }
}

/* Takes the work space of bioft_input_gradient for the victim's largest batch: for prepare(). */
static inline bioft_status bioft_gradient_scratch(const bioft_host *host, const bioft_victim *v, void *ret[3])
{
    static const char *const names[3] = { "attack_util.out", "attack_util.d_out", "attack_util.gradient" };
    const size_t outputs = sizeof(float) * v->max_batch * v->outputs;
    const size_t pixels = sizeof(float) * v->max_batch * v->channels * v->height * v->width;
    bioft_status st = BIOFT_OK;
    for (int i = 0; st == BIOFT_OK && i < 3; i++)
        st = host->scratch(host, names[i], i < 2 ? outputs : pixels, &ret[i]);
    return st;
}

/* The gradient by the pixels at x of what the attacker raises: the cross-entropy of the labels, or minus that of the
 * targets where the batch has some. *ret_g: [n][c][h][w], valid until the next call. */
static inline bioft_status bioft_input_gradient(const bioft_host *host, const bioft_victim *v, const bioft_batch *clean,
                                                const float *x, float **ret_g)
{
    void *work[3];
    bioft_status st = bioft_gradient_scratch(host, v, work);
    if (st == BIOFT_OK)
        st = v->forward(v, clean->n, x, (float *)work[0]);
    if (st != BIOFT_OK)
        return st;
    bioft_cross_entropy_gradient(clean->n, v->outputs, (float *)work[0], clean->target ? clean->target : clean->label,
                                 clean->target ? -1.0f : 1.0f, (float *)work[1]);
    st = v->backward(v, clean->n, (float *)work[1], (float *)work[2]);
    if (st == BIOFT_OK)
        *ret_g = (float *)work[2];
    return st;
}
#endif
