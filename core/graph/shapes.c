/* Shapes of one image's tensors, as torch.nn computes them. */
#include "graph/shapes.h"

bool shape_elements(struct shape s, uint32_t *ret)
{
    uint64_t plane = (uint64_t)s.height * s.width;
    if (plane == 0 || s.channels == 0 || plane > SHAPE_LARGEST || plane * s.channels > SHAPE_LARGEST)
        return false;
    *ret = (uint32_t)(plane * s.channels);
    return true;
}

uint64_t window_count(struct window w, uint32_t side)
{
    uint64_t reach = (uint64_t)(w.kernel - 1) * w.dilation + 1; /* below 2^64: the factors are below 2^32 */
    uint64_t padded = (uint64_t)side + w.before + w.after;
    uint64_t count;

    if (w.ceil_mode) /* the last window may hang over the end ... */
        padded += w.stride - 1;
    if (padded < reach)
        return 0;
    count = (padded - reach) / w.stride + 1;
    /* ... if it begins in the image or in the padding before it. */
    if (w.ceil_mode && (count - 1) * w.stride >= (uint64_t)side + w.before)
        count--;
    return count;
}
