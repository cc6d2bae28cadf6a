/* Auto-PGD: projected gradient steps with momentum, whose length is halved where the loss no longer rises (Croce and
 * Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML 2020,
 * algorithm 1; L1: "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers", ICML 2021, algorithm 1). */
#ifndef ATTACKS_APGD_H
#define ATTACKS_APGD_H

#include "left.h"

struct apgd {
    uint32_t norm;
    int32_t loss; /* LOSS_ of loss.h */
    int64_t iterations, restarts;
    int64_t targets;      /* dlr_targeted: the classes that come next after the first */
    double rho;           /* a window with fewer rising steps than this part is a plateau */
    int32_t larger_first; /* begin in balls of 3 and 2 epsilon */
    const char *part;     /* as which it is credited; NULL: not at all */
};

/* left_prepare's, and that of this attack. */
bioft_status apgd_prepare(const struct apgd *a, const bioft_host *host, const bioft_victim *v);
/* Attacks what is left; what it fools is dropped from it. */
bioft_status apgd_run(const struct apgd *a, struct left *l, double epsilon);

#endif
