/* A dataset's root: names become absolute paths below it. A name that the data gives leads out of it
 * by no ".."; links are the user's own and are followed wherever they lead, but by the names of a list file. */
#ifndef DATA_ROOT_H
#define DATA_ROOT_H

#include "base/error.h"
#include <stdbool.h>

struct root {
    char *path; /* absolute, or NULL where none was given */
    char *real; /* the same without links, or NULL where it is not there */
};
bioft_status root_init(struct root *r, const char *path, struct error *err);
void root_finish(struct root *r); /* zero is fine */

/* The absolute path of a name, which is relative to the root and without a component "..", or
 * absolute. *ret: free(). Nothing is opened. */
bioft_status root_path(const struct root *r, const char *name, char **ret, struct error *err);
/* 1: a regular file, 2: a folder, 0: neither. */
int root_kind(const struct root *r, const char *name);
/* Does a name that the data gives, below `folder`, stay below the root or that folder when links are
 * resolved? folder: what the user or the plugin names, "" for the root; it may be a link itself. What
 * is not there stays. */
bool root_holds(const struct root *r, const char *folder, const char *name);
/* A file open for reading. full: from root_path. Never waits, whatever kind of file it is. */
bioft_status root_open(const char *full, int *ret, struct error *err);

#endif
