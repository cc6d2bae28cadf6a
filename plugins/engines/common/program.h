/* A program: a network compiled for one use and a largest batch.
 *
 * Every array is a *tensor*: a value and, where the program goes backward, a gradient, each in a *slot* of one block
 * of memory. Nodes that only rename their input (flatten; dropout outside training) share its tensor. A *segment* is
 * a run of nodes that are worked through together, a few images at a time, or one node whose work is divided in
 * its own way. Values stand as NCHW, or with channels in blocks: [n][c / block][h][w][block], the last block filled
 * up with zeros. */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include "model.h"
#include "traits.h"

#include <stdatomic.h>

/* REDUCE: adds up partial sums that GRADIENT left. */
enum phase { FORWARD = 0, BACKWARD, GRADIENT, REDUCE, PHASES };

struct program;
struct node;
struct operator
{
    /* Before each forward pass, on the caller's thread. NULL: nothing. */
    void (*begin)(struct program *p, struct node *n);
    /* FORWARD or BACKWARD for some images of the batch. NULL: only by tasks. */
    void (*images)(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work);
    /* How many tasks of its own a phase has, and one of them. NULL: only by images. */
    size_t (*tasks)(const struct program *p, const struct node *n, enum phase phase);
    void (*task)(struct program *p, struct node *n, enum phase phase, size_t index, float *work);
    bool by_value; /* each value of y from its own of x: may write over it */
};

/* What an engine does its own way. */
struct backend {
    /* Once a program, before its nodes: sets `piece` and `capacity` where they are not 1 and the batch. NULL: no. */
    void (*begin)(struct program *p);
    /* A node's op and what goes with it (own, whole, work, saved_floats, work_floats, sums_floats), and how its output
     * stands (*ret_block, 1 before), where that is not what all engines do. [control] */
    bioft_status (*plan)(struct program *p, struct node *n, uint32_t *ret_block);
    /* When all nodes are planned, and again when memory has been given out: fuses; allocates. NULL: no. [control] */
    bioft_status (*fuse)(struct program *p);
    bioft_status (*finish)(struct program *p);
    void (*release)(struct program *p); /* of plan and finish; NULL: nothing */
    /* Brings up to date what is derived of parameters (FORWARD) or feedback (BACKWARD). NULL: nothing. [step] */
    bioft_status (*refresh)(struct program *p, enum phase phase);
    /* Whether it computes in bfloat16 here, and if not why. NULL: in float32 only. */
    bool (*bf16)(char *why, size_t size);
    /* The library's name for what computes a phase of a node, instruction set included; NULL: none. NULL: no names. */
    const char *(*kernels)(const struct node *n, enum phase phase);
};

struct tensor {
    uint32_t channels, block;     /* block 1: NCHW */
    size_t plane, floats;         /* of one channel; of one image, filled up */
    uint32_t producer, uses;      /* uses: nodes that read it, and the caller for the network's output */
    uint32_t slot, gradient_slot; /* BIOFT_NONE: the caller's memory, or none */
    bool watched;                 /* a hook reads its value: nothing may overwrite it */
    bool skipped;                 /* never written: what would read it is fused with its producer */
    float *value, *gradient;
    /* Of one backward pass. */
    bool needed, filled;
};

struct node {
    const bioft_node *def;
    const struct operator* op; /* NULL: nothing to do */
    uint32_t index;
    uint32_t x[2], y;    /* tensors */
    bool in_place;       /* y is x's memory */
    void *own;           /* the backend's */
    bool whole;          /* forward and backward by its own tasks */
    double work;         /* of one image, about as many multiply-adds */
    size_t saved_floats; /* kept from forward for backward: masks, positions, statistics */
    float *saved;
    size_t work_floats; /* scratch of a thread */
    size_t sums_floats; /* partial sums of the parameters' gradients, which are added up in REDUCE */
    float *sums;
    bool absorbed[2];    /* FORWARD, BACKWARD: done by the node that it is fused with */
    uint32_t out, other; /* tensors: what forward writes, y or that of a fused add; the add's other one */
    bioft_route route;
    uint32_t h; /* tensor of the output after its activation */
    /* Of one backward pass. */
    bool wants[2], adds[2]; /* compute the gradient of x; add it to what is there */
    bool trains;            /* compute the parameters' gradients */
    const float *v;
    size_t tasks; /* of the phase that is running */
};

struct segment {
    uint32_t first, last; /* nodes, both included */
    bool whole;           /* one node, by its own tasks */
    double work;          /* of one image */
};

struct program {
    struct engine *engine;
    struct model *model;
    bioft_use use;
    uint32_t node_count, tensor_count;
    struct node *nodes;
    struct tensor *tensors;
    struct segment *forward, *backward; /* in the order of their running */
    uint32_t forward_count, backward_count;
    uint32_t output;           /* tensor */
    uint32_t piece, capacity;  /* images that are worked on together; that memory is for */
    bool keeps_input;          /* backward reads it */
    float *own_input, *own_dx; /* copies for what is not a whole number of pieces */
    uint32_t threads;
    float *memory;                       /* the slots */
    float *saved, *work, *sums, *copies; /* work: work_floats for each thread */
    size_t work_floats, copies_floats;
    uint64_t bytes;
    double *seconds; /* [threads][nodes][PHASES] */
    /* Of the last forward pass. */
    uint32_t n;         /* images; 0: none yet */
    const float *input; /* the caller's, while forward runs */
    uint64_t dropout_key;
    /* Of one backward pass. */
    uint32_t flags;
    const bioft_hooks *hooks;
    atomic_int failed; /* a bioft_status from inside a task */
};

bioft_status cpu_program_create(struct model *m, const bioft_use *use, const bioft_route *routes, struct program **ret);
void cpu_program_destroy(struct program *p); /* NULL is fine */
bioft_status cpu_program_forward(struct program *p, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out);
bioft_status cpu_program_backward(struct program *p, const float *d_out, uint32_t flags, float *ret_dx,
                                  const bioft_hooks *hooks);
bioft_status program_profile(const struct program *p, char *ret_json, size_t size);
/* Slots, then everything else that a step writes to. BIOFT_ERR_MEMORY has been reported. */
bioft_status program_memory(struct program *p);

/* Running one phase of a segment on the engine's threads. */
void segment_run(struct program *p, const struct segment *s, enum phase phase);
/* The rule's hook at a routed layer, before the layer's own backward work. */
bioft_status route_run(struct program *p, struct node *n);
/* Floats of scratch that a routed layer's hook may need. */
size_t route_copies(const struct program *p, const struct node *n);
bool route_valid(const bioft_route *r);

static inline bool trains(const struct program *p) { return p->use.kind == BIOFT_TRAIN; }
static inline bool goes_back(const struct program *p) { return p->use.kind != BIOFT_EVAL; }
/* Batchnorm by the batch's own statistics. */
static inline bool batch_statistics(const struct program *p)
{
    return trains(p) && !(p->use.flags & BIOFT_FROZEN_BATCHNORM);
}
static inline float *value_at(const struct program *p, uint32_t tensor, uint32_t image)
{
    return p->tensors[tensor].value + image * p->tensors[tensor].floats;
}
static inline float *gradient_at(const struct program *p, uint32_t tensor, uint32_t image)
{
    return p->tensors[tensor].gradient + image * p->tensors[tensor].floats;
}
/* NULL where the network has none. */
static inline const float *parameter_value(const struct program *p, uint32_t parameter)
{
    return parameter == BIOFT_NONE ? NULL : p->model->parameters[parameter].value;
}
static inline float *parameter_gradient(const struct program *p, uint32_t parameter)
{
    return parameter == BIOFT_NONE ? NULL : p->model->parameters[parameter].gradient;
}
static inline bool accumulates(const struct program *p) { return p->flags & BIOFT_ACCUMULATE; }

/* BIOFT_STRAIGHT_THROUGH: an operator's derivative is at least this share of its largest, and max pooling sends this share
 * of an error to the whole window. */
#define STRAIGHT_SHARE 0.1f
static inline bool straight_through(const struct program *p) { return p->flags & BIOFT_STRAIGHT_THROUGH; }

extern const struct operator operator_input, operator_linear, operator_batchnorm_batch, operator_batchnorm_fixed,
    operator_batchnorm_trained, operator_relu, operator_tanh, operator_maxpool, operator_avgpool, operator_adaptive,
    operator_dropout, operator_add, operator_activation, operator_activation_over;

/* n images of a tensor (its value or gradient, `array`) to and from plain NCHW. */
void tensor_export(const struct tensor *t, const float *array, uint32_t n, float *ret);
void tensor_import(const struct tensor *t, const float *plain, uint32_t n, bool add, float *ret);
static inline size_t plain_floats(const struct tensor *t) { return t->channels * t->plane; }

#endif
