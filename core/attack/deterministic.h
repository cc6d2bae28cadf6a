/* Does an attack draw random numbers at all? Asked before anything is trained. */
#ifndef ATTACK_DETERMINISTIC_H
#define ATTACK_DETERMINISTIC_H

#include "manifest/experiment.h"

/* BIOFT_ERR_INVALID: the entry wants restarts of an attack that runs without a random number on a toy network, which no
 * step of its fools; BIOFT_OK where it draws some, has one restart, or cannot be run there. */
bioft_status attack_check_restarts(const struct attack_spec *s, struct error *err);

#endif
