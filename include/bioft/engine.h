/* Compute engines: a graph compiled into programs and run. A draft with its own version until two engines
 * have lived with it.
 *
 * Three objects. The engine's instance. A *model*: a graph with its parameters on that engine - canonical float32
 * values, gradients, moments, feedback. A *program*: one use of a model compiled for a largest batch. Several
 * programs share a model; whatever a program derives from the model's values (packed, folded, bf16 copies, V) it
 * refreshes by itself after write(), set_feedback() or update(). Pointers are host memory.
 * A step - forward, backward, update - allocates nothing. */
#ifndef BIOFT_ENGINE_H
#define BIOFT_ENGINE_H

#include <bioft/rule.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BIOFT_ENGINE_DRAFT 1u /* must match exactly, whatever the ABI version says */

/* Operators of a graph. CONV2D to FLATTEN are what every engine should have. An engine may lack those from CLIP on:
 * then supports() says BIOFT_ERR_UNSUPPORTED, and `why` names the operator by bioft_operator_name().
 *
 * A tensor [tokens, channels] of a transformer has as many channels, height = tokens and width = 1: like an image's, its
 * values stand as [channels][height][width]. A linear layer at each token, or each position of an image, is a CONV2D of
 * a 1x1 kernel whose weight has the shape [out][in]; so rules see it as the convolution that it is.
 *
 *   CLIP         min(max(x, low), high); error 0 where y is low or high (torch's hardtanh). ReLU6: 0 and 6.
 *   SIGMOID      1/(1 + exp(-x))          HARDSIGMOID  min(max(x/6 + 1/2, 0), 1)
 *   SILU         x sigmoid(x)             HARDSWISH    x hardsigmoid(x)
 *   GELU         x Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016), by erf
 *   MULTIPLY     of two inputs, value by value; the second may have 1 in place of a side of the first, and is repeated
 *   CONCAT       the second input behind the first along `axis` (0 channels, 1 height, 2 width)
 *   SLICE        x from `from` on along `axis`, as long as the output's shape says
 *   SCALE        weight[channel] x + bias[channel]; either may be BIOFT_NONE
 *   LAYERNORM    (x - mean)/sqrt(variance + eps) weight[channel] + bias[channel], mean and variance (of 1/channels) over
 *                the channels of each position (Ba, Kiros and Hinton 2016)
 *   SOFTMAX      over the width: exp(x)/sum exp(x) of each row
 *   MATMUL       two inputs, `groups` g (heads), C channels in g groups of C/g, positions numbered by height and width.
 *                product 0: a [C][M], b [C][N] -> [g][M][N], y[h][i][j] = scale sum_c a[h C/g + c][i] b[h C/g + c][j]
 *                product 1: a [g][M][N], b [C][N] -> [C][M][1], y[h C/g + c][i] = scale sum_j a[h][i][j] b[h C/g + c][j]
 *   TOKENS       x [C][P] -> [C][T][1] with y[c][t] = (t < T - P ? bias[c] : x[c][t - (T - P)]) + weight[t][c]; T - P is
 *                0 or 1. bias, one class token, where T - P is 1; weight [T][C], positions, or BIOFT_NONE. */
enum {
    BIOFT_OP_INPUT = 0,
    BIOFT_OP_CONV2D,
    BIOFT_OP_LINEAR,
    BIOFT_OP_BATCHNORM,
    BIOFT_OP_RELU,
    BIOFT_OP_TANH,
    BIOFT_OP_MAXPOOL,
    BIOFT_OP_AVGPOOL,
    BIOFT_OP_ADAPTIVE_AVGPOOL,
    BIOFT_OP_DROPOUT,
    BIOFT_OP_ADD,
    BIOFT_OP_FLATTEN,
    BIOFT_OP_CLIP,
    BIOFT_OP_SIGMOID,
    BIOFT_OP_HARDSIGMOID,
    BIOFT_OP_HARDSWISH,
    BIOFT_OP_SILU,
    BIOFT_OP_GELU,
    BIOFT_OP_MULTIPLY,
    BIOFT_OP_CONCAT,
    BIOFT_OP_SLICE,
    BIOFT_OP_SCALE,
    BIOFT_OP_LAYERNORM,
    BIOFT_OP_SOFTMAX,
    BIOFT_OP_MATMUL,
    BIOFT_OP_TOKENS
};

/* "conv2d", "hardswish"; "unknown operator" for a number that these headers do not know. */
static inline const char *bioft_operator_name(uint32_t op)
{
    static const char *const names[] = {
        "input",       "conv2d",           "linear",  "batchnorm", "relu",     "tanh",   "maxpool",
        "avgpool",     "adaptive_avgpool", "dropout", "add",       "flatten",  "clip",   "sigmoid",
        "hardsigmoid", "hardswish",        "silu",    "gelu",      "multiply", "concat", "slice",
        "scale",       "layernorm",        "softmax", "matmul",    "tokens",
    };
    return op < sizeof(names) / sizeof(*names) ? names[op] : "unknown operator";
}

/* One node; nodes stand in an order in which every input comes before its use; node 0 is the input, the last one
 * the network's output. Shapes are per image. Geometry as in torch.nn of the same name. */
typedef struct bioft_node {
    uint32_t struct_size, op;
    uint32_t input[2], input_count;     /* indices of nodes */
    uint32_t channels, height, width;   /* of the output; flat: height = width = 1 */
    uint32_t layer;                     /* index of the weighted layer, or BIOFT_NONE */
    uint32_t weight, bias;              /* parameters, or BIOFT_NONE; norms, scale: gamma, beta */
    uint32_t running_mean, running_var; /* parameters of batchnorm, or BIOFT_NONE */
    uint32_t kernel[2], stride[2], dilation[2], padding[4], groups; /* padding: top, left, bottom, right */
    uint32_t ceil_mode, exclude_padding;
    float eps, momentum, dropout;
    uint32_t reserved;
    float low, high, scale;       /* clip's bounds; matmul's factor */
    uint32_t axis, from, product; /* concat, slice; slice; matmul */
} bioft_node;

/* A named array of the model, float32. RUNNING: batchnorm's statistics, never trained. TABLE: values of TOKENS, which
 * are of no layer. */
enum {
    BIOFT_PARAM_WEIGHT = 1,
    BIOFT_PARAM_BIAS,
    BIOFT_PARAM_GAMMA,
    BIOFT_PARAM_BETA,
    BIOFT_PARAM_RUNNING,
    BIOFT_PARAM_TABLE
};
enum { BIOFT_PARAM_HEAD = 1 }; /* bioft_parameter.flags: belongs to the task's head */
typedef struct bioft_parameter {
    uint32_t struct_size, kind, flags, layer; /* layer: of weighted layers, else BIOFT_NONE */
    const char *name;                         /* torchvision's: "layer1.0.conv1.weight" */
    uint32_t dims, reserved;
    uint64_t shape[4];
    size_t count;
} bioft_parameter;

/* Read-only, lives longer than every model made of it. Arrays carry their stride in bytes. */
typedef struct bioft_graph {
    uint32_t struct_size, node_count, parameter_count, layer_count;
    uint32_t node_size, parameter_size, layer_size;
    uint32_t channels, height, width, outputs, reserved; /* of the input; width of the output */
    const bioft_node *nodes;
    const bioft_parameter *parameters;
    const bioft_layer *layers;
} bioft_graph;

enum { BIOFT_TRAIN = 1, BIOFT_EVAL, BIOFT_ATTACK }; /* bioft_use.kind */
enum { BIOFT_F32 = 1, BIOFT_BF16 };                 /* bioft_use.precision */
enum { BIOFT_FROZEN_BATCHNORM = 1 };                /* bioft_use.flags: train with the running statistics */
typedef struct bioft_use {
    uint32_t struct_size, kind, flags, precision, max_batch, threads;
    uint64_t memory_limit; /* bytes, 0: none */
} bioft_use;

/* backward's flags. EXACT: V := W, and routes are ignored: true derivatives of the network as it ran forward.
 * ACCUMULATE: add to the parameters' gradients instead of overwriting them. NO_PARAMETERS: no parameter gradients,
 * those that are there stay. Backward may run more than once after one forward.
 * STRAIGHT_THROUGH, of programs for ATTACK: stand-ins for derivatives that vanish or are not defined (BPDA: Athalye,
 * Carlini and Wagner 2018). The derivative of RELU, TANH, CLIP, HARDSWISH, SILU and GELU is at least 1/10, that of SIGMOID
 * 1/40 and of HARDSIGMOID 1/60, a tenth of its largest each; MAXPOOL sends a tenth of an error in equal parts to all values
 * of its window and the rest to the largest. Forward is as ever. An engine may refuse it with BIOFT_ERR_UNSUPPORTED. */
enum { BIOFT_EXACT = 1, BIOFT_ACCUMULATE = 2, BIOFT_NO_PARAMETERS = 4, BIOFT_STRAIGHT_THROUGH = 8 };

/* What read() and write() move. */
enum { BIOFT_VALUE = 1, BIOFT_GRADIENT, BIOFT_MOMENT1, BIOFT_MOMENT2, BIOFT_FEEDBACK };

/* The optimizer's step on all parameters, t = this update's number from 1. g <- gradient_scale * g + weight_decay * w.
 * ADAM (Kingma and Ba 2015, in torch's form): m <- beta1 m + (1-beta1) g; v <- beta2 v + (1-beta2) g^2;
 *   w <- w - lr/(1-beta1^t) * m / (sqrt(v)/sqrt(1-beta2^t) + eps).
 * SGD (torch's form): b <- momentum b + g, b = g at t = 1; w <- w - lr b (momentum 0: b is not kept). */
enum { BIOFT_SGD = 1, BIOFT_ADAM };
typedef struct bioft_update {
    uint32_t struct_size, kind;
    uint64_t t;
    const double *lr; /* one a parameter; negative: frozen, nothing of it changes */
    double beta1, beta2, eps, weight_decay, momentum, gradient_scale;
} bioft_update;

/* Called on the caller's thread. Every one may be NULL. */
typedef struct bioft_hooks {
    uint32_t struct_size, reserved;
    void *ctx;
    /* Layers with a route, in backward order: rule.h. Also called in an EXACT pass, but what is written is not used. */
    bioft_status (*local)(void *ctx, uint32_t layer, const bioft_local *io);
    /* A parameter's gradient is final for this step. g may be changed (a sum over ranks). */
    bioft_status (*gradient)(void *ctx, uint32_t parameter, float *g, size_t count);
    /* After the optimizer's step on a layer's weight. */
    bioft_status (*updated)(void *ctx, uint32_t layer, float *w, const float *dw, int32_t *ret_changed);
} bioft_hooks;

typedef struct bioft_engine {
    uint32_t struct_size, draft; /* draft: BIOFT_ENGINE_DRAFT */
    /* How well it runs on this machine: 0 not at all; -n: it would be n if what `why` names were there, which a run
     * with another engine mentions. `why` is always filled. Before any instance. [any] */
    int32_t (*score)(char *why, size_t size);
    /* BIOFT_OK, or BIOFT_ERR_UNSUPPORTED and `why`. [control] */
    bioft_status (*supports)(void *self, const bioft_graph *graph, const bioft_use *use, char *why, size_t size);
    bioft_status (*model_create)(void *self, const bioft_graph *graph, void **ret_model); /* values 0 [control] */
    void (*model_destroy)(void *self, void *model);
    /* `count` is that of the parameter. BIOFT_FEEDBACK: V of a layer's weight; writing it makes the layer's V those
     * numbers until set_feedback. Reading V gives what backward would use, scale included. [step] */
    bioft_status (*read)(void *self, void *model, uint32_t what, uint32_t parameter, float *ret, size_t count);
    bioft_status (*write)(void *self, void *model, uint32_t what, uint32_t parameter, const float *values,
                          size_t count);
    /* Declarative V of a layer from now on, following W; NULL: V = W, the state of a new model. `draw` is the key
     * of M's stream (rule.h). [step] */
    bioft_status (*set_feedback)(void *self, void *model, uint32_t layer, const bioft_feedback *feedback,
                                 uint64_t draw);
    /* routes: one per layer, or NULL. [control] */
    bioft_status (*program_create)(void *self, void *model, const bioft_use *use, const bioft_route *routes,
                                   void **ret_program);
    void (*program_destroy)(void *self, void *program);
    uint64_t (*program_bytes)(void *self, const void *program);
    /* x: [n][c][h][w] normalised, n up to max_batch; ret_out: [n][outputs]. TRAIN: batchnorm by the batch, running
     * statistics updated, dropout by `dropout_key` (stream "dropout/<node>", element = position in the batch's
     * tensor). EVAL, ATTACK: running statistics, no dropout. [step] */
    bioft_status (*forward)(void *self, void *program, uint32_t n, const float *x, uint64_t dropout_key,
                            float *ret_out);
    /* At the last forward, d_out: [n][outputs]. TRAIN: parameter gradients; ret_dx [n][c][h][w] or NULL.
     * ATTACK: only ret_dx. EVAL: refused. [step] */
    bioft_status (*backward)(void *self, void *program, const float *d_out, uint32_t flags, float *ret_dx,
                             const bioft_hooks *hooks);
    /* *ret_first_nonfinite: the first parameter with a NaN or infinite value or gradient, or BIOFT_NONE. [step] */
    bioft_status (*update)(void *self, void *model, const bioft_update *update, const bioft_hooks *hooks,
                           uint32_t *ret_first_nonfinite);
    /* Time by node and phase since program_create, as JSON. NULL: not measured. [step] */
    bioft_status (*profile)(void *self, void *program, char *ret_json, size_t size);
    /* What decides the bits: library, version, kernel set, threads where they matter ("OpenBLAS 0.3.21 SkylakeX").
     * And 1 in *ret_threads_matter where the number of threads changes them. [any] */
    bioft_status (*identity)(void *self, char *ret, size_t size, int32_t *ret_threads_matter);
    /* One layer alone, for "bioft.layer/1": phase 0 forward (a = W, b = x), 1 input error (a = V, b = dy), 2 weight
     * gradient (a = x, b = dy). ret is overwritten. [step] */
    bioft_status (*layer)(void *self, const bioft_layer *layer, uint32_t phase, uint32_t n, const float *a,
                          const float *b, float *ret);
} bioft_engine;

#ifdef __cplusplus
}
#endif
#endif
