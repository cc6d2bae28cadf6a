/* One layer alone, for the extension "bioft.layer/1". */
#ifndef TORCH_LAYER_H
#define TORCH_LAYER_H

#include "engine.h"

bioft_status layer_run(struct torch *t, const bioft_layer *layer, uint32_t phase, uint32_t n, const float *a,
                       const float *b, float *ret);

#endif
