/* `split`: parts of the training split that become splits of their own. */
#ifndef DATA_PARTS_H
#define DATA_PARTS_H

#include "data/private.h"

/* As the manifest says; room for MAX_SPLITS in d->splits. Of each class the same share, drawn by split_seed (stream
 * "split"): where a class has too few, classes in turn make up for it, so that the whole part has its share. */
bioft_status make_parts(struct dataset *d, struct error *err);

#endif
