/* UTF-8, a character at a time. */
#ifndef MANIFEST_UTF8_H
#define MANIFEST_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at s, its code point in *ret; 0 where there is no valid one (RFC 3629). s < end. */
size_t utf8_next(const char *s, const char *end, uint32_t *ret);
/* Characters; a byte that belongs to none counts as one. */
size_t utf8_count(const char *s, size_t length);

#endif
