/* Arrays whose channels stand in blocks, to and from plain NCHW. */
#include "program.h"

#include <string.h>

/* One block's channels of one image. */
struct piece {
    size_t blocked, plain, channels; /* where it begins in either array; how many are real */
};
static struct piece piece_of(const struct tensor *t, uint32_t image, size_t block)
{
    const size_t first = block * t->block, left = t->channels - first;

    return (struct piece){ image * t->floats + first * t->plane, image * plain_floats(t) + first * t->plane,
                           left < t->block ? left : t->block };
}

void tensor_export(const struct tensor *t, const float *array, uint32_t n, float *ret)
{
    const size_t blocks = parts_of(t->channels, t->block);

    if (t->block == 1) {
        memcpy(ret, array, n * t->floats * sizeof *ret);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        for (size_t b = 0; b < blocks; b++) {
            const struct piece at = piece_of(t, i, b);
            for (size_t c = 0; c < at.channels; c++)
                for (size_t k = 0; k < t->plane; k++)
                    ret[at.plain + c * t->plane + k] = array[at.blocked + k * t->block + c];
        }
}

void tensor_import(const struct tensor *t, const float *plain, uint32_t n, bool add, float *ret)
{
    const size_t blocks = parts_of(t->channels, t->block);

    if (t->block == 1 && !add) {
        memcpy(ret, plain, n * t->floats * sizeof *ret);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        for (size_t b = 0; b < blocks; b++) {
            const struct piece at = piece_of(t, i, b);
            for (size_t k = 0; k < t->plane; k++)
                for (size_t c = 0; c < t->block; c++) {
                    float v = c < at.channels ? plain[at.plain + c * t->plane + k] : 0;
                    float *to = ret + at.blocked + k * t->block + c;
                    *to = add ? *to + v : v;
                }
        }
}
