/* Ranking by hash codes for AVX-512 F, BW, VL, VBMI2 and VPOPCNTDQ: called only where the processor
 * has them. */
#ifndef CODES_HAMMING_AVX512_H
#define CODES_HAMMING_AVX512_H

#include "codes/hamming.h"

hamming_fn distances_avx512;
hamming_mark_fn mark_avx512;
hamming_select_fn select_avx512;

#endif
