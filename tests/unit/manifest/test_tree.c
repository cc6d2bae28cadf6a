/* Trees as text: what is written reads back equal, and looks as a person would write it. */
#include "manifest/diagnose.h"
#include "manifest/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct mark nowhere = { 0 };

static struct yaml *parse(struct arena *arena, const char *text)
{
    struct source source = { "m.yaml", text, strlen(text) };
    struct diagnostics d = { .source = &source };
    struct yaml *root = NULL;

    if (yaml_parse(&source, arena, &d, &root) != BIOFT_OK || d.errors)
        fail_msg("%s\n%s", text, d.text.data);
    diagnostics_free(&d);
    return root;
}

static struct yaml *scalar(struct arena *arena, const char *text)
{
    struct yaml *node = tree_scalar(arena, text, nowhere, 0);

    assert_non_null(node);
    return node;
}

/* Any text survives, alone, as a key and in brackets, and the scalar's meaning with it. */
static void texts(void **state)
{
    static const char *const cases[] = {
        "",
        "x",
        "null",
        "~",
        "true",
        "1e-5",
        "-1",
        "-",
        "--",
        "---",
        "...",
        "- x",
        "a: b",
        "a #b",
        "#",
        "'",
        "''",
        "it's",
        "\"",
        "\\",
        "a\\n",
        "*",
        "&a",
        "!t",
        "%x",
        "@",
        "`",
        "[",
        "]",
        "{",
        "}",
        ",",
        "a,b",
        "?",
        "? x",
        ":",
        "a:",
        ":a",
        "<<",
        "=",
        "|",
        ">",
        " lead",
        "trail ",
        "\n",
        "a\nb",
        "\t",
        "a\tb",
        "\x1b[0m",
        "\x7f",
        "\xc2\x85",
        "\xe2\x80\xa8",
        "\xef\xbb\xbf",
        "\xc3\xa4",
        "\xf0\x9f\x90\x9f",
        "/abs/path",
        "../up",
        ".",
        "..",
        "a/./b",
        "classifier.*",
        "conv1",
        "8/255",
        ".5",
        "+.5",
        "+x",
        "0x10",
        "1_000",
        "12:30:45",
        "no",
        "off",
        "2001-01-01",
        "a...b",
        "\xef\xbf\xbf",
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int quoted = 0; quoted < 2; quoted++) {
            struct yaml *map = tree_node(arena, YAML_MAP, nowhere, 0);
            struct yaml *list = tree_node(arena, YAML_LIST, nowhere, 0);
            struct yaml *node = scalar(arena, cases[i]), *key = scalar(arena, cases[i]);
            struct text text = { 0 }, line = { 0 };
            node->quoted = key->quoted = quoted;
            assert_true(tree_append(arena, list, node) && tree_append(arena, list, scalar(arena, "end")));
            assert_true(tree_put(arena, map, key, list) && tree_put(arena, map, scalar(arena, "other key"), node));
            tree_write(map, &text);
            tree_write_line(map, &line);
            for (int k = 0; k < 2; k++) {
                const char *written = k ? line.data : text.data;
                struct yaml *back = parse(arena, written), *value = back->items[1];
                const bool null = yaml_is_null(node);
                if (back->count != 2 || (!null && strcmp(back->keys[0]->text, cases[i]) != 0) ||
                    yaml_is_null(value) != null || (!null && strcmp(value->text, cases[i]) != 0) ||
                    (quoted && !value->quoted))
                    fail_msg("'%s' became\n%s", cases[i], written);
                assert_int_equal(back->items[0]->count, 2);
            }
            text_free(&text);
            text_free(&line);
        }
    }
    arena_destroy(arena);
}

/* Numbers, words and paths of manifests need no quotes. */
static void plain(void **state)
{
    static const char *const cases[] = {
        "1",         "-1",           "1e-5",     "1e-08",           "-1.5e+10",     "0.03137254901960784", "true",
        "adam",      "conv1.weight", "layer1.*", "../data/cifar10", "/usr/share/x", "runs/a-b_c",          "8/255",
        "fine-tune", "a+b",          "x=y",      "random_crop",
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = { 0 };
        tree_write_line(scalar(arena, cases[i]), &text);
        assert_string_equal(text.data, cases[i]);
        text_free(&text);
    }
    arena_destroy(arena);
}

static void layout(void **state)
{
    static const char text[] = "a: 1\n"
                               "b: [1, x, [2, 3]]\n"
                               "c: []\n"
                               "d: {}\n"
                               "e:\n"
                               "  f:\n"
                               "    g: 'two words'\n"
                               "  h: null\n"
                               "i:\n"
                               "  - j: 1\n"
                               "    k:\n"
                               "      l: 2\n"
                               "  - word\n"
                               "  - [a, b]\n"
                               "  - {}\n";
    struct arena *arena = arena_create();
    struct yaml *root = parse(arena, text);
    struct text block = { 0 }, line = { 0 };

    (void)state;
    tree_write(root, &block);
    assert_string_equal(block.data, text);
    tree_write_line(root, &line);
    assert_string_equal(line.data, "{a: 1, b: [1, x, [2, 3]], c: [], d: {}, e: {f: {g: 'two words'}, h: null}, "
                                   "i: [{j: 1, k: {l: 2}}, word, [a, b], {}]}");
    assert_true(tree_equal(root, parse(arena, line.data)));
    text_free(&block);
    text_free(&line);
    arena_destroy(arena);
}

static void put_and_remove(void **state)
{
    struct arena *arena = arena_create();
    struct yaml *map = parse(arena, "{a: 1, b: 2, c: 3}");
    struct text text = { 0 };
    char key[16];

    (void)state;
    assert_true(tree_put(arena, map, scalar(arena, "b"), scalar(arena, "9")));
    tree_remove(map, 0);
    tree_write_line(map, &text);
    assert_string_equal(text.data, "{b: 9, c: 3}");
    text_free(&text);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_true(tree_put(arena, map, scalar(arena, key), scalar(arena, key)));
    }
    assert_int_equal(map->count, 102);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_string_equal(yaml_get(map, key)->text, key);
    }
    assert_null(yaml_get(map, "a"));
    arena_destroy(arena);
}

static void equality(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        { "[1, 2]", "- 1\n- 2\n", true },
        { "1", "'1'", false },
        { "{a: 1}", "a: 1", true },
        { "{a: 1}", "{b: 1}", false },
        { "[1, 2]", "[1]", false },
        { "{a: 1, b: 2}", "{b: 2, a: 1}", false },
        { "x", "[x]", false },
        { "x", "x", true },
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (tree_equal(parse(arena, cases[i].a), parse(arena, cases[i].b)) != cases[i].equal)
            fail_msg("%s, %s", cases[i].a, cases[i].b);
    arena_destroy(arena);
}

/* A copy shares nothing with what it is of. */
static void copies(void **state)
{
    struct arena *arena = arena_create(), *other = arena_create();
    struct yaml *root = parse(other, "a: [1, {b: 'c'}]"), *copy = yaml_copy(root, arena);

    (void)state;
    assert_int_equal(copy->items[0]->items[1]->items[0]->mark.column, 12);
    assert_true(copy->items[0]->items[1]->items[0]->quoted);
    assert_true(tree_equal(root, copy));
    arena_destroy(other);
    assert_string_equal(copy->items[0]->items[1]->items[0]->text, "c");
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),          cmocka_unit_test(plain),    cmocka_unit_test(layout),
        cmocka_unit_test(put_and_remove), cmocka_unit_test(equality), cmocka_unit_test(copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
