/* Files that a backbone reads, an ONNX file for one: what they hold determines the network as its options do. */
#ifndef RUN_BACKBONE_FILES_H
#define RUN_BACKBONE_FILES_H

#include "run/trial.h"

/* The next option of the trial's backbone, from *at on, that names a file (PATH, and no folder): its name, and its
 * path into *ret_path; NULL after the last. Moves *at behind it; begins with 0. */
const char *backbone_file_next(const struct trial *t, uint32_t *at, const char **ret_path);

#endif
