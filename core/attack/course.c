/* The course of an attack on a batch, image by image. */
#include "attack/course.h"

#include <math.h>
#include <string.h>

static const double rising_share = 0.05;

void course_clear(struct course_image *images, uint32_t n) { memset(images, 0, n * sizeof *images); }

void course_restart(struct course_image *images, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        images[i].told = 0;
}

void course_gradient(struct course_image *image, const float *g, size_t pixels)
{
    bool zero = true, finite = true;

    for (size_t k = 0; k < pixels; k++) {
        zero = zero && g[k] == 0.0f;
        finite = finite && isfinite(g[k]);
    }
    image->gradients++;
    image->zero += zero;
    image->nonfinite += !finite;
}

void course_objective(struct course_image *image, uint64_t iteration, float objective)
{
    if (iteration == 0)
        image->told = 0;
    /* The best so far, which is what an attack keeps: steps that overshoot are no lack of convergence. */
    if (image->told > 0) {
        const float best = image->tail[(image->told - 1) % COURSE_TAIL];
        objective = objective > best ? objective : best;
    } else {
        image->first = objective;
    }
    image->tail[image->told++ % COURSE_TAIL] = objective;
}

bool course_rising(const struct course_image *image)
{
    if (image->told < 2)
        return false;
    const uint64_t back = image->told < COURSE_TAIL ? image->told - 1 : COURSE_TAIL - 1;
    const double last = (double)image->tail[(image->told - 1) % COURSE_TAIL];
    const double before = (double)image->tail[(image->told - 1 - back) % COURSE_TAIL];
    return last - before > rising_share * (last - (double)image->first);
}
