/* One layer alone, for the host's "bioft.layer/1". */
#ifndef OPENBLAS_LAYER_H
#define OPENBLAS_LAYER_H

#include "../common/engine.h"

/* Phases as in bioft_engine.layer. */
bioft_status layer_run(struct engine *e, const bioft_layer *layer, uint32_t phase, uint32_t n, const float *a,
                       const float *b, float *ret);

#endif
