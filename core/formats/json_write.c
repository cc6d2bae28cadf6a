/* JSON (RFC 8259) written into a text: one line, no blanks, commas where the text so far asks for
 * them. */
#include "formats/json.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Before a value or a key: a comma, unless a container has just begun, a key stands there, or the
 * line is new. */
static void separate(struct text *t)
{
    if (t->length > 0 && !strchr("{[:,\n ", t->data[t->length - 1]))
        text_add(t, ",");
}

/* As it is? Quotes, backslashes and what a terminal acts on are not. */
static bool is_plain(const char *s, size_t length)
{
    size_t hidden;

    return (uint8_t)*s >= 0x20 && *s != '"' && *s != '\\' && text_visible(s, length, &hidden) == length;
}

static void quoted(struct text *t, const char *value)
{
    const uint8_t *s = (const uint8_t *)value;
    size_t size = strlen(value), plain = 0; /* plain: where what is not written yet begins */
    text_add(t, "\"");
    for (size_t at = 0; at < size;) {
        size_t length = utf8_character(s + at, size - at);
        if (length > 0 && is_plain(value + at, length)) {
            at += length;
            continue;
        }
        uint32_t code = 0;
        text_add_n(t, value + plain, at - plain);
        utf8_next(value + at, value + size, &code);
        if (length == 0)
            text_add(t, "\xef\xbf\xbd"); /* U+FFFD for a byte that is no UTF-8 */
        else if (s[at] == '\n')
            text_add(t, "\\n");
        else if (s[at] == '\t')
            text_add(t, "\\t");
        else if (s[at] == '"' || s[at] == '\\')
            text_printf(t, "\\%c", s[at]);
        else
            text_printf(t, "\\u%04x", (unsigned)code); /* none is beyond U+FFFF */
        at += length ? length : 1;
        plain = at;
    }
    text_add_n(t, value + plain, size - plain);
    text_add(t, "\"");
}

void json_begin_object(struct text *t)
{
    separate(t);
    text_add(t, "{");
}

void json_end_object(struct text *t) { text_add(t, "}"); }

void json_begin_array(struct text *t)
{
    separate(t);
    text_add(t, "[");
}

void json_end_array(struct text *t) { text_add(t, "]"); }

void json_key(struct text *t, const char *key)
{
    separate(t);
    quoted(t, key);
    text_add(t, ":");
}

void json_string(struct text *t, const char *value)
{
    separate(t);
    if (value)
        quoted(t, value);
    else
        text_add(t, "null");
}

void json_number(struct text *t, double value)
{
    char number[TEXT_NUMBER];
    separate(t);
    text_add(t, isfinite(value) ? text_number(number, value) : "null");
}

void json_integer(struct text *t, int64_t value)
{
    separate(t);
    text_printf(t, "%" PRId64, value);
}

void json_bool(struct text *t, bool value)
{
    separate(t);
    text_add(t, value ? "true" : "false");
}
