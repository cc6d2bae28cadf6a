/* oneDNN's version 3: what version.h says of it. */
#include "version.h"

#include <string.h>

bool description_create(int dimensions, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag,
                        struct description *ret)
{
    return dnnl_memory_desc_create_with_tag(&ret->own, dimensions, dims, type, tag) == dnnl_success;
}

void description_destroy(struct description *d)
{
    if (d->own)
        dnnl_memory_desc_destroy(d->own);
    d->own = NULL;
}

array_description description_of(const struct description *d) { return d->own; }

static bool query(array_description d, dnnl_query_t what, void *ret)
{
    return dnnl_memory_desc_query(d, what, ret) == dnnl_success;
}

/* ret holds DNNL_MAX_NDIMS values. */
static bool query_dims(array_description d, dnnl_query_t what, int count, dnnl_dim_t *ret)
{
    const dnnl_dims_t *values = NULL;

    if (!query(d, what, &values) || (count > 0 && !values))
        return false;
    for (int i = 0; i < count; i++)
        ret[i] = (*values)[i];
    return true;
}

/* What else stands behind the values (sums for integer kernels) is not told, but counts in the size. */
static bool only_values(array_description d, const struct array_layout *l)
{
    size_t bytes = dnnl_data_type_size(l->type);
    dnnl_dims_t padded;

    if (!query_dims(d, dnnl_query_padded_dims, l->dimensions, padded))
        return false;
    for (int i = 0; i < l->dimensions; i++)
        bytes *= (size_t)padded[i];
    return dnnl_memory_desc_get_size(d) == bytes;
}

bool layout_of(array_description d, struct array_layout *ret)
{
    dnnl_format_kind_t kind;

    memset(ret, 0, sizeof *ret);
    if (!query(d, dnnl_query_ndims_s32, &ret->dimensions) || !query(d, dnnl_query_data_type, &ret->type) ||
        !query_dims(d, dnnl_query_dims, ret->dimensions, ret->dims) || !query(d, dnnl_query_format_kind, &kind))
        return false;
    ret->blocked = kind == dnnl_blocked && only_values(d, ret) &&
                   query_dims(d, dnnl_query_strides, ret->dimensions, ret->strides) &&
                   query(d, dnnl_query_inner_nblks_s32, &ret->inner_count) &&
                   query_dims(d, dnnl_query_inner_blks, ret->inner_count, ret->inner_blocks) &&
                   query_dims(d, dnnl_query_inner_idxs, ret->inner_count, ret->inner_dimensions);
    return true;
}

dnnl_primitive_desc_t describe_convolution(dnnl_engine_t engine, enum convolution kind, dnnl_alg_kind_t algorithm,
                                           const struct shapes *s, bool has_bias,
                                           const_dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t hint)
{
    const_dnnl_memory_desc_t bias = has_bias ? s->bias.own : NULL;
    dnnl_primitive_desc_t ret = NULL;
    dnnl_status_t st;

    if (kind == CONV_FORWARD)
        st = dnnl_convolution_forward_primitive_desc_create(&ret, engine, dnnl_forward_training, algorithm, s->x.own,
                                                            s->w.own, bias, s->y.own, s->stride, s->dilation, s->before,
                                                            s->after, attributes);
    else if (kind == CONV_INPUT_ERROR)
        st = dnnl_convolution_backward_data_primitive_desc_create(&ret, engine, algorithm, s->x.own, s->w.own, s->y.own,
                                                                  s->stride, s->dilation, s->before, s->after, hint,
                                                                  attributes);
    else
        st = dnnl_convolution_backward_weights_primitive_desc_create(&ret, engine, algorithm, s->x.own, s->w.own, bias,
                                                                     s->y.own, s->stride, s->dilation, s->before,
                                                                     s->after, hint, attributes);
    return st == dnnl_success ? ret : NULL;
}

bool is_winograd(const_dnnl_primitive_desc_t description)
{
    dnnl_alg_kind_t algorithm;

    return dnnl_primitive_desc_query(description, dnnl_query_alg_kind, 0, &algorithm) == dnnl_success &&
           algorithm == dnnl_convolution_winograd;
}

bool append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef) == dnnl_success;
}

bool append_relu(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f) == dnnl_success;
}

/* Each with the bits of those that it includes, the larger before the smaller. */
static const struct isa isas[] = {
    { dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx", 16, true, true },
    { dnnl_cpu_isa_avx512_core_fp16, "avx512_core_fp16", 16, true, false },
    { dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16", 16, true, false },
    { dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni", 16, false, false },
    { dnnl_cpu_isa_avx512_core, "avx512_core", 16, false, false },
    { dnnl_cpu_isa_avx2_vnni, "avx2_vnni", 8, false, false },
    { dnnl_cpu_isa_avx2, "avx2", 8, false, false },
    { dnnl_cpu_isa_avx, "avx", 8, false, false },
    { dnnl_cpu_isa_sse41, "sse41", 8, false, false },
};

const struct isa *effective_isa(void)
{
    static const struct isa none = { dnnl_cpu_isa_default, "no vector kernels", 1, false, false };
    const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();

    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++)
        if ((isa & (unsigned)isas[i].isa) == (unsigned)isas[i].isa)
            return &isas[i];
    return &none;
}
