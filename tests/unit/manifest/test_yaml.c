/* YAML as a tree: places, what is refused and where, and bounds on what a small file may ask for. */
#include "manifest/diagnose.h"
#include "manifest/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct parsed {
    struct arena *arena;
    struct source source;
    struct diagnostics d;
    struct yaml *root;
    bioft_status status;
};

static void parse_bytes(struct parsed *p, const char *bytes, size_t size)
{
    *p = (struct parsed){ .arena = arena_create(), .source = { "m.yaml", bytes, size } };
    p->d.source = &p->source;
    p->status = yaml_parse(&p->source, p->arena, &p->d, &p->root);
}

static void done(struct parsed *p)
{
    diagnostics_free(&p->d);
    arena_destroy(p->arena);
}

/* "a.b.1" from the root; no key here has a dot. */
static struct yaml *at(struct yaml *node, const char *path)
{
    char part[64];

    while (*path) {
        size_t n = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)n, path);
        path += n + (path[n] == '.');
        node = node->type == YAML_LIST ? node->items[atoi(part)] : yaml_get(node, part);
        assert_non_null(node);
    }
    return node;
}

static void places(void **state)
{
    static const struct {
        const char *yaml, *path;
        uint32_t line, column, width;
        const char *text;
    } cases[] = {
        { "a: b", "a", 1, 4, 1, "b" },
        { "a:\n  bb: [1, 22, 333]", "a.bb.2", 2, 15, 3, "333" },
        { "a:\n  - {x: 'it''s'}\n", "a.0.x", 2, 9, 7, "it's" },
        { "a: {\n  b: c }", "a.b", 2, 6, 1, "c" },
        { "\xc3\xa4\xe2\x82\xac: \xf0\x9f\x90\x9f, x", "\xc3\xa4\xe2\x82\xac", 1, 5, 4, "\xf0\x9f\x90\x9f, x" },
        { "a: 1\r\nb: 2\r\n", "b", 2, 4, 1, "2" },
        { "a: 1\rb: 2", "b", 2, 4, 1, "2" },
        { "\xef\xbb\xbf"
          "a: 1",
          "a", 1, 4, 1, "1" },
        { "a: &x [1, 2]\nb: {c: *x}\n", "b.c.1", 2, 8, 2, "2" },
        { "a: &x one\nb: &x two\nc: *x\n", "c", 3, 4, 2, "two" },
        { "a: |\n  text\n", "a", 1, 4, 1, "text\n" },
        { "? a\n: b\n", "a", 2, 3, 1, "b" },
        { "- - 1\n  - 2\n", "0.1", 2, 5, 1, "2" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p;
        parse_bytes(&p, cases[i].yaml, strlen(cases[i].yaml));
        if (p.status != BIOFT_OK || p.d.errors)
            fail_msg("%s: %s", cases[i].yaml, p.d.text.data);
        struct yaml *node = at(p.root, cases[i].path);
        assert_string_equal(node->text, cases[i].text);
        if (node->mark.line != cases[i].line || node->mark.column != cases[i].column || node->width != cases[i].width)
            fail_msg("%s: %u:%u, %u wide", cases[i].yaml, node->mark.line, node->mark.column, node->width);
        done(&p);
    }
}

static void quotes_and_nulls(void **state)
{
    static const struct {
        const char *yaml;
        bool quoted, null;
    } cases[] = {
        { "x", false, false },  { "'x'", true, false },  { "\"x\"", true, false },
        { "~", false, true },   { "null", false, true }, { "'null'", true, false },
        { "''", true, false },  { "nil", false, false }, { ">\n  null\n", true, false },
        { "[]", false, false }, { "", false, true },     { "# nothing\n", false, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p;
        parse_bytes(&p, cases[i].yaml, strlen(cases[i].yaml));
        assert_int_equal(p.status, BIOFT_OK);
        assert_int_equal(p.root->quoted, cases[i].quoted);
        assert_int_equal(yaml_is_null(p.root), cases[i].null);
        done(&p);
    }
}

/* What is wrong is said at its place; `goes_on` where the tree is there all the same. */
static void faults(void **state)
{
    static const struct {
        const char *yaml;
        size_t size; /* 0: to its NUL */
        bool goes_on;
        size_t errors;
        const char *first;
    } cases[] = {
        { "a: 1\nb: 2\na: 3\n", 0, true, 1, "m.yaml:3:1: error: key 'a' is given twice, on line 1 and on line 3\n" },
        { "a: 1\na: 2\na: 3\n", 0, true, 2, "m.yaml:2:1: error: key 'a' is given twice, on line 1 and on line 2\n" },
        { "x: {a: 1, 'a': 2}\n", 0, true, 1, "m.yaml:1:11: error: key 'a' is given twice" },
        { "a: &x {b: 1}\nc:\n  <<: *x\n", 0, true, 1, "m.yaml:3:3: error: merge keys (<<)" },
        { "a: &x [1, *x]\n", 0, true, 1, "m.yaml:1:11: error: alias '*x' is inside the node that '&x' names\n" },
        { "a: &x\n  b:\n    c: *x\n", 0, true, 1, "m.yaml:3:8: error: alias '*x' is inside" },
        { "a: *nothing\n", 0, true, 1, "m.yaml:1:4: error: no anchor '&nothing' precedes this alias\n" },
        { "a: *x\nb: &x 1\nc: *y\n", 0, true, 2, "m.yaml:1:4: error: no anchor '&x'" },
        { "a: !!python/object:os.system x\n", 0, true, 1, "m.yaml:1:4: error: tag 'tag:yaml.org,2002:python/" },
        { "a: !mine [1]\n", 0, true, 1, "m.yaml:1:4: error: tag '!mine': values have no tags here\n" },
        { "[1, 2]: x\n", 0, true, 1, "m.yaml:1:1: error: a key must be a word, not a list\n" },
        { "a: \"x\\0y\"\n", 0, true, 1, "m.yaml:1:4: error: NUL in a text\n" },
        { "a: 1\n---\nb: 2\n", 0, false, 1, "m.yaml:2:1: error: a second document" },
        { "a: 1\n\tb: 2\n", 0, false, 1, "m.yaml:2:1: error: tab: manifests are written with spaces\n" },
        { "a: 1 #\tx\tx\n", 0, false, 1, "m.yaml:1:7: error: tab" },
        { "a: 1\nb\0: 2\n", 11, false, 1, "m.yaml:2:2: error: NUL (U+0000) is not allowed in a manifest\n" },
        { "a: \xc3\xa4\xff\n", 0, false, 1, "m.yaml:1:5: error: byte 0xff is not valid UTF-8\n" },
        { "a: \xc0\xaf\n", 0, false, 1, "m.yaml:1:4: error: byte 0xc0 is not valid UTF-8\n" },
        { "a: \xed\xa0\x80\n", 0, false, 1, "m.yaml:1:4: error: byte 0xed is not valid UTF-8\n" },
        { "a: \xf4\x90\x80\x80\n", 0, false, 1, "m.yaml:1:4: error: byte 0xf4" },
        { "a: x\xe2\x82", 0, false, 1, "m.yaml:1:5: error: byte 0xe2" },
        { "a: \x1b[31m\n", 0, false, 1, "m.yaml:1:4: error: control character (U+001B)" },
        { "a: x\xe2\x80\xa8y\n", 0, false, 1, "m.yaml:1:5: error: line separator (U+2028)" },
        { "a: [1, 2\nb: 3\n", 0, false, 1, "m.yaml:2:2: error: " },
        { "a: 'x\n", 0, false, 1, "m.yaml:2:1: error: found unexpected end of stream\n" },
        { "a: b: c\n", 0, false, 1, "m.yaml:1:5: error: mapping values are not allowed" },
        { "a: 1\n  b: 2\n", 0, false, 1, "m.yaml:2:4: error: mapping values are not allowed" },
        { "a: @x\n", 0, false, 1, "m.yaml:1:4: error: found character that cannot start any token\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p;
        parse_bytes(&p, cases[i].yaml, cases[i].size ? cases[i].size : strlen(cases[i].yaml));
        const char *said = p.d.text.data ? p.d.text.data : "";
        if (strncmp(said, cases[i].first, strlen(cases[i].first)) != 0)
            fail_msg("%s\ngave  %swanted %s", cases[i].yaml, said, cases[i].first);
        assert_int_equal(p.d.errors, cases[i].errors);
        assert_int_equal(p.status, cases[i].goes_on ? BIOFT_OK : BIOFT_ERR_INVALID);
        done(&p);
    }
}

static void first_of_two_keys_stays(void **state)
{
    struct parsed p;

    (void)state;
    parse_bytes(&p, "a: 1\nb: 2\na: 3\nc: 4\n", 20);
    assert_int_equal(p.root->count, 3);
    assert_string_equal(at(p.root, "a")->text, "1");
    assert_string_equal(at(p.root, "c")->text, "4");
    done(&p);
}

static void *repeat(const char *s, size_t times, const char *end, size_t *ret_size)
{
    size_t n = strlen(s), m = strlen(end);
    char *bytes = malloc(n * times + m + 1);

    assert_non_null(bytes);
    for (size_t i = 0; i < times; i++)
        memcpy(bytes + i * n, s, n);
    memcpy(bytes + n * times, end, m + 1);
    *ret_size = n * times + m;
    return bytes;
}

static void depth(void **state)
{
    static const struct {
        const char *open, *end;
        size_t times;
        bool good;
    } cases[] = {
        { "[", "", 200000, false }, { "{a: ", "", 100000, false }, { "- ", "x", 200000, false },
        { "[", "", 65, false },     { "- ", "x", 64, true },       { "- ", "x", 65, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p;
        size_t size;
        char *bytes = repeat(cases[i].open, cases[i].times, cases[i].end, &size);
        parse_bytes(&p, bytes, size);
        assert_int_equal(p.status, cases[i].good ? BIOFT_OK : BIOFT_ERR_INVALID);
        if (!cases[i].good)
            assert_non_null(strstr(p.d.text.data, "nested deeper than 64"));
        done(&p);
        free(bytes);
    }
}

/* Ten aliases of ten aliases ...: 10^9 values by a text of 400 bytes. */
static void laughs(void **state)
{
    char yaml[2048] = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    struct parsed p;

    (void)state;
    for (char c = 'b'; c <= 'i'; c++) {
        char line[128];
        snprintf(line, sizeof line, "%c: &%c [", c, c);
        for (int i = 0; i < 10; i++)
            snprintf(line + strlen(line), sizeof line - strlen(line), "%s*%c", i ? ", " : "", c - 1);
        strcat(yaml, line);
        strcat(yaml, "]\n");
    }
    parse_bytes(&p, yaml, strlen(yaml));
    assert_int_equal(p.status, BIOFT_ERR_INVALID);
    assert_non_null(strstr(p.d.text.data, "error: more than 200000 values"));
    done(&p);
}

/* An alias may not go deeper than brackets may. */
static void alias_depth(void **state)
{
    char yaml[8192] = "a: &a [";
    struct parsed p;

    (void)state;
    for (int i = 1; i < 40; i++)
        strcat(yaml, "[");
    for (int i = 0; i < 40; i++)
        strcat(yaml, "]");
    strcat(yaml, "\nb: ");
    for (int i = 0; i < 40; i++)
        strcat(yaml, "[");
    strcat(yaml, "*a");
    for (int i = 0; i < 40; i++)
        strcat(yaml, "]");
    parse_bytes(&p, yaml, strlen(yaml));
    assert_int_equal(p.status, BIOFT_ERR_INVALID);
    assert_non_null(strstr(p.d.text.data, "m.yaml:2:44: error: nested deeper than 64"));
    done(&p);
}

static void size(void **state)
{
    struct parsed p;
    size_t bytes;
    char *text = repeat("# x\n", (1 << 20) / 4, "", &bytes);

    (void)state;
    parse_bytes(&p, text, bytes);
    assert_int_equal(p.status, BIOFT_OK);
    done(&p);
    free(text);
    text = repeat("# x\n", (1 << 20) / 4, " ", &bytes);
    parse_bytes(&p, text, bytes);
    assert_int_equal(p.status, BIOFT_ERR_INVALID);
    assert_string_equal(p.d.text.data, "m.yaml: error: 1048577 bytes; a manifest has at most 1048576\n");
    done(&p);
    free(text);
}

/* Many keys and many anchors take no time that grows with their square. */
static void many(void **state)
{
    struct text keys = { 0 }, anchors = { 0 };
    struct parsed p;

    (void)state;
    for (int i = 0; i < 90000; i++)
        text_printf(&keys, "k%d: 1\n", i);
    parse_bytes(&p, keys.data, keys.length);
    assert_int_equal(p.status, BIOFT_OK);
    assert_int_equal(p.root->count, 90000);
    done(&p);
    for (int i = 0; i < 1001; i++)
        text_printf(&anchors, "- &a%d x\n", i);
    parse_bytes(&p, anchors.data, anchors.length);
    assert_int_equal(p.status, BIOFT_ERR_INVALID);
    assert_non_null(strstr(p.d.text.data, "m.yaml:1001:3: error: more than 1000 anchors"));
    done(&p);
    text_free(&keys);
    text_free(&anchors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),      cmocka_unit_test(quotes_and_nulls),
        cmocka_unit_test(faults),      cmocka_unit_test(first_of_two_keys_stays),
        cmocka_unit_test(depth),       cmocka_unit_test(laughs),
        cmocka_unit_test(alias_depth), cmocka_unit_test(size),
        cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
