/* Square: a random search that changes one square at a time and asks for nothing but the outputs (Andriushchenko, Croce,
 * Flammarion and Hein, "Square Attack: a query-efficient black-box adversarial attack via random search", ECCV 2020,
 * algorithms 1 to 3; in L1 as its authors have it in AutoAttack). */
#ifndef ATTACKS_SQUARE_H
#define ATTACKS_SQUARE_H

#include "left.h"

struct square {
    uint32_t norm;
    int32_t loss;     /* LOSS_MARGIN or LOSS_CE of loss.h */
    int64_t queries;  /* after the first, each image */
    double p_init;    /* part of the image that the first squares cover */
    int32_t rescale;  /* the schedule of sizes stretched from 10,000 to `queries` */
    const char *part; /* as which it is credited; NULL: not at all */
};

bioft_status square_prepare(const struct square *a, const bioft_host *host, const bioft_victim *v);
bioft_status square_run(const struct square *a, struct left *l, double epsilon);

#endif
