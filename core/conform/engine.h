/* What the tests of engines share. */
#ifndef CONFORM_ENGINE_H
#define CONFORM_ENGINE_H

#include "conform/private.h"

/* Does the engine under test run on this machine? A skip otherwise. told: an answer without a reason is a finding. */
bool engine_runs_here(struct conform *c, bool told);
void test_operators(struct conform *c);
void test_more_operators(struct conform *c);
/* The best other engine that is found; NULL: a skip says why. */
const struct plugin *operators_other(struct conform *c);
/* A step of the backbone on the engine under test beside the other's. */
void operators_beside(struct conform *c, const struct plugin *other, const struct plugin *backbone);

#endif
