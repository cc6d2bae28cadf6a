/* Between pixels in [0,1] and the network's normalised input. */
#include "attack/pixels.h"

void pixels_normalise(const struct picture *p, uint32_t n, const float *x, float *ret)
{
    const size_t plane = (size_t)p->height * p->width;
    for (size_t i = 0; i < (size_t)n * p->channels; i++) {
        const float mean = p->mean[i % p->channels], std = p->std[i % p->channels];
        for (size_t k = i * plane; k < (i + 1) * plane; k++)
            ret[k] = (x[k] - mean) / std;
    }
}

void pixels_gradient(const struct picture *p, uint32_t n, float *dx)
{
    const size_t plane = (size_t)p->height * p->width;
    for (size_t i = 0; i < (size_t)n * p->channels; i++) {
        const float std = p->std[i % p->channels];
        for (size_t k = i * plane; k < (i + 1) * plane; k++)
            dx[k] /= std;
    }
}
