/* Networks that an engine has to run as their definitions read. */
#ifndef TEST_ENGINE_TRIALS_H
#define TEST_ENGINE_TRIALS_H

#include "net.h"

struct net_case {
    const char *name;
    uint32_t channels, height, width;
    struct op ops[16];
};
/* Training, with frozen batchnorm too, evaluation and attacks of each; how many of these tests failed. */
int trials_run(const struct net_case *cases, size_t count);

#endif
