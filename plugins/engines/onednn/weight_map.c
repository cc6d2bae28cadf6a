/* Where the library wants each weight. */
#include "version.h"

#include "../common/memory.h"

/* Offsets along one dimension: an index's digits in the inner blocks, then what is left times the stride. */
static void fill_offsets(const struct array_layout *l, int dimension, uint32_t count, uint32_t *ret)
{
    for (uint32_t i = 0; i < count; i++) {
        dnnl_dim_t left = i, step = 1, at = 0;
        for (int k = l->inner_count; k-- > 0;) {
            if (l->inner_dimensions[k] == dimension) {
                at += left % l->inner_blocks[k] * step;
                left /= l->inner_blocks[k];
            }
            step *= l->inner_blocks[k];
        }
        ret[i] = (uint32_t)(at + left * l->strides[dimension]);
    }
}

bool map_weights(array_description d, uint32_t **ret_table, struct weight_map *ret)
{
    struct weight_map m = { .floats = (dnnl_memory_desc_get_size(d) + sizeof(float) - 1) / sizeof(float) };
    struct array_layout l;
    uint32_t height, width, *row;
    int first; /* where `out` stands: after the groups */

    if (!layout_of(d, &l) || !l.blocked || m.floats > UINT32_MAX)
        return false;
    first = l.dimensions == 5;
    height = (uint32_t)l.dims[first + 2];
    width = (uint32_t)l.dims[first + 3];
    m.groups = first ? (uint32_t)l.dims[0] : 1;
    m.out = (uint32_t)l.dims[first];
    m.in = (uint32_t)l.dims[first + 1];
    m.taps = height * width;
    m.bf16 = l.type == dnnl_bf16;
    *ret_table = memory_take((size_t)m.groups + m.out + m.in + m.taps + height + width, sizeof **ret_table);
    if (!*ret_table)
        return false;
    m.group_at = *ret_table;
    m.out_at = m.group_at + m.groups;
    m.in_at = m.out_at + m.out;
    m.tap_at = m.in_at + m.in;
    row = m.tap_at + m.taps;
    if (first)
        fill_offsets(&l, 0, m.groups, m.group_at);
    fill_offsets(&l, first, m.out, m.out_at);
    fill_offsets(&l, first + 1, m.in, m.in_at);
    fill_offsets(&l, first + 2, height, row);
    fill_offsets(&l, first + 3, width, row + height);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            m.tap_at[y * width + x] = row[y] + row[height + x];
    *ret = m;
    return true;
}
