/* FAB: steps onto the linearised boundary and, for a part, back towards the clean image, so that the adversarial image
 * comes as near as it can (Croce and Hein, "Minimally distorted adversarial examples with a fast adaptive boundary
 * attack", ICML 2020, algorithm 1). */
#ifndef ATTACKS_FAB_H
#define ATTACKS_FAB_H

#include "left.h"

struct fab {
    uint32_t norm;
    int64_t iterations;
    int64_t targets;             /* the boundaries to the classes that come next; 0: to all at once */
    double alpha_max, eta, beta; /* equations 7, 9 and 10: bias, overshoot, step back */
    int32_t random_start;        /* within the distance below, half of it */
    double start;
    const char *part; /* as which it is credited; NULL: not at all */
};

bioft_status fab_prepare(const struct fab *a, const bioft_host *host, const bioft_victim *v);
/* epsilon finite: an image is done, and dropped, where it is fooled inside that ball; INFINITY: to the nearest, `result`
 * is that. */
bioft_status fab_run(const struct fab *a, struct left *l, double epsilon);

#endif
