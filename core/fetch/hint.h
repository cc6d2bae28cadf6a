/* How to get data and weights that are not there. */
#ifndef FETCH_HINT_H
#define FETCH_HINT_H

#include "plugin/registry.h"

/* "'bioft fetch cifar10 --to ROOT' fetches it", where a table beside the plugins has the dataset and not all of it is in root
 * (NULL: no root is given). Freed with free(); NULL: there is nothing to say. */
char *hint_data(const struct registry *r, const char *dataset, const char *root);
/* The same for a file of weights that is not there, by its name. */
char *hint_weights(const struct registry *r, const char *path);

#endif
