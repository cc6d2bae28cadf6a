/* The GPUs of this machine, asked of their drivers without libtorch. */
#ifndef TORCH_GPU_H
#define TORCH_GPU_H

#include <stdbool.h>
#include <stddef.h>

/* How many GPUs a program may use here (CUDA_VISIBLE_DEVICES is respected), and of which driver: "CUDA", "ROCm", or
 * "" where there is none. why: what is wrong where a driver is there and no GPU. */
int gpu_count(const char **ret_kind, char *why, size_t size);
/* The driver's name for a GPU; false: it has none. */
bool gpu_name(int device, char *ret, size_t size);
/* Of the GPUs below `count` the first of those that the fewest bioft of this user hold, and *ret_lock, to be closed when
 * this one no longer does; -1: no lock could be had. */
int gpu_take(int count, int *ret_lock);

#endif
