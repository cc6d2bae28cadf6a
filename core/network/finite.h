/* Outputs that are not finite: they are no answer, however they compare, so they are counted and refused. */
#ifndef NETWORK_FINITE_H
#define NETWORK_FINITE_H

#include "data/dataset.h"

struct finite {         /* zero is a beginning */
    uint64_t seen, bad; /* samples */
    uint64_t first;     /* the first bad one, and what it has */
    uint32_t output;
    float value;
};
/* out: [n][outputs]; sample: [n], NULL: they are not known. */
void finite_take(struct finite *f, uint32_t n, uint32_t outputs, const float *out, const uint64_t *sample);
/* An error with the count and the first sample's name where one was bad. split may be NULL: then its number is said. */
bioft_status finite_end(const struct finite *f, const struct dataset *d, const struct split *split, struct error *err);
/* The same for samples whose names the caller has: name is the first bad one's. */
bioft_status finite_error(const struct finite *f, const char *name, struct error *err);

#endif
