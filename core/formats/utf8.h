/* UTF-8 (RFC 3629): shortest forms only, no surrogates, nothing above U+10FFFF. */
#ifndef FORMATS_UTF8_H
#define FORMATS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the character at the start of s, 1 to 4; 0 where there is no valid one. */
size_t utf8_character(const uint8_t *s, size_t size);
/* How many bytes of s are valid from its start: `size` where all are. */
size_t utf8_valid(const uint8_t *s, size_t size);

#endif
