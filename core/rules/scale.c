/* How large V is, as engines have it for rules that declare it. */
#include "rules/scale.h"

#include <math.h>

static double norm(const float *v, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

static bioft_status scale(const bioft_host *host, const bioft_layer *layer, uint32_t how, float constant,
                          const float *w, const float *u, float *ret)
{
    switch (how) {
    case BIOFT_SCALE_NONE: *ret = 1.0f; return BIOFT_OK;
    case BIOFT_SCALE_XAVIER:
        *ret = (float)sqrt(2.0 / ((double)layer->fan_in + (double)layer->fan_out));
        return BIOFT_OK;
    case BIOFT_SCALE_KAIMING: *ret = (float)(1.0 / sqrt(3.0 * (double)layer->fan_in)); return BIOFT_OK;
    case BIOFT_SCALE_MATCH_NORM: {
        const double size = norm(u, layer->count);
        *ret = size > 0.0 ? (float)(norm(w, layer->count) / size) : 0.0f;
        return BIOFT_OK;
    }
    case BIOFT_SCALE_CONSTANT: *ret = constant; return BIOFT_OK;
    default: return host->fail(host, BIOFT_ERR_INVALID, "unknown scale");
    }
}

const bioft_scales scale_extension = { .struct_size = sizeof(scale_extension), .scale = scale };
