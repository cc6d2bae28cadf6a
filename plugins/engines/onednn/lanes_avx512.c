/* The loops of lanes.h in AVX-512. */
#define SET      lanes_avx512
#define SET_NAME "lanes:avx512"
#include "lanes.inc"
