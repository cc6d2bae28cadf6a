/* Winograd's transforms and products in AVX2 and FMA. */
#define KERNELS      winograd_avx2
#define KERNELS_NAME "avx2"
#include "winograd_kernels.inc"
