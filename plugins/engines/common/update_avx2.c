/* The optimizer's loops in vectors of eight. */
#include "update.h"

unsigned update_adam_avx2(const struct update_numbers *u, const struct update_arrays *a, float step)
{
    return adam_step(u, a, step);
}

unsigned update_sgd_avx2(const struct update_numbers *u, const struct update_arrays *a, float step)
{
    return sgd_step(u, a, step);
}
