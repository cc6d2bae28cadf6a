/* What the tests of engines share. */
#ifndef CONFORM_ENGINE_H
#define CONFORM_ENGINE_H

#include "conform/private.h"

/* Does the engine under test run on this machine? A skip otherwise. told: an answer without a reason is a finding. */
bool engine_runs_here(struct conform *c, bool told);
void test_operators(struct conform *c);

#endif
