/* Weights in a file of any format that bioft reads, told by what is in it and not by its name: one
 * list of tensors from safetensors and PyTorch's .pth, and for anything else what it is instead. */
#ifndef FORMATS_WEIGHTS_H
#define FORMATS_WEIGHTS_H

#include "formats/safetensors.h"
#include "formats/torch.h"

enum weights_format { WEIGHTS_SAFETENSORS = 1, WEIGHTS_TORCH_ZIP, WEIGHTS_TORCH_LEGACY };

struct weights {
    enum weights_format format;
    const struct tensor_entry *tensors; /* in the file's order; see weights_open */
    size_t count;
    const char *note;                      /* what was looked through; NULL: nothing */
    const struct safetensors *safetensors; /* for its metadata; NULL in a .pth */
    struct weights_private *private;
};
/* Maps the file; the tensors' bytes are the map's. A nested state dict and prefixes that all names
 * share are looked through. BIOFT_ERR_FORMAT and _UNSUPPORTED say what it is, and what helps. */
bioft_status weights_open(const char *path, const struct torch_params *params, struct weights **ret, struct error *err);
/* The same on bytes, which must outlive it. */
bioft_status weights_parse(const char *name, const uint8_t *bytes, size_t size, const struct torch_params *params,
                           struct weights **ret, struct error *err);
/* `status`, or where the file was cut while it was open BIOFT_ERR_IO: what was read of it counts for nothing. */
bioft_status weights_check(const struct weights *w, bioft_status status, struct error *err);
void weights_close(struct weights *w); /* NULL is fine */
const struct tensor_entry *weights_find(const struct weights *w, const char *name);
const char *weights_format_name(enum weights_format format); /* "PyTorch (zip)" */

/* What a file that holds no weights seems to be, with the remedy; NULL: nothing that is known. ret:
 * of `size` bytes. */
const char *weights_impostor(const uint8_t *bytes, size_t count, char *ret, size_t size);

/* The published files that are known, by name and SHA-256. */
struct weights_known {
    const char *file;   /* torchvision's name */
    const char *sha256; /* or its beginning: 8 digits */
    uint64_t size;      /* 0: not known */
    const char *what;   /* trained on, by whom */
};
const struct weights_known *weights_by_sum(const char *sha256); /* NULL: none */
/* By the path's last part. */
const struct weights_known *weights_by_name(const char *path);

#endif
