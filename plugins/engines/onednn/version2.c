/* oneDNN's version 2: what version.h says of it. */
#include "version.h"

#include <string.h>

bool description_create(int dimensions, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag,
                        struct description *ret)
{
    return dnnl_memory_desc_init_by_tag(&ret->own, dimensions, dims, type, tag) == dnnl_success;
}

void description_destroy(struct description *d) { (void)d; /* plain values */ }

array_description description_of(const struct description *d) { return &d->own; }

bool layout_of(array_description d, struct array_layout *ret)
{
    const dnnl_blocking_desc_t *b = &d->format_desc.blocking;

    *ret = (struct array_layout){ .dimensions = d->ndims, .type = d->data_type };
    memcpy(ret->dims, d->dims, sizeof ret->dims);
    ret->blocked = d->format_kind == dnnl_blocked && d->extra.flags == 0;
    if (!ret->blocked)
        return true;
    memcpy(ret->strides, b->strides, sizeof ret->strides);
    ret->inner_count = b->inner_nblks;
    memcpy(ret->inner_blocks, b->inner_blks, sizeof ret->inner_blocks);
    memcpy(ret->inner_dimensions, b->inner_idxs, sizeof ret->inner_dimensions);
    return true;
}

dnnl_primitive_desc_t describe_convolution(dnnl_engine_t engine, enum convolution kind, dnnl_alg_kind_t algorithm,
                                           const struct shapes *s, bool has_bias,
                                           const_dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t hint)
{
    const dnnl_memory_desc_t *bias = has_bias ? &s->bias.own : NULL;
    dnnl_primitive_desc_t ret = NULL;
    dnnl_convolution_desc_t d;
    dnnl_status_t st;

    if (kind == CONV_FORWARD)
        st = dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_training, algorithm, &s->x.own, &s->w.own,
                                                        bias, &s->y.own, s->stride, s->dilation, s->before, s->after);
    else if (kind == CONV_INPUT_ERROR)
        st = dnnl_dilated_convolution_backward_data_desc_init(&d, algorithm, &s->x.own, &s->w.own, &s->y.own, s->stride,
                                                              s->dilation, s->before, s->after);
    else
        st = dnnl_dilated_convolution_backward_weights_desc_init(&d, algorithm, &s->x.own, &s->w.own, bias, &s->y.own,
                                                                 s->stride, s->dilation, s->before, s->after);
    if (st != dnnl_success || dnnl_primitive_desc_create(&ret, &d, attributes, engine, hint) != dnnl_success)
        return NULL;
    return ret;
}

bool is_winograd(const_dnnl_primitive_desc_t description)
{
    const dnnl_convolution_desc_t *d;

    return dnnl_primitive_desc_query(description, dnnl_query_convolution_d, 0, (void *)&d) == dnnl_success &&
           d->alg_kind == dnnl_convolution_winograd;
}

bool append_sum(dnnl_post_ops_t ops) { return dnnl_post_ops_append_sum(ops, 1.0f) == dnnl_success; }

bool append_relu(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f) == dnnl_success;
}

static const struct isa isas[] = {
    { dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx", 16, true, true },
    { dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16", 16, true, false },
    { dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni", 16, false, false },
    { dnnl_cpu_isa_avx512_core, "avx512_core", 16, false, false },
    { dnnl_cpu_isa_avx512_mic, "avx512_mic", 16, false, false },
    { dnnl_cpu_isa_avx512_mic_4ops, "avx512_mic_4ops", 16, false, false },
    { dnnl_cpu_isa_avx2_vnni, "avx2_vnni", 8, false, false },
    { dnnl_cpu_isa_avx2, "avx2", 8, false, false },
    { dnnl_cpu_isa_avx, "avx", 8, false, false },
    { dnnl_cpu_isa_sse41, "sse41", 8, false, false },
};

const struct isa *effective_isa(void)
{
    static const struct isa none = { dnnl_cpu_isa_all, "no vector kernels", 1, false, false };
    const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();

    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++)
        if (isas[i].isa == isa)
            return &isas[i];
    return &none;
}
