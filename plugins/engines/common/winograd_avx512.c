/* Winograd's transforms and products in AVX-512. */
#define KERNELS      winograd_avx512
#define KERNELS_NAME "avx512"
#include "winograd_kernels.inc"
