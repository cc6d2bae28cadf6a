/* The feedback's loops in vectors of eight. */
#include "feedback_values.h"

void feedback_shift_avx2(float low, float width, float *m, size_t count) { shift_values(low, width, m, count); }

void feedback_product_avx2(uint32_t g, float scale, const struct feedback_values *a) { multiply_values(g, scale, a); }
