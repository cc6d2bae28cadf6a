/* 3x3 convolutions on one thread, this repository's Winograd beside the kernels that oneDNN chooses: milliseconds for
 * `images` images of the shape, forward, input error and weight gradient, the fastest of some runs.
 *
 *     ninja -C build bench/winograd && build/bench/winograd [IMAGES [SHAPE...]]       SHAPE: IN,OUT,SIDE
 */
#include "../plugins/engines/common/memory.h"
#include "../plugins/engines/common/winograd.h"
#ifdef HAVE_ONEDNN
#include "../plugins/engines/onednn/library.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 5, KINDS = 3 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *array(size_t count)
{
    float *ret = memory_take(count, sizeof *ret);

    if (!ret) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < count; i++)
        ret[i] = (float)((i * 2654435761u >> 7) % 1000) * 1e-3f - 0.5f;
    return ret;
}

struct shape {
    bioft_node conv;
    uint32_t in, images;
    float *x, *y, *w;
};

static void print(const char *name, const double best[KINDS], const struct shape *s)
{
    const double products = 9.0 * s->in * s->conv.channels * s->conv.height * s->conv.width * s->images;

    printf("%5u %5u %5u  %-34s", s->in, s->conv.channels, s->conv.height, name);
    for (int k = 0; k < KINDS; k++)
        printf(" %8.2f ms %6.0f", 1e3 * best[k], 2e-9 * products / best[k]);
    printf("\n");
}

static void ours(const struct shape *s, const struct winograd_kernels *k)
{
    struct winograd w[2] = { winograd_forward(k, &s->conv, s->in, s->conv.height, s->conv.width),
                             winograd_input_error(k, &s->conv, s->in, s->conv.height, s->conv.width) };
    const size_t weights = (size_t)9 * s->in * s->conv.channels;
    const size_t some[KINDS] = { winograd_work(&w[0]), winograd_work(&w[1]), winograd_gradient_work(&w[0]) };
    float *packed[2] = { array(winograd_weights(&w[0])), array(winograd_weights(&w[1])) }, *dw = array(weights);
    float *work = array(some[0] + some[1] + some[2]);
    double best[KINDS] = { 1e9, 1e9, 1e9 }, packing = 1e9;
    char name[80];

    for (int run = 0; run < RUNS; run++) {
        double t[KINDS + 2];
        t[0] = now();
        for (int d = 0; d < 2; d++)
            for (uint32_t b = 0; b < w[d].out_blocks; b++)
                winograd_pack(&w[d], s->w, NULL, b, packed[d]);
        t[1] = now();
        winograd_run(&w[0], packed[0], s->images, s->x, &(struct winograd_end){ 0 }, s->y, work);
        t[2] = now();
        winograd_run(&w[1], packed[1], s->images, s->y, &(struct winograd_end){ 0 }, s->x, work);
        t[3] = now();
        winograd_gradient(&w[0], s->images, s->x, s->y, false, dw, NULL, work);
        t[4] = now();
        packing = t[1] - t[0] < packing ? t[1] - t[0] : packing;
        for (int i = 0; i < KINDS; i++)
            best[i] = t[i + 2] - t[i + 1] < best[i] ? t[i + 2] - t[i + 1] : best[i];
    }
    snprintf(name, sizeof name, "ours %s, weights twice %.2f ms", k->name, 1e3 * packing);
    print(name, best, s);
    memory_give(packed[0]);
    memory_give(packed[1]);
    memory_give(dw);
    memory_give(work);
}

#ifdef HAVE_ONEDNN
static void theirs(const struct shape *s, struct library *l)
{
    double best[KINDS] = { 1e9, 1e9, 1e9 };
    char name[80] = "";

    for (int kind = 0; kind < KINDS; kind++) {
        const struct convolution_params c = {
            .conv = &s->conv,
            .in_channels = s->in,
            .in_h = s->conv.height,
            .in_w = s->conv.width,
            .images = s->images,
            .x_block = library_block(),
            .y_block = library_block(),
        };
        struct weight_map map;
        struct primitive *p = primitive_create(l, (enum convolution)kind, &c, &map);
        struct convolution_arrays a = { .x = s->x, .y = s->y };
        size_t used = strlen(name);
        if (!p)
            continue;
        a.w = array(map.floats);
        a.scratch = array(primitive_scratch(p) + 16);
        for (int run = 0; run < RUNS; run++) {
            const double from = now();
            (void)primitive_run(p, 0, &a);
            best[kind] = now() - from < best[kind] ? now() - from : best[kind];
        }
        snprintf(name + used, sizeof name - used, "%s%.11s", kind ? " " : "", primitive_name(p));
        memory_give(a.w);
        memory_give(a.scratch);
        primitive_destroy(p);
    }
    print(name, best, s);
}
#endif

static void measure(uint32_t in, uint32_t out, uint32_t side, uint32_t images)
{
    struct shape s = {
        .conv = { .struct_size = sizeof s.conv,
                  .op = BIOFT_OP_CONV2D,
                  .channels = out,
                  .height = side,
                  .width = side,
                  .kernel = { 3, 3 },
                  .stride = { 1, 1 },
                  .dilation = { 1, 1 },
                  .padding = { 1, 1, 1, 1 },
                  .groups = 1,
                  .bias = BIOFT_NONE },
        .in = in,
        .images = images,
    };
    const struct winograd_kernels *k = winograd_kernels_for(0);
    const uint32_t x = (in + 15) / 16 * 16, y = (out + 15) / 16 * 16;

    s.x = array((size_t)images * x * side * side);
    s.y = array((size_t)images * y * side * side);
    s.w = array((size_t)9 * in * out);
    if (k)
        ours(&s, k);
#ifdef HAVE_ONEDNN
    {
        const char *why;
        struct library *l = library_open(1, &why);
        if (l)
            theirs(&s, l);
        library_close(l);
    }
#endif
    memory_give(s.x);
    memory_give(s.y);
    memory_give(s.w);
}

int main(int argc, char **argv)
{
    static const unsigned shapes[][3] = { { 64, 64, 56 },  { 128, 128, 28 }, { 256, 256, 14 },
                                          { 512, 512, 7 }, { 192, 384, 13 }, { 64, 128, 112 } };
    const uint32_t images = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 8;

    printf("%5s %5s %5s  %-34s %18s %18s %18s\n", "in", "out", "side", "kernels", "forward, GFLOP/s", "input error",
           "weight gradient");
    for (int i = 2; i < argc; i++) {
        unsigned in, out, side;
        if (sscanf(argv[i], "%u,%u,%u", &in, &out, &side) != 3 || in < 1 || out < 1 || side < 1) {
            fprintf(stderr, "a shape is IN,OUT,SIDE, not '%s'\n", argv[i]);
            return 2;
        }
        measure(in, out, side, images);
    }
    for (size_t i = 0; argc < 3 && i < sizeof shapes / sizeof *shapes; i++)
        measure(shapes[i][0], shapes[i][1], shapes[i][2], images);
    return 0;
}
