/* Winograd's transforms and products in plain C. */
#define KERNELS      winograd_plain
#define KERNELS_NAME "plain"
#include "winograd_kernels.inc"
