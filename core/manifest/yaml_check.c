/* The characters of a manifest: what may not stand in one is refused with its place before YAML is looked at. */
#include "manifest/yaml_check.h"

#include "base/utf8.h"

#include <string.h>

/* Why this character is refused; NULL: it is not. */
static const char *fault(uint32_t c)
{
    if (c == 0)
        return "NUL";
    if (c == '\t')
        return "tab";
    if (c == 0x85 || c == 0x2028 || c == 0x2029)
        return "line separator";
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
        return "control character";
    if (c == 0xfeff)
        return "byte order mark";
    if ((c & 0xfffe) == 0xfffe)
        return "noncharacter";
    return NULL;
}

static size_t count_tabs(const char *s, const char *end)
{
    size_t count = 0;

    while (s < end && (s = memchr(s, '\t', (size_t)(end - s)))) {
        count++;
        s++;
    }
    return count;
}

static bioft_status refuse(struct diagnostics *d, struct mark mark, uint32_t c, const char *s, const char *end)
{
    if (c == '\t') {
        size_t tabs = count_tabs(s, end);
        diagnose_error(d, mark, 0, "tab: manifests are written with spaces");
        if (tabs > 1)
            diagnose_note(d, "%zu more tab%s in the file", tabs - 1, tabs > 2 ? "s" : "");
    } else {
        diagnose_error(d, mark, 0, "%s (U+%04X) is not allowed in a manifest", fault(c), (unsigned)c);
    }
    return BIOFT_ERR_INVALID;
}

bioft_status yaml_check(const struct source *source, size_t offset, struct mark start, struct diagnostics *d)
{
    const char *s = source->bytes + offset, *end = source->bytes + source->size;
    struct mark mark = start;

    if (source->size > YAML_BYTES) {
        diagnose_error(d, (struct mark){ .source = start.source }, 0, "%zu bytes; a manifest has at most %d",
                       source->size, (int)YAML_BYTES);
        return BIOFT_ERR_INVALID;
    }
    while (s < end) {
        uint32_t c;
        size_t n = utf8_next(s, end, &c);
        if (n == 0) {
            diagnose_error(d, mark, 0, "byte 0x%02x is not valid UTF-8", (unsigned)(unsigned char)*s);
            return BIOFT_ERR_INVALID;
        }
        if (c == '\n' || c == '\r') {
            n += c == '\r' && s + 1 < end && s[1] == '\n';
            mark.line++;
            mark.column = 1;
        } else if (fault(c)) {
            return refuse(d, mark, c, s, end);
        } else {
            mark.column++;
        }
        s += n;
    }
    return BIOFT_OK;
}
