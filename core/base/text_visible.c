/* Bytes that a terminal or an editor acts on where it should show them: controls (ECMA-48), and what Unicode has to
 * break lines and to turn the order of letters around (UAX 9). */
#include "base/text.h"

#include "base/utf8.h"

#include <string.h>

static bool is_within(uint32_t c, uint32_t low, uint32_t high) { return c >= low && c <= high; }

static bool acts(uint32_t c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || is_within(c, 0x7f, 0x9f) || c == 0x061c ||
           is_within(c, 0x200e, 0x200f) || is_within(c, 0x2028, 0x202e) || is_within(c, 0x2066, 0x2069) || c == 0xfeff;
}

size_t text_visible(const char *s, size_t length, size_t *ret_hidden)
{
    size_t at = 0;

    *ret_hidden = 0;
    while (at < length) {
        uint32_t c;
        const size_t n = utf8_next(s + at, s + length, &c);
        if (n == 0 || acts(c)) {
            *ret_hidden = n ? n : 1;
            break;
        }
        at += n;
    }
    return at;
}

void text_add_visible(struct text *t, const char *s, size_t length)
{
    while (length > 0) {
        size_t hidden;
        const size_t plain = text_visible(s, length, &hidden);

        text_add_n(t, s, plain);
        for (size_t i = 0; i < hidden; i++)
            text_printf(t, "\\x%02x", (unsigned)(unsigned char)s[plain + i]);
        s += plain + hidden;
        length -= plain + hidden;
    }
}
