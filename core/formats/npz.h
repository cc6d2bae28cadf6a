/* NumPy's .npz: a zip archive with a .npy file for each array, as numpy.savez and savez_compressed write it. */
#ifndef FORMATS_NPZ_H
#define FORMATS_NPZ_H

#include "formats/npy.h"

/* The arrays of these names ("train_images", of the entry train_images.npy); of one that is not there the data is NULL.
 * name: for messages. Each is copied: npy_free. */
bioft_status npz_parse(const char *name, const uint8_t *bytes, size_t size, const char *const *names, size_t count,
                       struct npy *ret, struct error *err);

#endif
