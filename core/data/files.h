/* The host extension "bioft.files/1" (bioft_files): what dataset plugins read with, kept inside the
 * dataset's root. */
#ifndef DATA_FILES_H
#define DATA_FILES_H

#include "base/sha256.h"
#include "plugin/instance.h"

/* One dataset's: its root, and everything its plugin has read, which lives until files_destroy. */
struct files;
/* root: absolute, or NULL; protocol: NULL where the manifest names none. Both are copied. */
bioft_status files_create(const char *root, const char *protocol, uint64_t split_seed, struct files **ret,
                          struct error *err);
void files_destroy(struct files *f); /* after the instance; NULL is fine */
/* `status`, or where a file that is mapped was cut BIOFT_ERR_IO with its name. */
bioft_status files_check(const struct files *f, bioft_status status, struct error *err);
/* For instance_params.extensions. */
struct extension files_extension(struct files *f);
/* Adds the contents of every file read, mapped or parsed so far, in the order of the calls, to a
 * sum. */
void files_digest(const struct files *f, struct sha256 *sum);

#endif
