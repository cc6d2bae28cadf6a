/* gzip (RFC 1952), by zlib: bounded, several members, nothing after them but zeros. */
#ifndef FORMATS_GZIP_H
#define FORMATS_GZIP_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

bool gzip_is(const uint8_t *bytes, size_t size); /* by the magic bytes */
/* Unpacks at most `max` bytes (more is an error); *ret (free()) has a NUL after its end. */
bioft_status gzip_unpack(const char *name, const uint8_t *bytes, size_t size, uint64_t max, uint8_t **ret,
                         size_t *ret_size, struct error *err);
const char *gzip_library_version(void); /* zlib's, as it runs */

#endif
