/* JSON: known output, trees read back, and what RFC 8259 does not allow. */
#include "hostile.h"

#include "formats/json.h"

#include <math.h>

static bioft_status read_json(const uint8_t *bytes, size_t size, struct error *err)
{
    struct arena *arena = arena_create();
    struct json *json;
    assert_non_null(arena);
    bioft_status st = json_parse("t", (const char *)bytes, size, arena, &json, err);
    arena_destroy(arena);
    return st;
}

static const char written[] = "{\"loss\":0.1,\"nonfinite\":null,\"n\":-5,\"ok\":true,\"none\":null,"
                              "\"list\":[1,[],{},\"{[\",false],"
                              "\"text\":\"\\\"\\\\\\n\\t\\u0001\xc3\xa9\xef\xbf\xbd.\",\"\":{\"x\":"
                              "1e+300}}\n{\"second\":0}\n";

static void writes_known_text(void **state)
{
    struct text t = { .data = NULL };
    (void)state;
    json_begin_object(&t);
    json_key(&t, "loss");
    json_number(&t, 0.1);
    json_key(&t, "nonfinite");
    json_number(&t, NAN);
    json_key(&t, "n");
    json_integer(&t, -5);
    json_key(&t, "ok");
    json_bool(&t, true);
    json_key(&t, "none");
    json_string(&t, NULL);
    json_key(&t, "list");
    json_begin_array(&t);
    json_integer(&t, 1);
    json_begin_array(&t);
    json_end_array(&t);
    json_begin_object(&t);
    json_end_object(&t);
    json_string(&t, "{[");
    json_bool(&t, false);
    json_end_array(&t);
    json_key(&t, "text");
    json_string(&t, "\"\\\n\t\001\xc3\xa9\xff.");
    json_key(&t, "");
    json_begin_object(&t);
    json_key(&t, "x");
    json_number(&t, 1e300);
    json_end_object(&t);
    json_end_object(&t);
    text_add(&t, "\n");
    json_begin_object(&t);
    json_key(&t, "second");
    json_integer(&t, 0);
    json_end_object(&t);
    text_add(&t, "\n");
    assert_false(t.failed);
    assert_string_equal(t.data, written);
    text_free(&t);
}

static void reads_it_back(void **state)
{
    struct arena *arena = arena_create();
    struct json *json;
    struct error err;
    (void)state;
    if (json_parse("t", written, strcspn(written, "\n"), arena, &json, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(json->type, JSON_OBJECT);
    assert_int_equal(json->count, 8);
    assert_string_equal(json->keys[0], "loss");
    assert_string_equal(json->keys[7], "");
    assert_true(json_get(json, "loss")->number == 0.1);
    assert_string_equal(json_get(json, "loss")->text, "0.1");
    assert_int_equal(json_get(json, "nonfinite")->type, JSON_NULL);
    assert_true(json_get(json, "n")->number == -5);
    assert_true(json_get(json, "ok")->boolean);
    const struct json *list = json_get(json, "list");
    assert_int_equal(list->type, JSON_ARRAY);
    assert_int_equal(list->count, 5);
    assert_int_equal(list->items[1]->count, 0);
    assert_int_equal(list->items[2]->type, JSON_OBJECT);
    assert_string_equal(list->items[3]->text, "{[");
    assert_int_equal(list->items[4]->type, JSON_BOOL);
    assert_false(list->items[4]->boolean);
    assert_string_equal(json_get(json, "text")->text, "\"\\\n\t\001\xc3\xa9\xef\xbf\xbd.");
    assert_int_equal(json_get(json, "text")->length, 11);
    assert_string_equal(json_get(json_get(json, ""), "x")->text, "1e+300");
    assert_null(json_get(json, "absent"));
    assert_null(json_get(list, "x"));
    assert_null(json_get(NULL, "x"));
    arena_destroy(arena);
}

static void reads_what_is_json(void **state)
{
    static const struct {
        const char *bytes, *text;
        double number;
    } cases[] = {
        { " 1 ", "1", 1 },
        { "-0", "-0", 0 },
        { "-0.0e-0", "-0.0e-0", 0 },
        { "123456789012345678901234567890", "123456789012345678901234567890", 1.2345678901234568e29 },
        { "1E5", "1E5", 1e5 },
        { "9007199254740993", "9007199254740993", 9007199254740992.0 },
        { "\"\\u0041\\uD83D\\uDE00\\/\\b\\f\\r\"", "A\xf0\x9f\x98\x80/\b\f\r", 0 },
        { "\"\\\\u0000\"", "\\u0000", 0 },
        { "\r\n\t \"\x7f\"", "\x7f", 0 },
        { "\"\"", "", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_create();
        struct json *json;
        struct error err;
        if (json_parse("t", cases[i].bytes, strlen(cases[i].bytes), arena, &json, &err) != BIOFT_OK)
            fail_msg("%s: %s", cases[i].bytes, err.text);
        assert_string_equal(json->text, cases[i].text);
        assert_int_equal(json->length, strlen(cases[i].text));
        if (json->type == JSON_NUMBER)
            assert_true(json->number == cases[i].number);
        arena_destroy(arena);
    }
}

static void refuses_what_is_not(void **state)
{
    static const struct {
        const char *bytes, *words;
    } cases[] = {
        { "", "not valid JSON" },
        { " ", "not valid JSON" },
        { "{", "not valid JSON" },
        { "[1,]", "not valid JSON" },
        { "[,1]", "not valid JSON" },
        { "{\"a\":1,}", "not valid JSON" },
        { "{\"a\"}", "not valid JSON" },
        { "{a:1}", "not valid JSON" },
        { "{\"a\" 1}", "not valid JSON" },
        { "{1:1}", "not valid JSON" },
        { "[1 2]", "not valid JSON" },
        { "[1}", "not valid JSON" },
        { "1 2", "not valid JSON" },
        { "{} []", "not valid JSON" },
        { "nul", "not valid JSON" },
        { "NaN", "not valid JSON" },
        { "Infinity", "not valid JSON" },
        { "-", "not valid JSON" },
        { "+1", "not valid JSON" },
        { "01", "not valid JSON" },
        { "1.", "not valid JSON" },
        { ".5", "not valid JSON" },
        { "1e", "not valid JSON" },
        { "0x1", "not valid JSON" },
        { "'a'", "not valid JSON" },
        { "\"a", "not valid JSON" },
        { "\"\\x\"", "not valid JSON" },
        { "\"\\u12G4\"", "not valid JSON" },
        { "\"\001\"", "a control character (at byte 1)" },
        { "1\f", "a control character" },
        { "/* c */ 1", "not valid JSON" },
        { "1 // c", "not valid JSON" },
        { "\xef\xbb\xbf{}", "not valid JSON" },
        { "\"\xff\"", "not UTF-8 (at byte 1)" },
        { "\"\xc0\xaf\"", "not UTF-8" },
        { "\"\xed\xa0\x80\"", "not UTF-8" },
        { "\"\xf4\x90\x80\x80\"", "not UTF-8" },
        { "\"\xe2\x82\"", "not UTF-8" },
        { "\"\\u0000\"", "\\u0000 (at byte 1)" },
        { "\"\\uD800\"", "half a surrogate pair" },
        { "\"\\uD800\\u0041\"", "half a surrogate pair" },
        { "\"\\uDC00\"", "half a surrogate pair" },
        { "\"\\\\\\uDC00\"", "half a surrogate pair" },
        { "{\"a\":1,\"b\":2,\"a\":3}", "the key 'a' is given twice" },
        { "{\"a\":1,\"\\u0061\":3}", "the key 'a' is given twice" },
        { "[{\"\":1,\"\":1}]", "the key '' is given twice" },
        { "{\"\\u001b\":1,\"\\u001b\":1}", "'\\x1b'" },
        { "1e400", "too large for a double" },
        { "[-1e400]", "too large for a double" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(read_json, cases[i].bytes, cases[i].bytes, strlen(cases[i].bytes), cases[i].words);
}

static void keeps_to_its_bounds(void **state)
{
    enum { LARGE = 3 << 20 };
    static char bytes[LARGE];
    (void)state;
    memset(bytes, '[', 32);
    memset(bytes + 32, ']', 32);
    expect_read(read_json, "32 deep", bytes, 64);
    memset(bytes, '[', 33);
    memset(bytes + 33, ']', 33);
    expect_refused(read_json, "33 deep", bytes, 66, "nested more than 32 deep");
    memset(bytes, '[', 100000);
    expect_refused(read_json, "100,000 deep", bytes, 100000, "nested more than 32 deep");
    for (size_t i = 0; i < 500000; i++)
        memcpy(bytes + 5 * i, "{\"a\":", 5);
    expect_refused(read_json, "objects", bytes, 2500000, "nested more than 32 deep");
    memset(bytes, 'x', LARGE);
    bytes[0] = bytes[(1 << 20) + 1] = '"';
    expect_read(read_json, "1 MiB", bytes, (1 << 20) + 2);
    bytes[(1 << 20) + 1] = 'x';
    bytes[(1 << 20) + 2] = '"';
    expect_refused(read_json, "1 MiB and a byte", bytes, (1 << 20) + 3, "longer than 1048576");
    bytes[0] = '[';
    for (size_t i = 0; i < LARGE / 2 - 1; i++)
        memcpy(bytes + 1 + 2 * i, "0,", 2);
    expect_refused(read_json, "values", bytes, LARGE - 1, "more than 1000000 values");
}

static void survives_changes(void **state)
{
    (void)state;
    expect_prefixes_refused(read_json, written, strcspn(written, "\n"));
    change_every_byte(read_json, written, strcspn(written, "\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_known_text),   cmocka_unit_test(reads_it_back),
        cmocka_unit_test(reads_what_is_json),  cmocka_unit_test(refuses_what_is_not),
        cmocka_unit_test(keeps_to_its_bounds), cmocka_unit_test(survives_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
