/* What differs between versions 2 and 3 of oneDNN's C API, in words that library.c uses for both: descriptions of
 * arrays, which version 3 made opaque; descriptions of convolutions, which it merged with primitive descriptions; the
 * arguments of post-operations; the list of instruction sets. version2.c or version3.c is built, by the header found. */
#ifndef ONEDNN_VERSION_H
#define ONEDNN_VERSION_H

#include "library.h"

#include <dnnl.h>

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t array_description; /* the library's, or that of a struct description */
#else
typedef const dnnl_memory_desc_t *array_description;
#endif
struct description { /* of an array; zeros: none */
    dnnl_memory_desc_t own;
};

/* false: the library knows no such array. To be given back by description_destroy(). */
bool description_create(int dimensions, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag,
                        struct description *ret);
void description_destroy(struct description *d); /* zeros are fine */
array_description description_of(const struct description *d);

/* How an array stands in memory: strides of the outer blocks, and inner blocks from the outermost to the innermost. */
struct array_layout {
    int dimensions;
    dnnl_dims_t dims, strides;
    dnnl_data_type_t type;
    bool blocked; /* strides and inner blocks say all; else what follows is not filled in */
    int inner_count;
    dnnl_dims_t inner_blocks, inner_dimensions;
};
bool layout_of(array_description d, struct array_layout *ret);
/* false: not in blocks, or out of memory. *ret_table: what ret points into, to be given back by memory_give(). */
bool map_weights(array_description d, uint32_t **ret_table, struct weight_map *ret);

/* The arrays of a convolution, and its geometry in the library's words. */
struct shapes {
    struct description x, w, bias, y;
    dnnl_dims_t stride, dilation, before, after;
};
/* has_bias: s->bias counts. hint: forward's description, for the other two. NULL: the library has none. */
dnnl_primitive_desc_t describe_convolution(dnnl_engine_t engine, enum convolution kind, dnnl_alg_kind_t algorithm,
                                           const struct shapes *s, bool has_bias,
                                           const_dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t hint);
bool is_winograd(const_dnnl_primitive_desc_t description);
bool append_sum(dnnl_post_ops_t ops);
bool append_relu(dnnl_post_ops_t ops);

struct isa {
    dnnl_cpu_isa_t isa;
    const char *name;
    uint32_t block; /* channels in a block; 1: no vector kernels */
    bool bf16, amx; /* it multiplies bfloat16; by tiles */
};
const struct isa *effective_isa(void);

#endif
