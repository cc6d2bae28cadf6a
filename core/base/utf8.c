/* UTF-8 (RFC 3629), checked byte by byte after the table of its section 4. */
#include "base/utf8.h"

static bool within(uint8_t c, uint8_t low, uint8_t high) { return c >= low && c <= high; }

size_t utf8_character(const uint8_t *s, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t first = s[0];
    if (first < 0x80)
        return 1;
    size_t length = within(first, 0xc2, 0xdf) ? 2 : within(first, 0xe0, 0xef) ? 3 : within(first, 0xf0, 0xf4) ? 4 : 0;
    if (length == 0 || size < length)
        return 0;
    /* The second byte keeps out overlong forms, surrogates, and what lies beyond U+10FFFF. */
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (!within(s[1], low, high))
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!within(s[i], 0x80, 0xbf))
            return 0;
    return length;
}

size_t utf8_valid(const uint8_t *s, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t length = utf8_character(s + at, size - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

size_t utf8_next(const char *s, const char *end, uint32_t *ret)
{
    const uint8_t *p = (const uint8_t *)s;
    const size_t length = utf8_character(p, (size_t)(end - s));
    if (length == 0)
        return 0;
    uint32_t c = length == 1 ? p[0] : p[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        c = c << 6 | (p[i] & 0x3fu);
    *ret = c;
    return length;
}

size_t utf8_count(const char *s, size_t length)
{
    size_t count = 0;
    for (size_t at = 0; at < length; count++) {
        const size_t n = utf8_character((const uint8_t *)s + at, length - at);
        at += n ? n : 1;
    }
    return count;
}
