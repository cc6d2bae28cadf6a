/* The characters of a manifest, before anything reads them. */
#ifndef MANIFEST_YAML_CHECK_H
#define MANIFEST_YAML_CHECK_H

#include "manifest/diagnose.h"

/* UTF-8 without NUL, tabs, control characters and exotic line ends, at most YAML_BYTES: the first fault is reported,
 * at its place. start: where `offset` lies. */
bioft_status yaml_check(const struct source *source, size_t offset, struct mark start, struct diagnostics *d);

#endif
