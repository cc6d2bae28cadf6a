/* Whether an attack can be run, from its options and its data alone. */
#ifndef RUN_ATTACK_FITS_H
#define RUN_ATTACK_FITS_H

#include "data/dataset.h"
#include "manifest/experiment.h"

/* Can this attack be run on its split? What is wrong is known before anything is trained. */
bioft_status attack_fits(const struct attack_spec *s, const struct dataset *d, struct error *err);

#endif
