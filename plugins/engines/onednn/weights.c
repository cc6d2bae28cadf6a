/* Weights in and out of the library's order, some output channels a task. */
#include "weights.h"

#include "bf16.h"

#include <stdatomic.h>
#include <string.h>

enum { COLUMNS = 16 }; /* input channels at a time: with WEIGHT_ROWS a block that stays in the cache */

struct rows {
    uint32_t first, end; /* of groups * out */
};
static struct rows rows_of(const struct weight_map *m, size_t index)
{
    const uint32_t all = m->groups * m->out, first = (uint32_t)index * WEIGHT_ROWS;

    return (struct rows){ first, first + WEIGHT_ROWS < all ? first + WEIGHT_ROWS : all };
}

static size_t row_at(const struct weight_map *m, uint32_t row)
{
    return (size_t)m->group_at[row / m->out] + m->out_at[row % m->out];
}

struct job {
    const struct weight_map *map;
    const float *w, *factor;
    void *ret;
    atomic_uint largest; /* magnitude, as its bits: NaN's are above all */
};

static uint32_t magnitude(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits & 0x7FFFFFFF;
}

static void raise_to(atomic_uint *largest, uint32_t value)
{
    unsigned seen = atomic_load(largest);

    while (seen < value && !atomic_compare_exchange_weak(largest, &seen, value))
        ;
}

static void pack_rows(void *ctx, size_t index, uint32_t thread)
{
    struct job *j = ctx;
    const struct weight_map *m = j->map;
    const struct rows rows = rows_of(m, index);
    const size_t width = (size_t)m->in * m->taps;
    uint32_t largest = 0;

    (void)thread;
    for (uint32_t i = 0; i < m->in; i += COLUMNS)
        for (uint32_t r = rows.first; r < rows.end; r++) {
            const float factor = j->factor ? j->factor[r] : 1.0f;
            for (uint32_t k = i; k < m->in && k < i + COLUMNS; k++) {
                const float *from = j->w + r * width + (size_t)k * m->taps;
                const size_t at = row_at(m, r) + m->in_at[k];
                for (uint32_t t = 0; t < m->taps; t++) {
                    const float v = factor * from[t];
                    const uint32_t size = magnitude(v);
                    largest = size > largest ? size : largest;
                    if (m->bf16)
                        ((uint16_t *)j->ret)[at + m->tap_at[t]] = bf16_of(v);
                    else
                        ((float *)j->ret)[at + m->tap_at[t]] = v;
                }
            }
        }
    raise_to(&j->largest, largest);
}

void weights_pack(struct engine *e, const struct weight_map *m, const float *w, const float *factor, uint64_t stamp,
                  struct packed *ret)
{
    struct job j = { .map = m, .w = w, .factor = factor, .ret = ret->data };
    uint32_t largest;

    atomic_init(&j.largest, 0);
    parallel_run(&e->parallel, parts_of((size_t)m->groups * m->out, WEIGHT_ROWS), pack_rows, &j);
    ret->from = w;
    ret->stamp = stamp;
    largest = atomic_load(&j.largest);
    memcpy(&ret->largest, &largest, sizeof largest);
}

void weights_unpack(const struct weight_map *m, const float *sums, size_t stride, uint32_t count, size_t index,
                    bool add, float *ret)
{
    const struct rows rows = rows_of(m, index);
    const size_t width = (size_t)m->in * m->taps;

    for (uint32_t i = 0; i < m->in; i += COLUMNS)
        for (uint32_t r = rows.first; r < rows.end; r++)
            for (uint32_t k = i; k < m->in && k < i + COLUMNS; k++) {
                const float *from = sums + row_at(m, r) + m->in_at[k];
                float *to = ret + r * width + (size_t)k * m->taps;
                for (uint32_t t = 0; t < m->taps; t++) {
                    float sum = add ? to[t] : 0;
                    for (uint32_t s = 0; s < count; s++)
                        sum += from[s * stride + m->tap_at[t]];
                    to[t] = sum;
                }
            }
}
