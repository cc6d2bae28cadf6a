/* oneDNN's convolutions on one thread each: what the engine needs of the library, without its types.
 *
 * Everything runs on the host's threads, one primitive a thread on its own images; the library's own threads are
 * never started. */
#ifndef ONEDNN_LIBRARY_H
#define ONEDNN_LIBRARY_H

#include <bioft/engine.h>
#include <stdbool.h>

struct library; /* the library's engine and a stream for each thread */
struct primitive;

/* NULL: *why says what is wrong. */
struct library *library_open(uint32_t threads, const char **why);
void library_close(struct library *l); /* NULL is fine */
/* "oneDNN 2.6.3 avx512_core"; false where this build of bioft is for another version of it. */
bool library_text(char *ret, size_t size);
uint32_t library_block(void); /* channels in a block on this CPU; 1: none */
/* Whether this CPU multiplies bfloat16 in a way that pays; if not, why. */
bool library_bf16(char *why, size_t size);

enum convolution { CONV_FORWARD = 0, CONV_INPUT_ERROR, CONV_WEIGHT_GRADIENT };
struct convolution_params {
    const bioft_node *conv; /* its output and geometry */
    uint32_t in_channels, in_h, in_w;
    uint32_t images;
    uint32_t x_block, y_block; /* as tensors stand; y_block 0: the library's choice */
    bool bias, add, relu;      /* forward: y = relu(conv + bias + other) */
    bool bf16;                 /* products of bfloat16, summed in float32, where that is fast */
};

/* Where weight [group][out][in][tap] stands: the sum of four offsets. */
struct weight_map {
    uint32_t groups, out, in, taps; /* of one group */
    size_t floats;                  /* of memory */
    bool bf16;                      /* the values are bfloat16 */
    uint32_t *group_at, *out_at, *in_at, *tap_at;
};

/* Whether minimal filtering in float32 takes fewer instructions than the direct sum in the precision asked for. */
bool library_winograd(const struct convolution_params *c);
/* Whether the library has such kernels of its own for all that is asked (forward; `back`: the other two as well). */
bool library_has_winograd(struct library *l, const struct convolution_params *c, bool back);
/* How the output would stand, and which of forward, input error and weight gradient have generated kernels then.
 * false: not even plain loops forward. */
bool primitive_query(struct library *l, const struct convolution_params *c, uint32_t *ret_y_block, bool ret_fast[3]);
/* NULL: the library cannot, or is out of memory. ret_map gets its tables from the primitive: they live as long. */
struct primitive *primitive_create(struct library *l, enum convolution kind, const struct convolution_params *c,
                                   struct weight_map *ret_map);
void primitive_destroy(struct primitive *p);          /* NULL is fine */
size_t primitive_scratch(const struct primitive *p);  /* floats that a run needs */
uint32_t primitive_images(const struct primitive *p); /* that a run takes */
const char *primitive_name(const struct primitive *p);

/* x, y: values or errors of `images` images, always float32; w as the map says. bias: or its gradient. */
struct convolution_arrays {
    float *x, *y, *w, *bias, *other, *scratch;
};
/* false: the library failed. */
bool primitive_run(struct primitive *p, uint32_t thread, const struct convolution_arrays *a);

#endif
