/* SHA-256, by libcrypto. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/error.h"
#include <stddef.h>

enum { SHA256_HEX = 65 }; /* lower-case hex with its NUL */

struct sha256;                     /* a sum being taken */
struct sha256 *sha256_begin(void); /* NULL: out of memory */
void sha256_add(struct sha256 *s, const void *bytes, size_t size);
/* The sum of what was added so far; more can be added. "": out of memory. */
void sha256_peek(const struct sha256 *s, char ret[SHA256_HEX]);
/* Frees s; NULL is fine and gives "". */
void sha256_end(struct sha256 *s, char ret[SHA256_HEX]);

/* "" where memory is out. */
void sha256_bytes(const void *bytes, size_t size, char ret[SHA256_HEX]);
bioft_status sha256_file(const char *path, char ret[SHA256_HEX], struct error *err);

#endif
