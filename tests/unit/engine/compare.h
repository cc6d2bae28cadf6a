/* Comparing arrays, with a text that says where they differ. */
#ifndef TEST_ENGINE_COMPARE_H
#define TEST_ENGINE_COMPARE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Every |a - b| within `tolerance` of the largest |b|, or of `floor` where that is larger. */
static inline void assert_near(const char *what, const float *a, const double *b, size_t count, double tolerance,
                               double floor)
{
    double largest = floor;

    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(b[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - b[i]) <= tolerance * largest))
            fail_msg("%s: value %zu of %zu is %.9g, not %.9g (largest %.3g)", what, i, count, (double)a[i], b[i],
                     largest);
}

static inline void assert_bits(const char *what, const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0)
            fail_msg("%s: value %zu of %zu is %.9g, not %.9g bit for bit", what, i, count, (double)a[i], (double)b[i]);
}

#endif
