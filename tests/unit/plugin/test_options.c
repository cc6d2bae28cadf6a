/* Option values: numbers, parsing with its words, defaults, writing into an instance, text and back. */
#include "test.h"

static const struct {
    const char *text;
    bool fraction, ok;
    double want;
} numbers[] = {
    { "1e-5", false, true, 1e-5 },   { "1E-5", false, true, 1e-5 }, { ".001", false, true, 0.001 },
    { "1.0e-5", false, true, 1e-5 }, { "3", false, true, 3 },       { "-0.5", false, true, -0.5 },
    { "+2", false, true, 2 },        { "1e+3", false, true, 1000 }, { "8/255", true, true, 8.0 / 255.0 },
    { "-1/4", true, true, -0.25 },   { "0.5/2", true, true, 0.25 }, { "8/255", false, false, 0 },
    { "8/0", true, false, 0 },       { "8/-2", true, false, 0 },    { "/2", true, false, 0 },
    { "8/", true, false, 0 },        { "1/2/3", true, false, 0 },   { "1e308/1e-308", true, false, 0 },
    { "", false, false, 0 },         { "x", false, false, 0 },      { "1e999", false, false, 0 },
    { "nan", false, false, 0 },      { "inf", false, false, 0 },    { "0x10", false, false, 0 },
    { "1_000", false, false, 0 },    { "1 ", false, false, 0 },     { " 1", false, false, 0 },
    { "1,5", false, false, 0 },      { "1e", false, false, 0 },     { ".", false, false, 0 },
    { "--1", false, false, 0 },
};

static void parses_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        double got = 77;
        print_message("'%s'\n", numbers[i].text);
        assert_int_equal(number_parse(numbers[i].text, strlen(numbers[i].text), numbers[i].fraction, &got),
                         numbers[i].ok);
        assert_true(got == (numbers[i].ok ? numbers[i].want : 77));
    }
}

static const struct {
    const char *text;
    bool ok;
    int64_t want;
} integers[] = {
    { "0", true, 0 },
    { "42", true, 42 },
    { "-7", true, -7 },
    { "+7", true, 7 },
    { "1e4", true, 10000 },
    { "2.0", true, 2 },
    { "9223372036854775807", true, INT64_MAX },
    { "-9223372036854775808", true, INT64_MIN },
    { "9223372036854775808", false, 0 },
    { "-9223372036854775809", false, 0 },
    { "1e17", false, 0 },
    { "0.5", false, 0 },
    { "", false, 0 },
    { "-", false, 0 },
    { "+", false, 0 },
    { "1a", false, 0 },
    { "007", true, 7 },
    { "99999999999999999999999999", false, 0 },
};

static void parses_integers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(integers); i++) {
        int64_t got = 77;
        print_message("'%s'\n", integers[i].text);
        assert_int_equal(integer_parse(integers[i].text, strlen(integers[i].text), &got), integers[i].ok);
        assert_true(got == (integers[i].ok ? integers[i].want : 77));
    }
}

static const char *const choices[] = { "none", "xavier", "kaiming", NULL };
static const bioft_option options[] = {
    { .name = "number", .type = BIOFT_F64, .offset = offsetof(struct sample, number), .def = 0.001, .max = 1 },
    { .name = "integer", .type = BIOFT_I64, .offset = offsetof(struct sample, integer), .def = 5, .min = 1, .max = 9 },
    { .name = "truth", .type = BIOFT_BOOL, .offset = offsetof(struct sample, truth), .def = 1 },
    { .name = "choice", .type = BIOFT_CHOICE, .offset = offsetof(struct sample, choice), .def = 1, .choices = choices },
    { .name = "text", .type = BIOFT_STRING, .offset = offsetof(struct sample, text), .def_string = "it's" },
    { .name = "path", .type = BIOFT_PATH, .offset = offsetof(struct sample, path) },
    { .name = "numbers",
      .type = BIOFT_F64_LIST,
      .offset = offsetof(struct sample, numbers),
      .flags = BIOFT_OPTION_FRACTIONS,
      .def_string = "[0, 8/255 , .5]" },
    { .name = "integers", .type = BIOFT_I64_LIST, .offset = offsetof(struct sample, integers) },
    { .name = "texts",
      .type = BIOFT_STRING_LIST,
      .offset = offsetof(struct sample, texts),
      .def_string = "[plain words, 'a, b', 'it''s', \"q\\\"q\", '']" },
};
enum { NUMBER, INTEGER, TRUTH, CHOICE, TEXT, PATH, NUMBERS, INTEGERS, TEXTS };
static const struct plugin plugin = {
    .descriptor = { .kind = BIOFT_KIND_RULE,
                    .name = "sample",
                    .instance_size = sizeof(struct sample),
                    .options = options,
                    .option_count = COUNT(options),
                    .option_size = sizeof *options },
};

static void fills_defaults(void **state)
{
    struct arena *arena = arena_create();
    struct option_value *v;
    struct error err;
    size_t index = 99;
    (void)state;
    assert_int_equal(options_defaults(&plugin, arena, &v, &err), BIOFT_OK);
    for (size_t i = 0; i < COUNT(options); i++)
        assert_false(v[i].given);
    assert_true(v[NUMBER].number == 0.001);
    assert_true(v[INTEGER].integer == 5);
    assert_true(v[TRUTH].integer == 1);
    assert_true(v[CHOICE].integer == 1);
    assert_string_equal(v[TEXT].text, "it's");
    assert_null(v[PATH].text);
    assert_int_equal(v[NUMBERS].count, 3);
    assert_true(v[NUMBERS].numbers[0] == 0 && v[NUMBERS].numbers[1] == 8.0 / 255.0 && v[NUMBERS].numbers[2] == 0.5);
    assert_int_equal(v[INTEGERS].count, 0);
    assert_int_equal(v[TEXTS].count, 5);
    assert_string_equal(v[TEXTS].texts[0], "plain words");
    assert_string_equal(v[TEXTS].texts[1], "a, b");
    assert_string_equal(v[TEXTS].texts[2], "it's");
    assert_string_equal(v[TEXTS].texts[3], "q\"q");
    assert_string_equal(v[TEXTS].texts[4], "");
    assert_ptr_equal(options_find(&plugin, "path", &index), &options[PATH]);
    assert_int_equal(index, PATH);
    assert_null(options_find(&plugin, "paths", NULL));
    arena_destroy(arena);
}

static void writes_an_instance(void **state)
{
    struct arena *arena = arena_create();
    struct option_value *v;
    struct sample s;
    struct error err;
    (void)state;
    memset(&s, 0xee, sizeof s);
    assert_int_equal(options_defaults(&plugin, arena, &v, &err), BIOFT_OK);
    options_write(&plugin, v, &s);
    assert_true(s.number == 0.001 && s.integer == 5 && s.truth == 1 && s.choice == 1);
    assert_string_equal(s.text, "it's");
    assert_null(s.path);
    assert_int_equal(s.numbers.count, 3);
    assert_true(((const double *)s.numbers.items)[2] == 0.5);
    assert_int_equal(s.integers.count, 0);
    assert_string_equal(((const char *const *)s.texts.items)[1], "a, b");
    arena_destroy(arena);
}

static const struct {
    size_t option;
    const char *item, *want; /* want: the value's text, or what is wrong */
    bool ok;
} scalars[] = {
    { NUMBER, "1e-3", "0.001", true },
    { NUMBER, "1", "1", true },
    { NUMBER, "0", "0", true },
    { NUMBER, "2", "2 is above the largest, 1", false },
    { NUMBER, "-1e-9", "-1e-9 is below the smallest, 0", false },
    { NUMBER, "x", "number expected, found 'x'", false },
    { NUMBER, "1/2", "number expected, found '1/2'", false },
    { NUMBER, NULL, "number expected, found null", false },
    { NUMBER, "", "number expected, found ''", false },
    { NUMBER, "a\nb", "number expected, found 'a\\x0ab'", false },
    { INTEGER, "7", "7", true },
    { INTEGER, "7.5", "integer expected, found '7.5'", false },
    { INTEGER, "10", "10 is above the largest, 9", false },
    { TRUTH, "false", "false", true },
    { TRUTH, "true", "true", true },
    { TRUTH, "yes", "true or false expected, found 'yes'", false },
    { TRUTH, "1", "true or false expected, found '1'", false },
    { CHOICE, "kaiming", "kaiming", true },
    { CHOICE, "kaimin", "one of none, xavier, kaiming expected, found 'kaimin'; did you mean 'kaiming'?", false },
    { CHOICE, "zz", "one of none, xavier, kaiming expected, found 'zz'", false },
    { CHOICE, NULL, "one of none, xavier, kaiming expected, found null", false },
    { TEXT, "a b", "'a b'", true },
    { TEXT, "", "''", true },
    { TEXT, "it's", "'it''s'", true },
    { TEXT, "a\n\"b\"\\", "\"a\\x0a\\\"b\\\"\\\\\"", true },
    { TEXT, "caf\xc3\xa9", "'caf\xc3\xa9'", true },
    { TEXT, NULL, "text expected, found null", false },
    { PATH, "b/./c", "'/a/b/c'", true },
    { PATH, "/b", "'/b'", true },
    { PATH, NULL, "null", true },
    { PATH, "", "path expected, found ''", false },
    { NUMBERS, "1", "list of numbers expected, found '1'", false },
    { NUMBERS, NULL, "list of numbers expected, found null", false },
};

static void parses_scalars(void **state)
{
    struct arena *arena = arena_create();
    (void)state;
    for (size_t i = 0; i < COUNT(scalars); i++) {
        const bioft_option *o = &options[scalars[i].option];
        struct option_value v = { .count = 77 };
        struct error err = { 0 };
        struct text text = { 0 };
        print_message("%s: %s\n", o->name, scalars[i].item ? scalars[i].item : "null");
        const bioft_status st = option_parse(o, &scalars[i].item, 1, false, "/a", arena, &v, &err);
        assert_int_equal(st, scalars[i].ok ? BIOFT_OK : BIOFT_ERR_INVALID);
        if (scalars[i].ok) {
            assert_true(v.given);
            option_text(o, &v, &text);
            assert_string_equal(text.data, scalars[i].want);
        } else {
            assert_int_equal(v.count, 77); /* results only on success */
            assert_string_equal(err.text, scalars[i].want);
        }
        text_free(&text);
    }
    arena_destroy(arena);
}

static const struct {
    size_t option;
    const char *items[3];
    size_t count;
    const char *want;
    bool ok;
} lists[] = {
    { NUMBERS, { "0", "1/2", "1e-3" }, 3, "[0, 0.5, 0.001]", true },
    { NUMBERS, { "0" }, 1, "[0]", true },
    { NUMBERS, { 0 }, 0, "[]", true },
    { NUMBERS, { "0", "x" }, 2, "number expected, found 'x'", false },
    { NUMBERS, { "0", NULL }, 2, "number expected, found null", false },
    { INTEGERS, { "3", "-4" }, 2, "[3, -4]", true },
    { INTEGERS, { "3.5" }, 1, "integer expected, found '3.5'", false },
    { TEXTS, { "a", "b, c", "it's" }, 3, "['a', 'b, c', 'it''s']", true },
    { TEXTS, { "a", NULL }, 2, "text expected, found null", false },
    { NUMBER, { "1" }, 1, "number expected, found a list", false },
    { CHOICE, { "none", "xavier" }, 2, "one of none, xavier, kaiming expected, found a list", false },
};

static void takes_fractions_where_flagged(void **state)
{
    const char *item = "8/255";
    struct arena *arena = arena_create();
    bioft_option o = options[NUMBER];
    struct option_value v;
    (void)state;
    o.unit = "pixels"; /* words decide nothing */
    assert_int_equal(option_parse(&o, &item, 1, false, NULL, arena, &v, NULL), BIOFT_ERR_INVALID);
    o.flags = BIOFT_OPTION_FRACTIONS;
    assert_int_equal(option_parse(&o, &item, 1, false, NULL, arena, &v, NULL), BIOFT_OK);
    assert_true(v.number == 8.0 / 255.0);
    arena_destroy(arena);
}

static void parses_lists(void **state)
{
    struct arena *arena = arena_create();
    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        const bioft_option *o = &options[lists[i].option];
        struct option_value v = { .count = 77 };
        struct error err = { 0 };
        struct text text = { 0 };
        const bioft_status st = option_parse(o, lists[i].items, lists[i].count, true, "/a", arena, &v, &err);
        print_message("%s\n", lists[i].want);
        assert_int_equal(st, lists[i].ok ? BIOFT_OK : BIOFT_ERR_INVALID);
        if (lists[i].ok)
            option_text(o, &v, &text);
        assert_string_equal(lists[i].ok ? text.data : err.text, lists[i].want);
        text_free(&text);
    }
    arena_destroy(arena);
}

/* What option_text writes of a list is read back as a default is. */
static void reads_back_its_own_lists(void **state)
{
    static const char *const words[] = { "plain", "it's", "a, b]", " led by a blank", "", "caf\xc3\xa9 \"x\" \\" };
    static const double values[] = { 0, 1e-300, 8.0 / 255.0, 0.1, -123456789.25 };
    struct arena *arena = arena_create();
    struct option_value v = { .count = COUNT(words), .texts = words }, back;
    bioft_option o = options[TEXTS];
    struct text text = { 0 };
    struct error err;
    (void)state;
    option_text(&o, &v, &text);
    o.def_string = text.data;
    assert_int_equal(option_default(&o, arena, &back, &err), BIOFT_OK);
    assert_int_equal(back.count, COUNT(words));
    for (size_t i = 0; i < COUNT(words); i++)
        assert_string_equal(back.texts[i], words[i]);
    text_free(&text);

    v = (struct option_value){ .count = COUNT(values), .numbers = values };
    o = options[NUMBERS];
    option_text(&o, &v, &text);
    o.def_string = text.data;
    assert_int_equal(option_default(&o, arena, &back, &err), BIOFT_OK);
    assert_memory_equal(back.numbers, values, sizeof values);
    text_free(&text);
    arena_destroy(arena);
}

static void refuses_bad_lists(void **state)
{
    static const char *const bad[] = {
        "",    "[",      "]",     "0",    "[0",      "0]",    "[0,]",    "[,0]",
        "[,]", "[0,,1]", "[0 1]", "['a]", "['a' b]", "[\"a]", "[\"a\\]", "[0] ",
    };
    struct arena *arena = arena_create();
    struct option_value v;
    struct error err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        bioft_option o = options[NUMBERS];
        o.def_string = bad[i];
        print_message("%s\n", bad[i]);
        assert_int_equal(option_default(&o, arena, &v, &err), BIOFT_ERR_INVALID);
    }
    arena_destroy(arena);
}

static void names_types(void **state)
{
    static const char *const want[] = {
        "number",          "integer",          "true or false", "one of none, xavier, kaiming", "text", "path",
        "list of numbers", "list of integers", "list of texts",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(options); i++) {
        struct text text = { 0 };
        option_type_text(&options[i], &text);
        assert_string_equal(text.data, want[i]);
        text_free(&text);
    }
}

static void names_the_option_of_a_bad_default(void **state)
{
    bioft_option bad = options[NUMBER];
    struct plugin p = plugin;
    struct arena *arena = arena_create();
    struct option_value *v = NULL;
    struct error err;
    (void)state;
    bad.def = 3;
    p.descriptor.options = &bad;
    p.descriptor.option_count = 1;
    assert_int_equal(options_defaults(&p, arena, &v, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, "rule 'sample': option 'number': default: 3 is above the largest, 1");
    assert_null(v);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_numbers),
        cmocka_unit_test(parses_integers),
        cmocka_unit_test(fills_defaults),
        cmocka_unit_test(writes_an_instance),
        cmocka_unit_test(parses_scalars),
        cmocka_unit_test(takes_fractions_where_flagged),
        cmocka_unit_test(parses_lists),
        cmocka_unit_test(reads_back_its_own_lists),
        cmocka_unit_test(refuses_bad_lists),
        cmocka_unit_test(names_types),
        cmocka_unit_test(names_the_option_of_a_bad_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
