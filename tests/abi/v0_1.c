/* The layout that plugins were built against: written by make.py, for machines with 64-bit pointers and sizes. */
#include <bioft/attack.h>
#include <bioft/backbone.h>
#include <bioft/dataset.h>
#include <bioft/engine.h>
#include <bioft/loss.h>
#include <bioft/plugin.h>
#include <bioft/rule.h>
#include <stdint.h>

/* A field's place and type: `...` is a pointer to what it is, so that functions and arrays are what they were too. */
#define AT(type, field, at, ...) \
    _Static_assert(offsetof(type, field) == (at), #type "." #field " moved"); \
    _Static_assert(_Generic(&((type *)0)->field, __VA_ARGS__: 1, default: 0), #type "." #field " has another type")
#define SIZE(type, least) _Static_assert(sizeof(type) >= (least), #type " shrank")
#define TYPE(name, type) _Static_assert(_Generic((name *)0, type *: 1, default: 0), #name " is another type")
#define IS(name, value) _Static_assert((long long)(name) == (value), #name " changed")

const bioft_plugin *bioft_plugin_entry(uint32_t index);

#if SIZE_MAX == UINT64_MAX && UINTPTR_MAX == UINT64_MAX

/* plugin.h */
TYPE(bioft_status, int32_t);
AT(bioft_host, struct_size, 0, uint32_t *);
AT(bioft_host, abi_version, 4, uint32_t *);
AT(bioft_host, ctx, 8, void **);
AT(bioft_host, fail, 16, bioft_status (**)(const bioft_host *host, bioft_status status, const char
   *text));
AT(bioft_host, state, 24, bioft_status (**)(const bioft_host *host, const char *name, size_t count,
   float **ret));
AT(bioft_host, trainable, 32, bioft_status (**)(const bioft_host *host, const char *name, size_t
   count, uint32_t flags, float **ret_value, float **ret_grad));
AT(bioft_host, scratch, 40, bioft_status (**)(const bioft_host *host, const char *name, size_t
   bytes, void **ret));
AT(bioft_host, random, 48, bioft_status (**)(const bioft_host *host, uint32_t kind, const char
   *stream, uint64_t key, uint64_t first, void *ret, size_t count));
AT(bioft_host, get_extension, 56, const void *(**)(const bioft_host *host, const char *id));
SIZE(bioft_host, 64);
AT(bioft_list, count, 0, size_t *);
AT(bioft_list, items, 8, const void **);
SIZE(bioft_list, 16);
AT(bioft_option, name, 0, const char **);
AT(bioft_option, type, 8, uint32_t *);
AT(bioft_option, offset, 12, uint32_t *);
AT(bioft_option, flags, 16, uint32_t *);
AT(bioft_option, reserved, 20, uint32_t *);
AT(bioft_option, def, 24, double *);
AT(bioft_option, min, 32, double *);
AT(bioft_option, max, 40, double *);
AT(bioft_option, def_string, 48, const char **);
AT(bioft_option, choices, 56, const char *const **);
AT(bioft_option, unit, 64, const char **);
AT(bioft_option, help, 72, const char **);
SIZE(bioft_option, 80);
AT(bioft_plugin, magic, 0, uint32_t *);
AT(bioft_plugin, struct_size, 4, uint32_t *);
AT(bioft_plugin, abi_version, 8, uint32_t *);
AT(bioft_plugin, kind, 12, uint32_t *);
AT(bioft_plugin, name, 16, const char **);
AT(bioft_plugin, version, 24, const char **);
AT(bioft_plugin, author, 32, const char **);
AT(bioft_plugin, license, 40, const char **);
AT(bioft_plugin, summary, 48, const char **);
AT(bioft_plugin, reference, 56, const char **);
AT(bioft_plugin, instance_size, 64, size_t *);
AT(bioft_plugin, options, 72, const bioft_option **);
AT(bioft_plugin, option_count, 80, uint32_t *);
AT(bioft_plugin, option_size, 84, uint32_t *);
AT(bioft_plugin, flags, 88, uint64_t *);
AT(bioft_plugin, create, 96, bioft_status (**)(void *self, const bioft_host *host));
AT(bioft_plugin, destroy, 104, void (**)(void *self));
AT(bioft_plugin, extension, 112, const void *(**)(void *self, const char *id));
AT(bioft_plugin, vtable, 120, const void **);
AT(bioft_plugin, host_offset, 128, uint32_t *);
AT(bioft_plugin, reserved, 132, uint32_t *);
AT(bioft_plugin, notes, 136, const char *const **);
SIZE(bioft_plugin, 144);
AT(bioft_batch, struct_size, 0, uint32_t *);
AT(bioft_batch, n, 4, uint32_t *);
AT(bioft_batch, classes, 8, uint32_t *);
AT(bioft_batch, label_words, 12, uint32_t *);
AT(bioft_batch, step, 16, uint64_t *);
AT(bioft_batch, epoch, 24, uint64_t *);
AT(bioft_batch, x, 32, const float **);
AT(bioft_batch, sample, 40, const uint64_t **);
AT(bioft_batch, label, 48, const int32_t **);
AT(bioft_batch, labels, 56, const uint64_t **);
AT(bioft_batch, target, 64, const int32_t **);
SIZE(bioft_batch, 72);
AT(bioft_parallel, struct_size, 0, uint32_t *);
AT(bioft_parallel, threads, 4, uint32_t *);
AT(bioft_parallel, run, 8, void (**)(const bioft_host *host, size_t count, void (*body)(void *ctx,
   size_t index, uint32_t thread), void *ctx));
SIZE(bioft_parallel, 16);
AT(bioft_generator, struct_size, 0, uint32_t *);
AT(bioft_generator, reserved, 4, uint32_t *);
AT(bioft_generator, key, 8, bioft_status (**)(const bioft_host *host, const char *stream, uint32_t
   ret[2]));
SIZE(bioft_generator, 16);
IS(BIOFT_MAGIC, 1413893954);
IS(BIOFT_NONE, 4294967295);
IS(BIOFT_OK, 0);
IS(BIOFT_ERR_INVALID, -1);
IS(BIOFT_ERR_MEMORY, -2);
IS(BIOFT_ERR_IO, -3);
IS(BIOFT_ERR_FORMAT, -4);
IS(BIOFT_ERR_UNSUPPORTED, -5);
IS(BIOFT_ERR_CANCELLED, -6);
IS(BIOFT_UNIFORM, 1);
IS(BIOFT_NORMAL, 2);
IS(BIOFT_BITS, 3);
IS(BIOFT_F64, 1);
IS(BIOFT_I64, 2);
IS(BIOFT_BOOL, 3);
IS(BIOFT_STRING, 4);
IS(BIOFT_PATH, 5);
IS(BIOFT_CHOICE, 6);
IS(BIOFT_F64_LIST, 7);
IS(BIOFT_I64_LIST, 8);
IS(BIOFT_STRING_LIST, 9);
IS(BIOFT_OPTION_FRACTIONS, 1);
IS(BIOFT_OPTION_STEPS, 2);
IS(BIOFT_OPTION_LABEL_SMOOTHING, 4);
IS(BIOFT_OPTION_QUERIES, 8);
IS(BIOFT_OPTION_CLASSES, 16);
IS(BIOFT_PLUGIN_HOST, 1);
IS(BIOFT_KIND_RULE, 1);
IS(BIOFT_KIND_BACKBONE, 2);
IS(BIOFT_KIND_DATASET, 3);
IS(BIOFT_KIND_ATTACK, 4);
IS(BIOFT_KIND_LOSS, 5);
IS(BIOFT_KIND_ENGINE, 6);

/* rule.h */
AT(bioft_feedback, struct_size, 0, uint32_t *);
AT(bioft_feedback, g, 4, uint32_t *);
AT(bioft_feedback, m, 8, uint32_t *);
AT(bioft_feedback, redraw, 12, uint32_t *);
AT(bioft_feedback, scale, 16, uint32_t *);
AT(bioft_feedback, constant, 20, float *);
AT(bioft_feedback, low, 24, float *);
AT(bioft_feedback, high, 28, float *);
SIZE(bioft_feedback, 32);
AT(bioft_layer, struct_size, 0, uint32_t *);
AT(bioft_layer, index, 4, uint32_t *);
AT(bioft_layer, kind, 8, uint32_t *);
AT(bioft_layer, flags, 12, uint32_t *);
AT(bioft_layer, name, 16, const char **);
AT(bioft_layer, key, 24, const char **);
AT(bioft_layer, out_channels, 32, uint32_t *);
AT(bioft_layer, in_channels, 36, uint32_t *);
AT(bioft_layer, groups, 40, uint32_t *);
AT(bioft_layer, outputs, 44, uint32_t *);
AT(bioft_layer, in_h, 48, uint32_t *);
AT(bioft_layer, in_w, 52, uint32_t *);
AT(bioft_layer, out_h, 56, uint32_t *);
AT(bioft_layer, out_w, 60, uint32_t *);
AT(bioft_layer, kernel, 64, uint32_t (*)[2]);
AT(bioft_layer, stride, 72, uint32_t (*)[2]);
AT(bioft_layer, dilation, 80, uint32_t (*)[2]);
AT(bioft_layer, padding, 88, uint32_t (*)[4]);
AT(bioft_layer, activation, 104, uint32_t *);
AT(bioft_layer, max_batch, 108, uint32_t *);
AT(bioft_layer, count, 112, size_t *);
AT(bioft_layer, fan_in, 120, size_t *);
AT(bioft_layer, fan_out, 128, size_t *);
SIZE(bioft_layer, 136);
AT(bioft_route, struct_size, 0, uint32_t *);
AT(bioft_route, reads, 4, uint32_t *);
AT(bioft_route, writes, 8, uint32_t *);
AT(bioft_route, reserved, 12, uint32_t *);
SIZE(bioft_route, 16);
AT(bioft_local, struct_size, 0, uint32_t *);
AT(bioft_local, n, 4, uint32_t *);
AT(bioft_local, batch, 8, const bioft_batch **);
AT(bioft_local, x, 16, const float **);
AT(bioft_local, y, 24, const float **);
AT(bioft_local, h, 32, const float **);
AT(bioft_local, w, 40, const float **);
AT(bioft_local, b, 48, const float **);
AT(bioft_local, e, 56, const float **);
AT(bioft_local, dy, 64, float **);
AT(bioft_local, dx, 72, float **);
AT(bioft_local, dw, 80, float **);
AT(bioft_local, db, 88, float **);
SIZE(bioft_local, 96);
AT(bioft_rule, struct_size, 0, uint32_t *);
AT(bioft_rule, flags, 4, uint32_t *);
AT(bioft_rule, feedback, 8, bioft_status (**)(void *self, const bioft_layer *layer, bioft_feedback
   *ret));
AT(bioft_rule, attach, 16, bioft_status (**)(void *self, const bioft_layer *layer, const float *w));
AT(bioft_rule, fill_feedback, 24, bioft_status (**)(void *self, const bioft_layer *layer, uint64_t
   step, const float *w, float *v));
AT(bioft_rule, after_update, 32, bioft_status (**)(void *self, const bioft_layer *layer, uint64_t
   step, float *w, const float *dw, int32_t *ret_changed));
AT(bioft_rule, route, 40, bioft_status (**)(void *self, const bioft_layer *layer, bioft_route
   *ret));
AT(bioft_rule, local, 48, bioft_status (**)(void *self, const bioft_layer *layer, const bioft_local
   *io));
AT(bioft_rule, step_end, 56, bioft_status (**)(void *self, uint64_t step));
AT(bioft_rule, fill_draw, 64, bioft_status (**)(void *self, const bioft_layer *layer, uint64_t step,
   uint64_t draw, const float *w, float *v));
SIZE(bioft_rule, 72);
AT(bioft_layer_ops, struct_size, 0, uint32_t *);
AT(bioft_layer_ops, reserved, 4, uint32_t *);
AT(bioft_layer_ops, forward, 8, bioft_status (**)(const bioft_host *host, const bioft_layer *layer,
   uint32_t n, const float *w, const float *x, float *ret_y));
AT(bioft_layer_ops, input_error, 16, bioft_status (**)(const bioft_host *host, const bioft_layer
   *layer, uint32_t n, const float *v, const float *dy, float *ret_dx));
AT(bioft_layer_ops, weight_gradient, 24, bioft_status (**)(const bioft_host *host, const bioft_layer
   *layer, uint32_t n, const float *x, const float *dy, float *ret_dw));
SIZE(bioft_layer_ops, 32);
AT(bioft_scales, struct_size, 0, uint32_t *);
AT(bioft_scales, reserved, 4, uint32_t *);
AT(bioft_scales, scale, 8, bioft_status (**)(const bioft_host *host, const bioft_layer *layer,
   uint32_t scale, float constant, const float *w, const float *u, float *ret));
SIZE(bioft_scales, 16);
AT(bioft_step, struct_size, 0, uint32_t *);
AT(bioft_step, layers, 4, uint32_t *);
AT(bioft_step, batch, 8, const bioft_batch **);
AT(bioft_step, ctx, 16, void **);
AT(bioft_step, layer, 24, const bioft_layer *(**)(const bioft_step *step, uint32_t index));
AT(bioft_step, block_forward, 32, bioft_status (**)(const bioft_step *step, uint32_t index, uint32_t
   n, const float *x, float *ret_h));
AT(bioft_step, block_backward, 40, bioft_status (**)(const bioft_step *step, uint32_t index,
   uint32_t n, const float *dh, float *ret_dx));
AT(bioft_step, loss, 48, bioft_status (**)(const bioft_step *step, const float *out, double
   *ret_value, float *ret_d_out));
AT(bioft_step, update, 56, bioft_status (**)(const bioft_step *step, uint32_t index));
SIZE(bioft_step, 64);
AT(bioft_own_step, struct_size, 0, uint32_t *);
AT(bioft_own_step, flags, 4, uint32_t *);
AT(bioft_own_step, train, 8, bioft_status (**)(void *self, const bioft_step *step, double
   *ret_value));
AT(bioft_own_step, predict, 16, bioft_status (**)(void *self, const bioft_step *step, float
   *ret_scores));
SIZE(bioft_own_step, 24);
IS(BIOFT_G_IDENTITY, 0);
IS(BIOFT_G_SIGN, 1);
IS(BIOFT_G_ONE, 2);
IS(BIOFT_M_ONES, 0);
IS(BIOFT_M_UNIFORM, 1);
IS(BIOFT_M_NORMAL, 2);
IS(BIOFT_M_ABS_NORMAL, 3);
IS(BIOFT_REDRAW_NEVER, 0);
IS(BIOFT_REDRAW_EACH_UPDATE, 1);
IS(BIOFT_SCALE_NONE, 0);
IS(BIOFT_SCALE_XAVIER, 1);
IS(BIOFT_SCALE_KAIMING, 2);
IS(BIOFT_SCALE_MATCH_NORM, 3);
IS(BIOFT_SCALE_CONSTANT, 4);
IS(BIOFT_LAYER_CONV2D, 1);
IS(BIOFT_LAYER_LINEAR, 2);
IS(BIOFT_ACT_OTHER, 0);
IS(BIOFT_ACT_NONE, 1);
IS(BIOFT_ACT_RELU, 2);
IS(BIOFT_ACT_TANH, 3);
IS(BIOFT_LAYER_FIRST, 1);
IS(BIOFT_LAYER_LAST, 2);
IS(BIOFT_X, 1);
IS(BIOFT_Y, 2);
IS(BIOFT_H, 4);
IS(BIOFT_DY, 8);
IS(BIOFT_DX, 16);
IS(BIOFT_DW, 32);
IS(BIOFT_E, 64);
IS(BIOFT_W, 128);

/* backbone.h */
TYPE(bioft_tensor, uint32_t);
AT(bioft_conv2d, struct_size, 0, uint32_t *);
AT(bioft_conv2d, out, 4, uint32_t *);
AT(bioft_conv2d, kernel, 8, uint32_t (*)[2]);
AT(bioft_conv2d, stride, 16, uint32_t (*)[2]);
AT(bioft_conv2d, padding, 24, uint32_t (*)[4]);
AT(bioft_conv2d, dilation, 40, uint32_t (*)[2]);
AT(bioft_conv2d, groups, 48, uint32_t *);
AT(bioft_conv2d, no_bias, 52, uint32_t *);
AT(bioft_conv2d, init, 56, uint32_t *);
AT(bioft_conv2d, init_std, 60, float *);
AT(bioft_conv2d, same, 64, uint32_t *);
SIZE(bioft_conv2d, 68);
AT(bioft_linear, struct_size, 0, uint32_t *);
AT(bioft_linear, out, 4, uint32_t *);
AT(bioft_linear, no_bias, 8, uint32_t *);
AT(bioft_linear, init, 12, uint32_t *);
AT(bioft_linear, init_std, 16, float *);
AT(bioft_linear, reserved, 20, uint32_t *);
SIZE(bioft_linear, 24);
AT(bioft_norm, struct_size, 0, uint32_t *);
AT(bioft_norm, reserved, 4, uint32_t *);
AT(bioft_norm, eps, 8, float *);
AT(bioft_norm, momentum, 12, float *);
SIZE(bioft_norm, 16);
AT(bioft_pool, struct_size, 0, uint32_t *);
AT(bioft_pool, kernel, 4, uint32_t (*)[2]);
AT(bioft_pool, stride, 12, uint32_t (*)[2]);
AT(bioft_pool, padding, 20, uint32_t (*)[4]);
AT(bioft_pool, ceil_mode, 36, uint32_t *);
AT(bioft_pool, exclude_padding, 40, uint32_t *);
AT(bioft_pool, reserved, 44, uint32_t *);
SIZE(bioft_pool, 48);
AT(bioft_attr, name, 0, const char **);
AT(bioft_attr, type, 8, uint32_t *);
AT(bioft_attr, count, 12, uint32_t *);
AT(bioft_attr, value, 16, const void **);
SIZE(bioft_attr, 24);
AT(bioft_builder, struct_size, 0, uint32_t *);
AT(bioft_builder, flags, 4, uint32_t *);
AT(bioft_builder, ctx, 8, void **);
AT(bioft_builder, input, 16, bioft_tensor (**)(const bioft_builder *b, uint32_t channels, uint32_t
   height, uint32_t width));
AT(bioft_builder, conv2d, 24, bioft_tensor (**)(const bioft_builder *b, const char *name,
   bioft_tensor x, const bioft_conv2d *p));
AT(bioft_builder, linear, 32, bioft_tensor (**)(const bioft_builder *b, const char *name,
   bioft_tensor x, const bioft_linear *p));
AT(bioft_builder, batchnorm, 40, bioft_tensor (**)(const bioft_builder *b, const char *name,
   bioft_tensor x, const bioft_norm *p));
AT(bioft_builder, maxpool, 48, bioft_tensor (**)(const bioft_builder *b, bioft_tensor x, const
   bioft_pool *p));
AT(bioft_builder, avgpool, 56, bioft_tensor (**)(const bioft_builder *b, bioft_tensor x, const
   bioft_pool *p));
AT(bioft_builder, adaptive_avgpool, 64, bioft_tensor (**)(const bioft_builder *b, bioft_tensor x,
   uint32_t height, uint32_t width));
AT(bioft_builder, relu, 72, bioft_tensor (**)(const bioft_builder *b, bioft_tensor x));
AT(bioft_builder, tanh_, 80, bioft_tensor (**)(const bioft_builder *b, bioft_tensor x));
AT(bioft_builder, dropout, 88, bioft_tensor (**)(const bioft_builder *b, bioft_tensor x, double p));
AT(bioft_builder, add, 96, bioft_tensor (**)(const bioft_builder *b, bioft_tensor x, bioft_tensor
   y));
AT(bioft_builder, flatten, 104, bioft_tensor (**)(const bioft_builder *b, bioft_tensor x));
AT(bioft_builder, op, 112, bioft_tensor (**)(const bioft_builder *b, const char *onnx_op, const char
   *name, const bioft_tensor *x, uint32_t count, const bioft_attr *attrs, uint32_t attr_count));
AT(bioft_builder, head, 120, bioft_tensor (**)(const bioft_builder *b, const char *name,
   bioft_tensor x, const bioft_linear *p));
AT(bioft_builder, weights, 128, bioft_status (**)(const bioft_builder *b, const char *parameter,
   const float *values, size_t count));
AT(bioft_builder, normalise, 136, bioft_status (**)(const bioft_builder *b, const float *mean, const
   float *std, uint32_t channels));
AT(bioft_builder, other_name, 144, bioft_status (**)(const bioft_builder *b, const char *name, const
   char *other));
AT(bioft_builder, note, 152, bioft_status (**)(const bioft_builder *b, const char *text));
SIZE(bioft_builder, 160);
AT(bioft_backbone, struct_size, 0, uint32_t *);
AT(bioft_backbone, flags, 4, uint32_t *);
AT(bioft_backbone, build, 8, bioft_status (**)(void *self, const bioft_builder *b));
SIZE(bioft_backbone, 16);
IS(BIOFT_INIT_TORCH, 0);
IS(BIOFT_INIT_KAIMING_NORMAL_FAN_OUT, 1);
IS(BIOFT_INIT_NORMAL, 2);

/* dataset.h */
AT(bioft_sample, struct_size, 0, uint32_t *);
AT(bioft_sample, format, 4, uint32_t *);
AT(bioft_sample, height, 8, uint32_t *);
AT(bioft_sample, width, 12, uint32_t *);
AT(bioft_sample, channels, 16, uint32_t *);
AT(bioft_sample, reserved, 20, uint32_t *);
AT(bioft_sample, ctx, 24, void **);
AT(bioft_sample, reserve, 32, void *(**)(bioft_sample *s, size_t bytes));
AT(bioft_sample, map, 40, bioft_status (**)(bioft_sample *s, const void *bytes, size_t count));
SIZE(bioft_sample, 48);
AT(bioft_info, struct_size, 0, uint32_t *);
AT(bioft_info, flags, 4, uint32_t *);
AT(bioft_info, ctx, 8, void **);
AT(bioft_info, split, 16, bioft_status (**)(bioft_info *i, const char *name, uint64_t count));
AT(bioft_info, class_name, 24, bioft_status (**)(bioft_info *i, uint32_t index, const char *name));
AT(bioft_info, note, 32, bioft_status (**)(bioft_info *i, const char *text));
SIZE(bioft_info, 40);
AT(bioft_array, struct_size, 0, uint32_t *);
AT(bioft_array, dtype, 4, uint32_t *);
AT(bioft_array, dims, 8, uint32_t *);
AT(bioft_array, reserved, 12, uint32_t *);
AT(bioft_array, shape, 16, uint64_t (*)[8]);
AT(bioft_array, data, 80, const void **);
SIZE(bioft_array, 88);
AT(bioft_files, struct_size, 0, uint32_t *);
AT(bioft_files, reserved, 4, uint32_t *);
AT(bioft_files, root, 8, const char *(**)(const bioft_host *host));
AT(bioft_files, protocol, 16, const char *(**)(const bioft_host *host));
AT(bioft_files, read, 24, bioft_status (**)(const bioft_host *host, const char *path, uint64_t max,
   const uint8_t **ret, uint64_t *ret_size));
AT(bioft_files, map, 32, bioft_status (**)(const bioft_host *host, const char *path, const uint8_t
   **ret, uint64_t *ret_size));
AT(bioft_files, npy, 40, bioft_status (**)(const bioft_host *host, const char *path, bioft_array
   *ret));
AT(bioft_files, list, 48, bioft_status (**)(const bioft_host *host, const char *folder, const char
   *const **ret, uint64_t *ret_count));
AT(bioft_files, exists, 56, int32_t (**)(const bioft_host *host, const char *path));
AT(bioft_files, fail_at, 64, bioft_status (**)(const bioft_host *host, bioft_status status, const
   char *path, uint64_t line, uint64_t byte, const char *text));
AT(bioft_files, permute, 72, bioft_status (**)(const bioft_host *host, const char *stream, uint64_t
   n, uint64_t *ret));
AT(bioft_files, sha256, 80, void (**)(const void *bytes, size_t count, char ret[65]));
AT(bioft_files, sample, 88, bioft_status (**)(const bioft_host *host, const char *path, uint64_t
   max, bioft_sample *ret));
AT(bioft_files, holds, 96, int32_t (**)(const bioft_host *host, const char *folder, const char
   *name));
AT(bioft_files, npz, 104, bioft_status (**)(const bioft_host *host, const char *path, const char
   *const *names, uint32_t count, bioft_array *ret));
AT(bioft_files, pickle, 112, bioft_status (**)(const bioft_host *host, const char *path, const char
   *const *keys, uint32_t count, bioft_array *ret));
SIZE(bioft_files, 120);
AT(bioft_dataset, struct_size, 0, uint32_t *);
AT(bioft_dataset, flags, 4, uint32_t *);
AT(bioft_dataset, describe, 8, bioft_status (**)(void *self, bioft_info *ret));
AT(bioft_dataset, labels, 16, bioft_status (**)(const void *self, uint32_t split, uint64_t index,
   uint64_t *ret, uint32_t label_words));
AT(bioft_dataset, name, 24, bioft_status (**)(const void *self, uint32_t split, uint64_t index, char
   *ret, size_t size));
AT(bioft_dataset, reader_open, 32, bioft_status (**)(const void *self, void **ret));
AT(bioft_dataset, reader_close, 40, void (**)(const void *self, void *reader));
AT(bioft_dataset, sample, 48, bioft_status (**)(const void *self, void *reader, uint32_t split,
   uint64_t index, bioft_sample *ret));
AT(bioft_dataset, multi_label, 56, int32_t (**)(const void *self));
AT(bioft_dataset, layout, 64, const char **);
AT(bioft_dataset, samples, 72, const char **);
AT(bioft_dataset, source, 80, const char **);
SIZE(bioft_dataset, 88);
IS(BIOFT_SAMPLE_ENCODED, 1);
IS(BIOFT_SAMPLE_U8_HWC, 2);
IS(BIOFT_SAMPLE_F32_CHW, 3);
IS(BIOFT_DTYPE_U8, 1);
IS(BIOFT_DTYPE_I64, 2);
IS(BIOFT_DTYPE_F32, 3);
IS(BIOFT_DTYPE_TEXT, 4);
IS(BIOFT_DATASET_MULTI_LABEL, 1);

/* attack.h */
AT(bioft_codes, struct_size, 0, uint32_t *);
AT(bioft_codes, bits, 4, uint32_t *);
AT(bioft_codes, words, 8, uint32_t *);
AT(bioft_codes, label_words, 12, uint32_t *);
AT(bioft_codes, n, 16, uint64_t *);
AT(bioft_codes, codes, 24, const uint64_t **);
AT(bioft_codes, labels, 32, const uint64_t **);
SIZE(bioft_codes, 40);
AT(bioft_victim, struct_size, 0, uint32_t *);
AT(bioft_victim, flags, 4, uint32_t *);
AT(bioft_victim, max_batch, 8, uint32_t *);
AT(bioft_victim, channels, 12, uint32_t *);
AT(bioft_victim, height, 16, uint32_t *);
AT(bioft_victim, width, 20, uint32_t *);
AT(bioft_victim, outputs, 24, uint32_t *);
AT(bioft_victim, classes, 28, uint32_t *);
AT(bioft_victim, bits, 32, uint32_t *);
AT(bioft_victim, reserved, 36, uint32_t *);
AT(bioft_victim, ctx, 40, void **);
AT(bioft_victim, forward, 48, bioft_status (**)(const bioft_victim *v, uint32_t n, const float *x,
   float *ret_out));
AT(bioft_victim, backward, 56, bioft_status (**)(const bioft_victim *v, uint32_t n, const float
   *d_out, float *ret_dx));
AT(bioft_victim, redraw, 64, bioft_status (**)(const bioft_victim *v, uint64_t draw));
AT(bioft_victim, codes, 72, bioft_status (**)(const bioft_victim *v, const char *split, bioft_codes
   *ret));
AT(bioft_victim, subset, 80, bioft_status (**)(const bioft_victim *v, uint32_t n, const uint32_t
   *image));
AT(bioft_victim, trace, 88, bioft_status (**)(const bioft_victim *v, uint64_t iteration, uint32_t n,
   const uint32_t *image, const float *x, const float *objective));
AT(bioft_victim, credit, 96, bioft_status (**)(const bioft_victim *v, uint32_t n, const uint32_t
   *image, const char *part));
SIZE(bioft_victim, 104);
AT(bioft_attack, struct_size, 0, uint32_t *);
AT(bioft_attack, flags, 4, uint32_t *);
AT(bioft_attack, norm, 8, uint32_t *);
AT(bioft_attack, reserved, 12, uint32_t *);
AT(bioft_attack, prepare, 16, bioft_status (**)(void *self, const bioft_victim *v));
AT(bioft_attack, run, 24, bioft_status (**)(void *self, const bioft_victim *v, const bioft_batch
   *clean, double epsilon, float *ret_x));
AT(bioft_attack, ball, 32, bioft_status (**)(void *self, uint32_t *ret_norm));
SIZE(bioft_attack, 40);
IS(BIOFT_LINF, 1);
IS(BIOFT_L2, 2);
IS(BIOFT_L1, 3);
IS(BIOFT_L0, 4);
IS(BIOFT_ATTACK_GRADIENT, 1);
IS(BIOFT_ATTACK_CODES, 2);
IS(BIOFT_ATTACK_CLASSES, 4);
IS(BIOFT_ATTACK_BATCH_COUPLED, 8);
IS(BIOFT_ATTACK_TARGETED, 16);
IS(BIOFT_ATTACK_MINIMUM, 32);

/* loss.h */
AT(bioft_task, struct_size, 0, uint32_t *);
AT(bioft_task, outputs, 4, uint32_t *);
AT(bioft_task, classes, 8, uint32_t *);
AT(bioft_task, multi_label, 12, uint32_t *);
AT(bioft_task, train_count, 16, uint64_t *);
AT(bioft_task, total_steps, 24, uint64_t *);
SIZE(bioft_task, 32);
AT(bioft_loss, struct_size, 0, uint32_t *);
AT(bioft_loss, flags, 4, uint32_t *);
AT(bioft_loss, attach, 8, bioft_status (**)(void *self, const bioft_task *task));
AT(bioft_loss, value, 16, bioft_status (**)(void *self, const float *out, const bioft_batch *batch,
   double *ret_value, float *ret_d_out));
SIZE(bioft_loss, 24);
IS(BIOFT_LOSS_CLASSES, 1);
IS(BIOFT_LOSS_CODES, 2);
IS(BIOFT_LOSS_MULTI_LABEL, 4);

/* engine.h */
AT(bioft_node, struct_size, 0, uint32_t *);
AT(bioft_node, op, 4, uint32_t *);
AT(bioft_node, input, 8, uint32_t (*)[2]);
AT(bioft_node, input_count, 16, uint32_t *);
AT(bioft_node, channels, 20, uint32_t *);
AT(bioft_node, height, 24, uint32_t *);
AT(bioft_node, width, 28, uint32_t *);
AT(bioft_node, layer, 32, uint32_t *);
AT(bioft_node, weight, 36, uint32_t *);
AT(bioft_node, bias, 40, uint32_t *);
AT(bioft_node, running_mean, 44, uint32_t *);
AT(bioft_node, running_var, 48, uint32_t *);
AT(bioft_node, kernel, 52, uint32_t (*)[2]);
AT(bioft_node, stride, 60, uint32_t (*)[2]);
AT(bioft_node, dilation, 68, uint32_t (*)[2]);
AT(bioft_node, padding, 76, uint32_t (*)[4]);
AT(bioft_node, groups, 92, uint32_t *);
AT(bioft_node, ceil_mode, 96, uint32_t *);
AT(bioft_node, exclude_padding, 100, uint32_t *);
AT(bioft_node, eps, 104, float *);
AT(bioft_node, momentum, 108, float *);
AT(bioft_node, dropout, 112, float *);
AT(bioft_node, reserved, 116, uint32_t *);
AT(bioft_node, low, 120, float *);
AT(bioft_node, high, 124, float *);
AT(bioft_node, scale, 128, float *);
AT(bioft_node, axis, 132, uint32_t *);
AT(bioft_node, from, 136, uint32_t *);
AT(bioft_node, product, 140, uint32_t *);
SIZE(bioft_node, 144);
AT(bioft_parameter, struct_size, 0, uint32_t *);
AT(bioft_parameter, kind, 4, uint32_t *);
AT(bioft_parameter, flags, 8, uint32_t *);
AT(bioft_parameter, layer, 12, uint32_t *);
AT(bioft_parameter, name, 16, const char **);
AT(bioft_parameter, dims, 24, uint32_t *);
AT(bioft_parameter, reserved, 28, uint32_t *);
AT(bioft_parameter, shape, 32, uint64_t (*)[4]);
AT(bioft_parameter, count, 64, size_t *);
SIZE(bioft_parameter, 72);
AT(bioft_graph, struct_size, 0, uint32_t *);
AT(bioft_graph, node_count, 4, uint32_t *);
AT(bioft_graph, parameter_count, 8, uint32_t *);
AT(bioft_graph, layer_count, 12, uint32_t *);
AT(bioft_graph, node_size, 16, uint32_t *);
AT(bioft_graph, parameter_size, 20, uint32_t *);
AT(bioft_graph, layer_size, 24, uint32_t *);
AT(bioft_graph, channels, 28, uint32_t *);
AT(bioft_graph, height, 32, uint32_t *);
AT(bioft_graph, width, 36, uint32_t *);
AT(bioft_graph, outputs, 40, uint32_t *);
AT(bioft_graph, reserved, 44, uint32_t *);
AT(bioft_graph, nodes, 48, const bioft_node **);
AT(bioft_graph, parameters, 56, const bioft_parameter **);
AT(bioft_graph, layers, 64, const bioft_layer **);
SIZE(bioft_graph, 72);
AT(bioft_use, struct_size, 0, uint32_t *);
AT(bioft_use, kind, 4, uint32_t *);
AT(bioft_use, flags, 8, uint32_t *);
AT(bioft_use, precision, 12, uint32_t *);
AT(bioft_use, max_batch, 16, uint32_t *);
AT(bioft_use, threads, 20, uint32_t *);
AT(bioft_use, memory_limit, 24, uint64_t *);
SIZE(bioft_use, 32);
AT(bioft_update, struct_size, 0, uint32_t *);
AT(bioft_update, kind, 4, uint32_t *);
AT(bioft_update, t, 8, uint64_t *);
AT(bioft_update, lr, 16, const double **);
AT(bioft_update, beta1, 24, double *);
AT(bioft_update, beta2, 32, double *);
AT(bioft_update, eps, 40, double *);
AT(bioft_update, weight_decay, 48, double *);
AT(bioft_update, momentum, 56, double *);
AT(bioft_update, gradient_scale, 64, double *);
SIZE(bioft_update, 72);
AT(bioft_hooks, struct_size, 0, uint32_t *);
AT(bioft_hooks, reserved, 4, uint32_t *);
AT(bioft_hooks, ctx, 8, void **);
AT(bioft_hooks, local, 16, bioft_status (**)(void *ctx, uint32_t layer, const bioft_local *io));
AT(bioft_hooks, gradient, 24, bioft_status (**)(void *ctx, uint32_t parameter, float *g, size_t
   count));
AT(bioft_hooks, updated, 32, bioft_status (**)(void *ctx, uint32_t layer, float *w, const float *dw,
   int32_t *ret_changed));
SIZE(bioft_hooks, 40);
AT(bioft_engine, struct_size, 0, uint32_t *);
AT(bioft_engine, draft, 4, uint32_t *);
AT(bioft_engine, score, 8, int32_t (**)(char *why, size_t size));
AT(bioft_engine, supports, 16, bioft_status (**)(void *self, const bioft_graph *graph, const
   bioft_use *use, char *why, size_t size));
AT(bioft_engine, model_create, 24, bioft_status (**)(void *self, const bioft_graph *graph, void
   **ret_model));
AT(bioft_engine, model_destroy, 32, void (**)(void *self, void *model));
AT(bioft_engine, read, 40, bioft_status (**)(void *self, void *model, uint32_t what, uint32_t
   parameter, float *ret, size_t count));
AT(bioft_engine, write, 48, bioft_status (**)(void *self, void *model, uint32_t what, uint32_t
   parameter, const float *values, size_t count));
AT(bioft_engine, set_feedback, 56, bioft_status (**)(void *self, void *model, uint32_t layer, const
   bioft_feedback *feedback, uint64_t draw));
AT(bioft_engine, program_create, 64, bioft_status (**)(void *self, void *model, const bioft_use
   *use, const bioft_route *routes, void **ret_program));
AT(bioft_engine, program_destroy, 72, void (**)(void *self, void *program));
AT(bioft_engine, program_bytes, 80, uint64_t (**)(void *self, const void *program));
AT(bioft_engine, forward, 88, bioft_status (**)(void *self, void *program, uint32_t n, const float
   *x, uint64_t dropout_key, float *ret_out));
AT(bioft_engine, backward, 96, bioft_status (**)(void *self, void *program, const float *d_out,
   uint32_t flags, float *ret_dx, const bioft_hooks *hooks));
AT(bioft_engine, update, 104, bioft_status (**)(void *self, void *model, const bioft_update *update,
   const bioft_hooks *hooks, uint32_t *ret_first_nonfinite));
AT(bioft_engine, profile, 112, bioft_status (**)(void *self, void *program, char *ret_json, size_t
   size));
AT(bioft_engine, identity, 120, bioft_status (**)(void *self, char *ret, size_t size, int32_t
   *ret_threads_matter));
AT(bioft_engine, layer, 128, bioft_status (**)(void *self, const bioft_layer *layer, uint32_t phase,
   uint32_t n, const float *a, const float *b, float *ret));
SIZE(bioft_engine, 136);
IS(BIOFT_OP_INPUT, 0);
IS(BIOFT_OP_CONV2D, 1);
IS(BIOFT_OP_LINEAR, 2);
IS(BIOFT_OP_BATCHNORM, 3);
IS(BIOFT_OP_RELU, 4);
IS(BIOFT_OP_TANH, 5);
IS(BIOFT_OP_MAXPOOL, 6);
IS(BIOFT_OP_AVGPOOL, 7);
IS(BIOFT_OP_ADAPTIVE_AVGPOOL, 8);
IS(BIOFT_OP_DROPOUT, 9);
IS(BIOFT_OP_ADD, 10);
IS(BIOFT_OP_FLATTEN, 11);
IS(BIOFT_OP_CLIP, 12);
IS(BIOFT_OP_SIGMOID, 13);
IS(BIOFT_OP_HARDSIGMOID, 14);
IS(BIOFT_OP_HARDSWISH, 15);
IS(BIOFT_OP_SILU, 16);
IS(BIOFT_OP_GELU, 17);
IS(BIOFT_OP_MULTIPLY, 18);
IS(BIOFT_OP_CONCAT, 19);
IS(BIOFT_OP_SLICE, 20);
IS(BIOFT_OP_SCALE, 21);
IS(BIOFT_OP_LAYERNORM, 22);
IS(BIOFT_OP_SOFTMAX, 23);
IS(BIOFT_OP_MATMUL, 24);
IS(BIOFT_OP_TOKENS, 25);
IS(BIOFT_PARAM_WEIGHT, 1);
IS(BIOFT_PARAM_BIAS, 2);
IS(BIOFT_PARAM_GAMMA, 3);
IS(BIOFT_PARAM_BETA, 4);
IS(BIOFT_PARAM_RUNNING, 5);
IS(BIOFT_PARAM_TABLE, 6);
IS(BIOFT_PARAM_HEAD, 1);
IS(BIOFT_TRAIN, 1);
IS(BIOFT_EVAL, 2);
IS(BIOFT_ATTACK, 3);
IS(BIOFT_F32, 1);
IS(BIOFT_BF16, 2);
IS(BIOFT_FROZEN_BATCHNORM, 1);
IS(BIOFT_EXACT, 1);
IS(BIOFT_ACCUMULATE, 2);
IS(BIOFT_NO_PARAMETERS, 4);
IS(BIOFT_STRAIGHT_THROUGH, 8);
IS(BIOFT_VALUE, 1);
IS(BIOFT_GRADIENT, 2);
IS(BIOFT_MOMENT1, 3);
IS(BIOFT_MOMENT2, 4);
IS(BIOFT_FEEDBACK, 5);
IS(BIOFT_SGD, 1);
IS(BIOFT_ADAM, 2);
#endif

int main(void)
{
    return 0;
}
