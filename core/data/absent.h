/* Classes that a split has no sample of. */
#ifndef DATA_ABSENT_H
#define DATA_ABSENT_H

#include "data/private.h"

/* Notes them, of splits with samples, and labels that begin at 1. Before samples are limited. */
bioft_status note_absent_classes(struct dataset *d, const struct log *log, struct error *err);

#endif
