/* Weights from one file format into another. */
#ifndef CLI_WEIGHTS_CONVERT_H
#define CLI_WEIGHTS_CONVERT_H

#include "formats/weights.h"

/* By the ending of `to`, .safetensors or .pth (.pt): BIOFT_ERR_INVALID for another. Tensors keep
 * their dtypes; of a checkpoint only the network is taken. *ret_written: its tensors. */
bioft_status weights_convert(const struct weights *w, const char *from, const char *to, size_t *ret_written,
                             struct error *err);
/* Is it an ending that weights_convert knows? */
bool weights_can_write(const char *path);

#endif
