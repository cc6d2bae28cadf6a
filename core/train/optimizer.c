/* Adam (Kingma and Ba 2015) and SGD in torch's form, and torch's StepLR and CosineAnnealingLR in
 * closed form. */
#include "train/optimizer.h"

#include <math.h>

double schedule_factor(const struct schedule_spec *s, uint64_t epoch, uint64_t step, uint64_t steps)
{
    const double pi = 3.14159265358979323846;
    if (s->kind == SCHEDULE_STEP)
        return pow(s->gamma, (double)(epoch / (s->every > 0 ? s->every : 1)));
    if (s->kind == SCHEDULE_COSINE && steps > 0)
        return 0.5 * (1.0 + cos(pi * (double)step / (double)steps));
    return 1.0;
}

static void adam(const bioft_update *u, double lr, float *w, const float *g, float *m, float *v, size_t count)
{
    const double correction = sqrt(1.0 - pow(u->beta2, (double)u->t));
    const float step = (float)(lr / (1.0 - pow(u->beta1, (double)u->t))), root = (float)correction;
    const float b1 = (float)u->beta1, c1 = (float)(1.0 - u->beta1), b2 = (float)u->beta2, c2 = (float)(1.0 - u->beta2);
    const float eps = (float)u->eps, decay = (float)u->weight_decay, scale = (float)u->gradient_scale;
    for (size_t i = 0; i < count; i++) {
        const float x = scale * g[i] + decay * w[i];
        m[i] = b1 * m[i] + c1 * x;
        v[i] = b2 * v[i] + c2 * x * x;
        w[i] -= step * (m[i] / (sqrtf(v[i]) / root + eps));
    }
}

static void sgd(const bioft_update *u, double lr, float *w, const float *g, float *m, size_t count)
{
    const float step = (float)lr, momentum = (float)u->momentum;
    const float decay = (float)u->weight_decay, scale = (float)u->gradient_scale;
    for (size_t i = 0; i < count; i++) {
        float x = scale * g[i] + decay * w[i];
        if (u->momentum != 0.0) {
            x = u->t > 1 ? momentum * m[i] + x : x;
            m[i] = x;
        }
        w[i] -= step * x;
    }
}

void optimizer_step(const bioft_update *u, double lr, float *w, const float *g, float *m, float *v, size_t count)
{
    if (lr < 0.0)
        return;
    if (u->kind == BIOFT_ADAM)
        adam(u, lr, w, g, m, v, count);
    else
        sgd(u, lr, w, g, m, count);
}
