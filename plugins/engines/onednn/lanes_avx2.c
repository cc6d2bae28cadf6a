/* The loops of lanes.h in AVX2. */
#define SET      lanes_avx2
#define SET_NAME "lanes:avx2"
#include "lanes.inc"
