/* Backbones: a graph built through calls on tensor handles, with torchvision's parameter names. */
#ifndef BIOFT_BACKBONE_H
#define BIOFT_BACKBONE_H

#include <bioft/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A handle: 0 means failed, every call given 0 gives 0, and the first failure's text is kept. So build() checks
 * nothing and returns BIOFT_OK at its end; the host knows. */
typedef uint32_t bioft_tensor;

/* First values of weights. TORCH: U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the bias too. KAIMING_NORMAL_FAN_OUT:
 * N(0, 2/fan_out), bias 0. NORMAL: N(0, init_std^2), bias 0. */
enum { BIOFT_INIT_TORCH = 0, BIOFT_INIT_KAIMING_NORMAL_FAN_OUT, BIOFT_INIT_NORMAL };

/* Zero means the usual: stride 1, padding 0, dilation 1, groups 1, a bias. */
typedef struct bioft_conv2d {
    uint32_t struct_size, out, kernel[2], stride[2];
    uint32_t padding[4]; /* top, left, bottom, right */
    uint32_t dilation[2], groups, no_bias, init;
    float init_std;
    uint32_t same; /* 1: as TensorFlow's "same", padding 0 here: ceil(side/stride)
                                                          outputs, an odd row of padding at the bottom or right */
} bioft_conv2d;
typedef struct bioft_linear {
    uint32_t struct_size, out, no_bias, init;
    float init_std;
    uint32_t reserved;
} bioft_linear;
typedef struct bioft_norm {
    uint32_t struct_size, reserved;
    float eps, momentum; /* 0: 1e-5 and 0.1 */
} bioft_norm;
typedef struct bioft_pool {
    uint32_t struct_size, kernel[2], stride[2]; /* stride 0: the kernel's size */
    uint32_t padding[4], ceil_mode, exclude_padding, reserved;
} bioft_pool;
typedef struct bioft_attr {
    const char *name;
    uint32_t type, count; /* BIOFT_F64 or BIOFT_I64 */
    const void *value;
} bioft_attr;

/* The host's; every call is [control]. Names are those of the layer ("layer1.0.conv1"): the parameters are
 * NAME.weight, NAME.bias, and for batchnorm NAME.running_mean, NAME.running_var, NAME.num_batches_tracked. */
typedef struct bioft_builder bioft_builder;
struct bioft_builder {
    uint32_t struct_size, flags;
    void *ctx;
    /* The image, once, first: the size the published network takes. The host may give another height and width,
     * and refuses other channels than the data's. */
    bioft_tensor (*input)(const bioft_builder *b, uint32_t channels, uint32_t height, uint32_t width);
    bioft_tensor (*conv2d)(const bioft_builder *b, const char *name, bioft_tensor x, const bioft_conv2d *p);
    bioft_tensor (*linear)(const bioft_builder *b, const char *name, bioft_tensor x, const bioft_linear *p);
    bioft_tensor (*batchnorm)(const bioft_builder *b, const char *name, bioft_tensor x, const bioft_norm *p);
    bioft_tensor (*maxpool)(const bioft_builder *b, bioft_tensor x, const bioft_pool *p);
    bioft_tensor (*avgpool)(const bioft_builder *b, bioft_tensor x, const bioft_pool *p);
    bioft_tensor (*adaptive_avgpool)(const bioft_builder *b, bioft_tensor x, uint32_t height, uint32_t width);
    bioft_tensor (*relu)(const bioft_builder *b, bioft_tensor x);
    bioft_tensor (*tanh_)(const bioft_builder *b, bioft_tensor x);
    bioft_tensor (*dropout)(const bioft_builder *b, bioft_tensor x, double p);
    bioft_tensor (*add)(const bioft_builder *b, bioft_tensor x, bioft_tensor y);
    bioft_tensor (*flatten)(const bioft_builder *b, bioft_tensor x);
    /* Any other operator by its ONNX name; 0 and a message where no engine has it. Attributes are single numbers; axes
     * count the image's number: 1 channels, 2 height, 3 width. engine.h describes what they compute.
     *   Clip             min, max            Sigmoid, HardSwish, Swish (x sigmoid(x)), Gelu (by erf), Softmax (of rows)
     *   HardSigmoid      alpha 1/6, beta 1/2
     *   Mul              2 tensors, of one shape or one with sides of 1
     *   Concat           2 or more, axis     Slice     axis, start, end
     *   MatMul           2: product, heads (of product 0), scale
     * and with one tensor and a name, with parameters:
     *   LayerNormalization   NAME.weight, NAME.bias; epsilon. Over the channels of each position
     *   MatMul           a linear layer at each position: NAME.weight [out][in], NAME.bias; out, bias, init, init_std
     *   Mul              each channel times NAME [channels, 1, ...]; value (the first), dims
     *   Concat           a class token NAME [1, 1, channels] before the positions, which become tokens; init_std
     *   Add              NAME [1, positions, channels] at each position; init_std
     * backbone_util.h has a function for each. */
    bioft_tensor (*op)(const bioft_builder *b, const char *onnx_op, const char *name, const bioft_tensor *x,
                       uint32_t count, const bioft_attr *attrs, uint32_t attr_count);
    /* The layer that the task's head replaces: its name, its input, its width in the published weights. Once, last. */
    bioft_tensor (*head)(const bioft_builder *b, const char *name, bioft_tensor x, const bioft_linear *p);
    /* Initial values that come with the graph (ONNX): float32 in the layer's own layout, copied. */
    bioft_status (*weights)(const bioft_builder *b, const char *parameter, const float *values, size_t count);
    /* Mean and standard deviation by channel of the pixels in [0,1] it was trained with. Without: 0 and 1. */
    bioft_status (*normalise)(const bioft_builder *b, const float *mean, const float *std, uint32_t channels);
    /* Another name of a layer, norm or array, by which weights of other libraries have it, as timm's "conv_stem" of
     * "features.0.0". A file is read by it where it has that name and not the first. At most one a name; BIOFT_HAS asks
     * whether the host has this. */
    bioft_status (*other_name)(const bioft_builder *b, const char *name, const char *other);
    /* A sentence about this network that a user has to know and that is no error, such as what a file lacks: copied, and
     * printed once for each network. Up to 1000 printable characters; BIOFT_HAS asks whether the host has this. */
    bioft_status (*note)(const bioft_builder *b, const char *text);
};

typedef struct bioft_backbone {
    uint32_t struct_size, flags;                               /* flags: 0 */
    bioft_status (*build)(void *self, const bioft_builder *b); /* [control] */
} bioft_backbone;

#ifdef __cplusplus
}
#endif
#endif
