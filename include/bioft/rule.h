/* Learning rules: what the backward pass multiplies by where backpropagation uses the weights' transpose.
 *
 * A layer here is a conv2d or linear layer with weights W. Its forward pass is the ordinary one. In the backward
 * pass, given dy = dL/dy, the engine computes dx = dy V (for a conv the transposed convolution with V) and
 * dW = dy^T x with the true input; batchnorm, pooling, activations and sums have their true derivatives
 * (Lillicrap et al. 2016; Liao, Leibo and Poggio 2016; Sanfiz and Akrout 2021). Depths of a rule:
 *   1  feedback()       says per layer what V is made of; every engine can fuse it
 *   2  fill_feedback()  writes V as numbers; after_update() sees each update and may change W
 *   3  route(), local() the rule reads and writes the quantities of a layer itself
 *   4  the draft extension "bioft.step/0": the rule runs the whole step itself, on chains
 * V_t belongs to W_t, t = updates done in this stage; training, evaluation and attacks after t updates use V_t. */
#ifndef BIOFT_RULE_H
#define BIOFT_RULE_H

#include <bioft/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Declarative feedback: V = s * M o g(W), elementwise. */
enum { BIOFT_G_IDENTITY = 0, BIOFT_G_SIGN, BIOFT_G_ONE }; /* W; sign(W) with sign(0) = 0; 1 */
enum { BIOFT_M_ONES = 0, BIOFT_M_UNIFORM, BIOFT_M_NORMAL, BIOFT_M_ABS_NORMAL };
enum { BIOFT_REDRAW_NEVER = 0, BIOFT_REDRAW_EACH_UPDATE };
/* s: 1; sqrt(2/(fan_in + fan_out)); 1/sqrt(3 fan_in); |W|_F/|M o g(W)|_F at the same t; `constant`.
 * XAVIER and KAIMING are the standard deviations of torch's initialisations, as BioTorch scales. */
enum { BIOFT_SCALE_NONE = 0, BIOFT_SCALE_XAVIER, BIOFT_SCALE_KAIMING, BIOFT_SCALE_MATCH_NORM, BIOFT_SCALE_CONSTANT };
typedef struct bioft_feedback {
    uint32_t struct_size, g, m, redraw, scale;
    float constant; /* s for SCALE_CONSTANT */
    /* M ~ U[low, high); N(mean low, deviation high); ABS_NORMAL: |N(low, high)|. Drawn by the keyed generator
     * from the stream "feedback/<layer's name>" with key 0, or key t where `redraw` says so. */
    float low, high;
} bioft_feedback;

enum { BIOFT_LAYER_CONV2D = 1, BIOFT_LAYER_LINEAR };
enum { BIOFT_ACT_OTHER = 0, BIOFT_ACT_NONE, BIOFT_ACT_RELU, BIOFT_ACT_TANH };
enum { BIOFT_LAYER_FIRST = 1, BIOFT_LAYER_LAST = 2 }; /* bioft_layer.flags */

/* One conv2d or linear layer with weights. A pointer to it lives as long as the instance. A linear layer that is applied
 * at each token of a transformer is a conv2d of a 1x1 kernel over in_h tokens. */
typedef struct bioft_layer {
    uint32_t struct_size, index, kind, flags; /* index: in the order of the forward pass */
    /* name: "layer1.0.conv1", as weights' files have it; for messages. key: what the rule calls this layer's arrays and
     * draws in host->state and host->random; the host keeps it unique in the rule's instance, which names need not be. */
    const char *name, *key;
    uint32_t out_channels, in_channels, groups;             /* linear: out and in features, groups 1 */
    uint32_t outputs;                                       /* width of the network's output */
    uint32_t in_h, in_w, out_h, out_w;                      /* 1 for linear */
    uint32_t kernel[2], stride[2], dilation[2], padding[4]; /* height, width; top, left, bottom, right */
    uint32_t activation; /* what follows before the next weighted layer, where it is one */
    uint32_t max_batch;
    size_t count, fan_in, fan_out; /* count: elements of W, [out][in/groups][kh][kw] or [out][in] */
} bioft_layer;

/* What a rule reads or writes at a layer: input, output, output after its activation, errors below and above,
 * weight gradient, error of the network's output, weights and bias. */
enum { BIOFT_X = 1, BIOFT_Y = 2, BIOFT_H = 4, BIOFT_DY = 8, BIOFT_DX = 16, BIOFT_DW = 32, BIOFT_E = 64, BIOFT_W = 128 };
typedef struct bioft_route {
    uint32_t struct_size, reads, writes, reserved; /* reads: any; writes: of DY, DX, DW */
} bioft_route;

/* What `reads` and `writes` asked for; the rest is NULL. */
typedef struct bioft_local {
    uint32_t struct_size, n;
    const bioft_batch *batch; /* NULL in attacks on unlabelled input */
    const float *x, *y, *h;   /* [n][in], [n][out], y after its activation */
    const float *w, *b;       /* b NULL where the layer has no bias */
    const float *e;           /* [n][outputs], d loss / d network output */
    /* Writable where `writes` says so; then the engine computes none. dw, db arrive zeroed; dw and db are to hold
     * the sum over the batch of what the optimizer takes as gradient. NULL where this pass needs none: dw and db
     * in an attack, dx at the first layer in training. */
    float *dy, *dx, *dw, *db;
} bioft_local;

typedef struct bioft_rule {
    uint32_t struct_size, flags; /* flags: 0 */
    /* Depth 1. ret arrives as identity, ones, never, none; options are already in self. NULL: V = W. [control] */
    bioft_status (*feedback)(void *self, const bioft_layer *layer, bioft_feedback *ret);
    /* Once per layer before the first step, also after a resume; saved state is put back afterwards. [control] */
    bioft_status (*attach)(void *self, const bioft_layer *layer, const float *w);
    /* Depth 2. Writes V, `count` floats in W's layout, for `step` updates done. Once after attach and once after
     * each update. v is undefined on entry: write all of it. Replaces `feedback`, and the scale with it, which
     * "bioft.scale/1" computes. [step] */
    bioft_status (*fill_feedback)(void *self, const bioft_layer *layer, uint64_t step, const float *w, float *v);
    /* After the optimizer: dw = w_new - w_old, weight decay included; `step` updates done before it. w may be
     * changed; *ret_changed = 1 then. [step] */
    bioft_status (*after_update)(void *self, const bioft_layer *layer, uint64_t step, float *w, const float *dw,
                                 int32_t *ret_changed);
    /* Depth 3. Asked once per layer: what to read, what the rule writes itself. ret arrives zero. [control] */
    bioft_status (*route)(void *self, const bioft_layer *layer, bioft_route *ret);
    /* In the backward pass, layer by layer from the output, when dy of this layer is complete. [step] */
    bioft_status (*local)(void *self, const bioft_layer *layer, const bioft_local *io);
    /* Once after all layers of a training step and its update (mirror phases, schedules). [step] */
    bioft_status (*step_end)(void *self, uint64_t step);
    /* Since ABI 0.2, for rules of depth 2 whose V is redrawn in each update: V as fill_feedback would have written
     * it for this step had it drawn otherwise, a pure function of step and draw; attacks average over such draws. draw
     * 0 is never asked: it is fill_feedback's. NULL: V is what it is. [step] */
    bioft_status (*fill_draw)(void *self, const bioft_layer *layer, uint64_t step, uint64_t draw, const float *w,
                              float *v);
} bioft_rule;

/* Extension "bioft.layer/1", from the host of a rule: one layer alone, in plain float32. ret arrays are
 * overwritten: y [n][out], dx [n][in], dw as W. The bias is not added. The layer may be one of the rule's own that
 * is not in the network, with kind, name, channels and geometry filled. [step] */
typedef struct bioft_layer_ops {
    uint32_t struct_size, reserved;
    bioft_status (*forward)(const bioft_host *host, const bioft_layer *layer, uint32_t n, const float *w,
                            const float *x, float *ret_y);
    bioft_status (*input_error)(const bioft_host *host, const bioft_layer *layer, uint32_t n, const float *v,
                                const float *dy, float *ret_dx);
    bioft_status (*weight_gradient)(const bioft_host *host, const bioft_layer *layer, uint32_t n, const float *x,
                                    const float *dy, float *ret_dw);
} bioft_layer_ops;

/* Extension "bioft.scale/1", from the host of a rule, since ABI 0.3: s for a V that the rule writes itself, as depth 1
 * declares it. */
typedef struct bioft_scales {
    uint32_t struct_size, reserved;
    /* V = *ret u: scale is BIOFT_SCALE_..., constant s for SCALE_CONSTANT. w, u: [layer->count] W and M o g(W), read for
     * SCALE_MATCH_NORM alone and NULL otherwise; s is 0 there where u is 0. [step] */
    bioft_status (*scale)(const bioft_host *host, const bioft_layer *layer, uint32_t scale, float constant,
                          const float *w, const float *u, float *ret);
} bioft_scales;

/* Draft extension "bioft.step/0", asked of the rule's plugin by extension(): the rule runs the whole training step
 * (forward-forward, target propagation). It is then the only rule of its stage, and the network a chain without
 * batchnorm: elsewhere it is refused with a plain word. Block i is layer i with what follows it up to the next layer,
 * in block 0 also what precedes it; its output is the input of layer i + 1, or the network's. Of bioft_rule only
 * attach and step_end are called. Evaluation and attacks see the network as it is, with V = W. */
typedef struct bioft_step bioft_step;
struct bioft_step {
    uint32_t struct_size, layers;
    const bioft_batch *batch;
    void *ctx;
    const bioft_layer *(*layer)(const bioft_step *step, uint32_t index);
    /* Forward of block `index` alone, n up to the batch's; dropout has the same masks each time in a step. */
    bioft_status (*block_forward)(const bioft_step *step, uint32_t index, uint32_t n, const float *x, float *ret_h);
    /* Back through the same block at its last forward, whose x must still be there, with true derivatives: dW and db
     * are added to the layer's gradient; ret_dx may be NULL. */
    bioft_status (*block_backward)(const bioft_step *step, uint32_t index, uint32_t n, const float *dh, float *ret_dx);
    /* The stage's loss at the network's output, [n][outputs] of the whole batch: once in every step. */
    bioft_status (*loss)(const bioft_step *step, const float *out, double *ret_value, float *ret_d_out);
    /* The optimizer on this layer, now; at most once in a step, after a block_backward. */
    bioft_status (*update)(const bioft_step *step, uint32_t index);
};
typedef struct bioft_own_step {
    uint32_t struct_size, flags; /* flags: 0 */
    /* One training step; *ret_value is the loss that is reported. [step] */
    bioft_status (*train)(void *self, const bioft_step *step, double *ret_value);
    /* Scores [n][classes] where the network's last output is not the answer; NULL: it is. Not NULL is refused for now:
     * evaluation, attacks and codes are of the network's output. */
    bioft_status (*predict)(void *self, const bioft_step *step, float *ret_scores);
} bioft_own_step;

#ifdef __cplusplus
}
#endif
#endif
