/* The writer of .pth with a lower limit for zip64: its records can be tested in small files. */
#ifndef FORMATS_TORCH_WRITE_H
#define FORMATS_TORCH_WRITE_H

#include "formats/torch.h"

/* As torch_begin; sizes and places from wide_from on are written as zip64's (at most 2^32 - 1). */
bioft_status torch_begin_wide(const char *path, const struct tensor_out *tensors, size_t count, uint64_t wide_from,
                              struct torch_writer **ret, struct error *err);

#endif
