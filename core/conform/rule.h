/* The parts of the tests for rules. Only for rule*.c. */
#ifndef CONFORM_RULE_H
#define CONFORM_RULE_H

#include "conform/private.h"

bool rule_attach(struct subject *s);
/* One array a layer of conform_layer; drawn: weights. */
void rule_room(struct conform *c, bool drawn, float **ret);
bool rule_updates(struct subject *s, float *const *w, uint64_t first, uint64_t updates, float *const *ret);

void test_local(struct conform *c);
void test_network(struct conform *c);
void test_step(struct conform *c);

#endif
