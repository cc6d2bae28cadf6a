/* A benchmark's parts: the network on an engine, its steps, what the machine could do, where the
 * time went. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "cli/arguments.h"
#include "cli/console.h"
#include "network/network.h"
#include "rules/feedback.h"

enum { BENCH_CLASSES = 10 };

struct bench {
    const char *backbone, *rule, *engine, *precision_name;
    struct argument_list plugin_paths;
    uint32_t batch, size, steps, threads, precision;
    bool train, profile, json, quiet;
    struct console console;
    struct registry *registry;
    struct pool *pool;
    struct engine *opened;
    struct network network;
    struct feedback *feedback;
    struct program *program;
    struct arena *arena;
    float *x, *out, *d_out;
    int32_t *label;
    uint64_t *labels;
    double *lr;
    uint64_t step;
};
bioft_status bench_open(struct bench *b, struct error *err);
void bench_close(struct bench *b); /* zero is fine */

struct bench_times { /* seconds of one step; backward and update 0 in forward */
    double all, forward, backward, update;
};
/* One step that is not measured, then b->steps that are: the best one, and the median of `all`. */
bioft_status bench_measure(struct bench *b, struct bench_times *ret_best, double *ret_median, struct error *err);

/* b->backbone on every engine found, in each precision: a line each. What an engine does not support is a line too;
 * any other failure is the answer, after the rest has been measured. */
bioft_status bench_engines(struct bench *b, struct error *err);

/* What this machine does at best: a product of large matrices on the engine, in the benchmark's
 * precision, and a = b + c * d over arrays that no cache holds. */
struct bench_peaks {
    double flops, bytes; /* a second */
};
bioft_status bench_peaks(struct bench *b, struct bench_peaks *ret, struct error *err);
/* Of one step: multiplications and additions of the layers with weights, and the bytes of
 * parameters, gradients and moments that Adam reads and writes. */
double bench_step_flops(const struct bench *b);
double bench_update_bytes(const struct bench *b);

/* What the engine measured, as its JSON text (free()), NULL where it measures nothing. */
bioft_status bench_profile(const struct bench *b, char **ret, struct error *err);
/* The instruction sets that its primitives used, each once, by commas; "" where it does not say. In
 * the arena. */
bioft_status bench_kernels(const char *profile, struct arena *arena, const char **ret, struct error *err);
/* A figure of bf16 says nothing where the machine multiplied float32: BIOFT_ERR_UNSUPPORTED. kernels: as above. */
bioft_status bench_check_kernels(const struct bench *b, const char *kernels, struct error *err);
/* By layer and phase, milliseconds a step; steps: all that were run. */
bioft_status bench_print_profile(const char *profile, uint32_t steps, struct arena *arena, struct error *err);

#endif
