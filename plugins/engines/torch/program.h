/* A program: a network compiled for one use and a largest batch. Values are tensors with the channels last, all of
 * them [n][c][h][w]; a node's value stays as long as somebody may read it. */
#ifndef TORCH_PROGRAM_H
#define TORCH_PROGRAM_H

#include "model.h"

enum phase { FORWARD = 0, BACKWARD, GRADIENT, PHASES };

/* A window's padding where it is not the same on both sides, or more than libtorch takes: the input is padded first. */
struct window {
    bool padded;
    uint32_t before[2], after[2]; /* rows and columns added, where padded */
    bool ceil_mode;               /* libtorch's own, where not padded */
};

struct node {
    const bioft_node *def;
    uint32_t index;
    bool identity;        /* its value is its input's */
    bool in_place;        /* it writes over its input */
    bool kept;            /* backward or a hook reads its value */
    uint32_t last_reader; /* node; where nothing keeps it, the value goes then */
    uint32_t h;           /* of a layer: the node of its output after the activation */
    bioft_route route;
    struct window window;
    tensor y, dy;
    bool dy_shared;   /* somebody else holds the same gradient */
    tensor saved[2];  /* batchnorm: mean, 1/deviation; maxpool: places; dropout: mask */
    tensor share;     /* avgpool over a padded input: 1 / values of a window */
    tensor bounds[2]; /* clip's */
    double seconds[PHASES];
    /* Of one backward pass. */
    bool needed;   /* its gradient */
    bool wants[2]; /* compute the gradient of an input */
    bool trains;   /* compute the parameters' gradients */
    tensor v;      /* lent */
};
enum { MEAN = 0, DEVIATION, PLACES = 0, MASK = 0, SAVED = 2 };

struct program {
    struct torch *t;
    struct model *model;
    bioft_use use;
    uint32_t node_count;
    struct node *nodes;
    int32_t dtype; /* of values */
    uint64_t bytes;
    tensor input;           /* [max_batch] in the values' type */
    tensor staging, pinned; /* float32 on the device and in pinned memory; NULL where the device is the host */
    tensor scratch;         /* of the largest activation that goes backward; made when it is first needed */
    int64_t scratch_count;
    float *copies; /* for hooks and masks, on the host */
    /* Of the last forward pass. */
    uint32_t n; /* images; 0: none yet */
    uint64_t dropout_key;
    /* Of one backward pass. */
    uint32_t flags;
    const bioft_hooks *hooks;
};

bioft_status program_create(struct model *m, const bioft_use *use, const bioft_route *routes, struct program **ret);
void program_destroy(struct program *p); /* NULL is fine */
bioft_status program_check(struct torch *t, const struct network *n, const bioft_use *use, char *why, size_t size);
bioft_status program_forward(struct program *p, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out);
bioft_status program_backward(struct program *p, const float *d_out, uint32_t flags, float *ret_dx,
                              const bioft_hooks *hooks);
bioft_status program_profile(struct program *p, char *ret_json, size_t size);

/* A node's value from its inputs'; its inputs' and parameters' gradients. false: torch_failed. */
bool node_forward(struct program *p, struct node *n);
bool node_backward(struct program *p, struct node *n);
/* The gradient g, which is given away, for node i's value, added to what is there. */
bool node_receive(struct program *p, uint32_t i, tensor g, bool shared);
/* g, which is given away, as a parameter's gradient. */
bool parameter_receive(struct program *p, uint32_t parameter, tensor g);

/* What is not in nodes.c: forward gives the value; backward hands on the gradients that are wanted. */
struct operation {
    tensor (*forward)(struct program *p, struct node *n);
    bool (*backward)(struct program *p, struct node *n);
};
extern const struct operation operation_clip, operation_sigmoid, operation_hardsigmoid, operation_hardswish,
    operation_silu, operation_gelu, operation_multiply, operation_concat, operation_slice, operation_scale,
    operation_layernorm, operation_tokens, operation_softmax, operation_matmul;
/* Memory as large and laid out as node's value, until the next call; the view is the caller's. */
bool scratch_like(struct program *p, uint32_t node, tensor *ret_view);

/* Pooling nodes. */
tensor pool_forward(struct program *p, struct node *n, tensor x);
tensor pool_backward(struct program *p, struct node *n, tensor x, tensor dy);

/* The rule's hook at a routed layer, before the layer's own backward work. */
bioft_status route_run(struct program *p, struct node *n);
size_t route_floats(const struct program *p, const struct node *n);

/* Convolutions by geometry, for nodes and layers. */
struct geometry {
    int64_t stride[2], dilation[2], groups;
    uint32_t padding[4];
};
tensor convolution_forward(struct torch *t, const struct geometry *g, tensor x, tensor w, tensor bias);
/* What is wanted of dx (by V) and dw; the other may be NULL. */
bool convolution_backward(struct torch *t, const struct geometry *g, tensor x, tensor v, tensor dy, tensor *ret_dx,
                          tensor *ret_dw);
/* x with rows and columns of `value` around it, and a gradient without them; new tensors, channels last. */
tensor padded(struct torch *t, tensor x, const uint32_t before[2], const uint32_t after[2], double value);
tensor cropped(struct torch *t, tensor x, const uint32_t before[2], const uint32_t after[2]);

static inline bool trains(const struct program *p) { return p->use.kind == BIOFT_TRAIN; }
static inline bool goes_back(const struct program *p) { return p->use.kind != BIOFT_EVAL; }
static inline bool batch_statistics(const struct program *p)
{
    return trains(p) && !(p->use.flags & BIOFT_FROZEN_BATCHNORM);
}
static inline const bioft_node *def_of(const struct program *p, uint32_t node)
{
    return &p->model->network.nodes[node];
}
static inline struct shape value_shape(const struct program *p, uint32_t node)
{
    const bioft_node *d = def_of(p, node);
    return shape_image(p->n, d->channels, d->height, d->width);
}
static inline struct shape plain_shape(const struct program *p, uint32_t node)
{
    const bioft_node *d = def_of(p, node);
    return shape_plain(p->n, d->channels, d->height, d->width);
}

#endif
