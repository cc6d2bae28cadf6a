/* Trees of YAML as text: one way to write each, which any YAML parser reads back. */
#include "manifest/tree.h"

#include "base/utf8.h"

#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./"

/* May it stand without quotes, in brackets too, and mean no null to any parser? */
static bool is_plain(const struct yaml *scalar)
{
    const char *s = scalar->text;

    if (scalar->quoted || yaml_is_null(scalar) || strstr(s, "..."))
        return false;
    if (*s == '-' || *s == '+') /* a number's sign, no list item and no "---" */
        return strspn(s + 1, "0123456789.eE+-") == strlen(s + 1) && s[1] && strchr("0123456789.", s[1]);
    return strchr(LETTERS, *s) && strspn(s, LETTERS "+-*=@%~^()") == strlen(s);
}

/* Characters that a single-quoted text on one line cannot hold. */
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

static void write_escaped(const char *s, const char *end, struct text *ret)
{
    text_add(ret, "\"");
    while (s < end) {
        uint32_t c;
        size_t n = utf8_next(s, end, &c);
        if (n == 0) {
            n = 1;
            c = 0xfffd;
        }
        if (c == '"' || c == '\\')
            text_printf(ret, "\\%c", (char)c);
        else if (needs_escape(c) || c == 0xfffd)
            text_printf(ret, c > 0xffff ? "\\U%08X" : "\\u%04X", (unsigned)c);
        else
            text_add_n(ret, s, n);
        s += n;
    }
    text_add(ret, "\"");
}

static void write_scalar(const struct yaml *node, struct text *ret)
{
    const char *end = node->text + strlen(node->text);

    if (is_plain(node) || yaml_is_null(node)) {
        text_add(ret, *node->text ? node->text : "null");
        return;
    }
    for (const char *s = node->text; s < end;) {
        uint32_t c;
        size_t n = utf8_next(s, end, &c);
        if (n == 0 || needs_escape(c)) {
            write_escaped(node->text, end, ret);
            return;
        }
        s += n;
    }
    text_add(ret, "'");
    for (const char *s = node->text; s < end; s++) {
        text_add(ret, *s == '\'' ? "'" : "");
        text_add_n(ret, s, 1);
    }
    text_add(ret, "'");
}

void tree_write_line(const struct yaml *node, struct text *ret)
{
    if (node->type == YAML_SCALAR) {
        write_scalar(node, ret);
        return;
    }
    text_add(ret, node->type == YAML_LIST ? "[" : "{");
    for (size_t i = 0; i < node->count; i++) {
        text_add(ret, i > 0 ? ", " : "");
        if (node->type == YAML_MAP) {
            write_scalar(node->keys[i], ret);
            text_add(ret, ": ");
        }
        tree_write_line(node->items[i], ret);
    }
    text_add(ret, node->type == YAML_LIST ? "]" : "}");
}

/* Lists that hold a map, and maps, take lines of their own. */
static bool is_block(const struct yaml *node)
{
    if (node->type != YAML_LIST)
        return node->type == YAML_MAP && node->count > 0;
    for (size_t i = 0; i < node->count; i++)
        if (node->items[i]->type == YAML_MAP)
            return true;
    return false;
}

static void indent(size_t depth, struct text *ret)
{
    for (size_t i = 0; i < depth; i++)
        text_add(ret, "  ");
}

/* first: the indentation of the first line is there already, behind "- ". */
static void write_block(const struct yaml *node, size_t depth, bool first, struct text *ret)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml *item = node->items[i];
        if (!first || i > 0)
            indent(depth, ret);
        if (node->type == YAML_MAP)
            write_scalar(node->keys[i], ret);
        text_add(ret, node->type == YAML_MAP ? ":" : "-");
        if (node->type == YAML_MAP && is_block(item)) {
            text_add(ret, "\n");
            write_block(item, depth + 1, false, ret);
        } else if (node->type == YAML_LIST && item->type == YAML_MAP && item->count > 0) {
            text_add(ret, " ");
            write_block(item, depth + 1, true, ret);
        } else {
            text_add(ret, " ");
            tree_write_line(item, ret);
            text_add(ret, "\n");
        }
    }
}

void tree_write_item(const struct yaml *item, size_t depth, struct text *ret)
{
    struct yaml *items[] = { (struct yaml *)(uintptr_t)item };
    const struct yaml list = { .type = YAML_LIST, .items = items, .count = 1 };

    write_block(&list, depth, false, ret);
}

void tree_write(const struct yaml *node, struct text *ret)
{
    if (is_block(node)) {
        write_block(node, 0, false, ret);
    } else {
        tree_write_line(node, ret);
        text_add(ret, "\n");
    }
}
