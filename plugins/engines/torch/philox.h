/* The keyed generator on the device (plugin.h: bioft_generator), in int64 operations of libtorch. */
#ifndef TORCH_PHILOX_H
#define TORCH_PHILOX_H

#include "random.h"

/* Element i of the stream at i: BIOFT_UNIFORM or BIOFT_NORMAL, float32, at least `count` in a vector. NULL: torch_failed. */
tensor philox_draw(struct torch *t, const struct draw *d, int64_t count);
/* What an engine keeps between draws. */
bool philox_begin(struct torch *t);
void philox_free(struct torch *t);

#endif
