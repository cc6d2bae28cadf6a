/* From ONNX nodes to the builder's calls. */
#ifndef ONNX_TRANSLATE_H
#define ONNX_TRANSLATE_H

#include <bioft/backbone_util.h>

#include "constant.h"

enum onnx_head { HEAD_LAST, HEAD_ADDED };
enum onnx_values { VALUES_FILE, VALUES_RANDOM };
enum onnx_order { ORDER_RGB, ORDER_BGR };

/* What the plugin's options say. */
struct request {
    const char *output;          /* a tensor of the file, NULL: the graph's first output */
    int32_t head, values, order; /* the enumerations above */
    int64_t size;                /* side where the file has none; 0: none */
    bioft_list mean, std;        /* of double; empty: 0 and 1 */
};

/* A tensor of the network being built. */
enum form { FORM_NONE, FORM_IMAGE, FORM_FLAT, FORM_SHAPE };
struct value {
    enum form form;
    bioft_tensor x;
    uint32_t channels;   /* 0: not known, of a flat one */
    bool pixel;          /* an image of 1x1 */
    bool last;           /* an image whose file has the channels last */
    uint32_t order;      /* of a flat one made of such: the channels that vary fastest, else 0 */
    uint32_t padding[4]; /* asked for by a Pad, for the conv that follows */
    uint32_t count;      /* of a shape: its numbers */
};

struct translation {
    const struct model *m;
    const struct request *request;
    const bioft_builder *b;
    struct fault *fault;
    struct value *values;             /* [m->name_count] */
    uint32_t *uses;                   /* [m->name_count] by nodes that are needed */
    uint32_t *user;                   /* [m->name_count] the last of these */
    bool *needed, *done;              /* [node_count] done: taken together with another */
    bool *taken;                      /* [m->name_count] a layer is called by it */
    uint32_t convs, norms, odd_names; /* for the notes */
    uint32_t drawn;                   /* arrays without values in the file */
    char odd[SHOWN], dropped[SHOWN];  /* an exporter's name of a folded weight; operators behind the head */
};

/* Builds the network; notes about it go to the builder. A failure of the builder's own is its to report. */
bioft_status translate(const struct model *m, const struct request *request, const bioft_builder *b, struct fault *f);

/* The rest is for the files that make it up. */

/* Refuses a node: "F: node 'n' (Op): ...". False and 0. */
bool refuse(struct translation *t, const onnx_node *n, bioft_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Index in names of input k; NOWHERE: it is left out. */
uint32_t input_at(const struct translation *t, const onnx_node *n, size_t k);
/* The value of input k, in the form that is asked for; NULL and a fault otherwise. */
const struct value *input_value(struct translation *t, const onnx_node *n, size_t k, enum form form);
/* A constant input; false, with a fault, where it is none. */
bool input_constant(struct translation *t, const onnx_node *n, size_t k, const char *what, struct constant *ret);
bool is_constant(struct translation *t, const char *name, struct constant *ret);
/* Keeps the value of the node's first output. */
bool output_set(struct translation *t, const onnx_node *n, struct value v);
/* The one node that uses the first output of n, if it is called so and n's is the only use; else NULL. */
const onnx_node *follower(const struct translation *t, const onnx_node *n, const char *op);
void follower_done(struct translation *t, const onnx_node *n);
/* A list of `count` whole numbers, each `least` or more, `usual` where there is none. */
bool whole_list(struct translation *t, const onnx_node *n, const char *name, uint32_t count, uint32_t usual,
                uint32_t least, uint32_t *ret);
/* Only attributes of the NULL-terminated list. */
bool known_attributes(struct translation *t, const onnx_node *n, const char *const *list);

/* Layers: a name by the array, an array's values to the builder. */
enum { LAYER_NAME = 256 };
bool layer_name(struct translation *t, const onnx_node *n, const char *array, bool again, char ret[LAYER_NAME]);
/* rows [rows][columns] in ONNX's order, or transposed; order: see struct value. */
struct layout {
    size_t rows, columns;
    bool transposed;
    uint32_t order;
};
bool give(struct translation *t, const onnx_node *n, const char *layer, const char *last, const char *array,
          const struct constant *c, const struct layout *layout);

bool make_conv(struct translation *t, const onnx_node *n);
bool make_linear(struct translation *t, const onnx_node *n, bool is_head);
bool make_head_conv(struct translation *t, const onnx_node *n);
bool make_norm(struct translation *t, const onnx_node *n);
bool make_scale(struct translation *t, const onnx_node *n, size_t constant_input);
bool make_shift(struct translation *t, const onnx_node *n, size_t constant_input);
bool make_node(struct translation *t, const onnx_node *n);
bool make_window(struct translation *t, const onnx_node *n);
bool make_shape(struct translation *t, const onnx_node *n);
/* Gelu and hardswish as exporters write them out; *ret_made: whether it was one. False after a failure. */
bool make_pattern(struct translation *t, const onnx_node *n, bool *ret_made);

#endif
