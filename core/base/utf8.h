/* UTF-8 (RFC 3629): shortest forms only, no surrogates, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the character at the start of s, 1 to 4; 0 where there is no valid one. */
size_t utf8_character(const uint8_t *s, size_t size);
/* How many bytes of s are valid from its start: `size` where all are. */
size_t utf8_valid(const uint8_t *s, size_t size);
/* Bytes of the character at s, its code point in *ret; 0 where there is no valid one. s < end. */
size_t utf8_next(const char *s, const char *end, uint32_t *ret);
/* Characters; a byte that belongs to none counts as one. */
size_t utf8_count(const char *s, size_t length);

#endif
