/* The loops of lanes.h in AVX2. */
#define SET lanes_avx2
#include "lanes.inc"
