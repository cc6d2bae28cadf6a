/* The engine's instance: libtorch, opened, and the device that it computes on. */
#ifndef TORCH_ENGINE_H
#define TORCH_ENGINE_H

#include "abi.h"

#include <bioft/engine.h>
#include <bioft/util.h>

struct options {
    const char *library, *device;
    int32_t precision, deterministic, draws;
};

enum { DRAWS_AUTO = 0, DRAWS_HOST, DRAWS_DEVICE };          /* options.draws */
enum { PRECISION_F32 = 0, PRECISION_TF32, PRECISION_BF16 }; /* options.precision */

struct torch {
    struct options options; /* first: the host writes them at their offsets */
    const bioft_host *host;
    struct torch_functions f;
    void *handle, *device_handle; /* dlopen's; never unloaded. Of libtorch, and of its part for the device */
    char version[48], folder[512];
    char device_text[32]; /* "cpu", "cuda:0" */
    int32_t device_type, device_index;
    int32_t cpu, float32, float64, bfloat16, int64; /* torch's numbers of these */
    bool on_host;                                   /* the device's memory is the host's */
    uint32_t threads;
    int gpu_lock; /* -1: none */
    add_tensor_function *add_tensor;
    multiply_number_function *multiply_number;
    void (*set_threads)(int threads); /* OpenMP's; NULL: not found */
    device_guard guard;               /* while a call runs */
    size_t live;                      /* tensor handles that are ours */
    tensor zero;                      /* 0-d float32 */
    const bioft_generator *generator; /* NULL: the host has none */
    bool draws_on_device;             /* random numbers */
    tensor counters;                  /* 0, 1, 2, ...: philox.c */
    int64_t counter_count;
    bioft_status status; /* of what failed last, and its text */
    char error[400];
};

bioft_status torch_open(struct torch *t); /* the options are there; says why through the host */
void torch_close(struct torch *t);
/* Around each call of the contract: the thread's state is torch's own. */
bool torch_enter(struct torch *t);
void torch_leave(struct torch *t);
/* "cpu"; "cuda:0 (NVIDIA H200), cuDNN 9.10.2". */
void torch_describe(const struct torch *t, char *ret, size_t size);
/* Tells the host of what failed last. */
bioft_status torch_failed(struct torch *t, const char *doing);

#endif
