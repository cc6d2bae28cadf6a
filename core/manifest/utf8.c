/* UTF-8, a character at a time (RFC 3629): no overlong forms, no surrogates. */
#include "manifest/utf8.h"

size_t utf8_next(const char *s, const char *end, uint32_t *ret)
{
    static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *p = (const unsigned char *)s;
    size_t length = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    uint32_t c;

    if (length == 0 || (size_t)(end - s) < length)
        return 0;
    c = length == 1 ? p[0] : p[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return length;
}

size_t utf8_count(const char *s, size_t length)
{
    const char *end = s + length;
    size_t count = 0;
    uint32_t c;

    for (; s < end; count++) {
        size_t n = utf8_next(s, end, &c);
        s += n ? n : 1;
    }
    return count;
}
