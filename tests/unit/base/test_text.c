/* Text: building, numbers that read back, quoting, patterns, sizes and times for people. */
#include "test.h"

#include "base/text.h"

#include <locale.h>
#include <math.h>

static void builds(void **state)
{
    struct text t = { 0 };

    (void)state;
    text_add_n(&t, NULL, 0);
    assert_string_equal(t.data, "");
    text_add(&t, "ab");
    text_add_n(&t, "cdef", 2);
    text_printf(&t, "%d%s", 7, "!");
    assert_string_equal(t.data, "abcd7!");
    assert_int_equal(t.length, 6);
    for (int i = 0; i < 5000; i++)
        text_printf(&t, "%04d", i);
    assert_int_equal(t.length, 20006);
    assert_int_equal(strlen(t.data), 20006);
    assert_string_equal(t.data + 20002, "4999");
    assert_false(t.failed);
    text_free(&t);
    assert_null(t.data);
    assert_int_equal(t.length, 0);
    text_free(NULL);
}

static void keeps_what_it_has_when_memory_is_out(void **state)
{
    struct text t = { 0 };

    (void)state;
    text_add(&t, "ab");
    text_add_n(&t, "", SIZE_MAX / 2); /* no allocator gives that */
    assert_true(t.failed);
    assert_string_equal(t.data, "ab");
    text_add(&t, "cd");
    text_printf(&t, "%d", 1);
    assert_string_equal(t.data, "ab");
    text_free(&t);
    assert_false(t.failed);
}

static const struct {
    double value;
    const char *text;
} numbers[] = {
    { 0.0, "0" },
    { -0.0, "-0" },
    { 1, "1" },
    { -2.5, "-2.5" },
    { 0.1, "0.1" },
    { 0.3, "0.3" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 1.0 / 3, "0.3333333333333333" },
    { 2.0 / 3, "0.6666666666666666" },
    { 1e15, "1e+15" },
    { 123456789012345, "123456789012345" },
    { 9007199254740993.0, "9007199254740992" },
    { 1e-5, "1e-05" },
    { 0.0001, "0.0001" },
    { 5e-324, "4.94065645841247e-324" },
    { 1.7976931348623157e308, "1.7976931348623157e+308" },
    { 2.2250738585072014e-308, "2.2250738585072014e-308" },
    { INFINITY, "inf" },
    { -INFINITY, "-inf" },
    { NAN, "nan" },
    { -NAN, "nan" },
};

static void writes_numbers(void **state)
{
    char text[TEXT_NUMBER];

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_ptr_equal(text_number(text, numbers[i].value), text);
        assert_string_equal(text, numbers[i].text);
    }
}

static void tells_numbers_apart(void **state)
{
    const double near[] = { 0.0, 8.0 / 255.0, 0.050001, 0.050002, 0.050001 };
    const double next[] = { 0.1, 0.1 + 1e-18, 0.3, nextafter(0.3, 1.0) };
    (void)state;
    assert_int_equal(text_digits(near, 2, 4), 4);
    assert_int_equal(text_digits(near, 5, 4), 5);
    assert_int_equal(text_digits(next, 2, 4), 4);
    assert_int_equal(text_digits(next, 4, 4), 17);
    assert_int_equal(text_digits(NULL, 0, 4), 4);
}

static void reads_back_what_it_wrote(void **state)
{
    uint64_t x = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[TEXT_NUMBER];
        double value, back = 0;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(&value, &x, sizeof value);
        if (!isfinite(value))
            continue;
        text_number(text, value);
        assert_true(text_to_double(text, strlen(text), &back));
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void reads_decimals(void **state)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {
        { "0", 0 },
        { "-1", -1 },
        { "+1", 1 },
        { ".5", 0.5 },
        { "5.", 5 },
        { "-.5e1", -5 },
        { "5.e-1", 0.5 },
        { "1e3", 1000 },
        { "1E+3", 1000 },
        { "007", 7 },
        { "0.1", 0.1 },
        { "0e-400", 0 },
        { "-0.0", 0 },
        { "9007199254740993", 9007199254740992.0 },
        { "1.7976931348623157e308", 1.7976931348623157e308 },
        { "4.9e-324", 5e-324 },
    };
    static const char *const bad[] = {
        "",    " ",    "1 ",    " 1",  "+",     "-",      ".",      "-.",         "e5",  ".e5",  "1e",
        "1e+", "1e5.", "1.2.3", "--1", "+-1",   "0x10",   "0x1p3",  "nan",        "inf", "-inf", "infinity",
        "NAN", "1,5",  "1_000", "1f",  "1e999", "-1e999", "1e-400", "-0.01e-400", "1\n", "٣",
    };
    double value = 42;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(text_to_double(good[i].text, strlen(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    value = 42;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (text_to_double(bad[i], strlen(bad[i]), &value) || value != 42)
            fail_msg("\"%s\" was read as a number", bad[i]);
    assert_false(text_to_double("1\0002", 3, &value));
    assert_true(text_to_double("12.75 and more", 4, &value)); /* no end but the length's */
    assert_true(value == 12.7);
}

static void reads_long_decimals(void **state)
{
    char text[5001];
    double value;

    (void)state;
    memset(text, '3', sizeof text);
    text[1] = '.';
    assert_true(text_to_double(text, sizeof text - 1, &value));
    assert_true(value == 10.0 / 3);
    memset(text, '0', sizeof text);
    memcpy(text + 4990, "12.5", 4);
    assert_true(text_to_double(text, 4994, &value));
    assert_true(value == 12.5);
}

/* A locale with a decimal comma, built here: a bare machine has none. */
static void ignores_the_locale(void **state)
{
    static const char source[] = "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\n"
                                 "grouping 3;3\n"
                                 "END LC_NUMERIC\n";
    FILE *f = fopen("comma.src", "w");
    char text[TEXT_NUMBER], check[32];
    struct text t = { 0 };
    double value;

    (void)state;
    assert_non_null(f);
    assert_true(fputs(source, f) >= 0);
    assert_int_equal(fclose(f), 0);
    if (system("localedef -c -i comma.src ./comma >/dev/null 2>&1") == -1)
        skip();
    setenv("LOCPATH", ".", 1);
    if (!setlocale(LC_NUMERIC, "comma"))
        skip(); /* no localedef here */
    snprintf(check, sizeof check, "%.1f", 1.5);
    assert_string_equal(check, "1,5");
    assert_string_equal(text_number(text, 1.5), "1.5");
    assert_true(text_to_double("1.5", 3, &value));
    assert_true(value == 1.5);
    assert_false(text_to_double("1,5", 3, &value));
    text_printf(&t, "%.2f", 2.25);
    assert_string_equal(t.data, "2.25");
    assert_string_equal(text_size(text, 1536), "1.5 KiB");
    assert_string_equal(text_duration(text, 1.5), "1.5 s");
    snprintf(check, sizeof check, "%.1f", 1.5);
    assert_string_equal(check, "1,5"); /* and leaves it as it was */
    setlocale(LC_NUMERIC, "C");
    text_free(&t);
}

static void escapes(void **state)
{
    char text[TEXT_ESCAPED], in[200], want[TEXT_ESCAPED + 1];

    (void)state;
    assert_string_equal(text_escape(text, "conv1 ~", 7), "conv1 ~");
    assert_string_equal(text_escape(text, "a\n\x1b[31m\\\x7f\xff\0z", 11), "a\\x0a\\x1b[31m\\x5c\\x7f\\xff\\x00");
    assert_string_equal(text_escape(text, "", 0), "");
    memset(in, 'a', sizeof in);
    memset(want, 'a', 80);
    want[80] = '\0';
    assert_string_equal(text_escape(text, in, 80), want);
    strcpy(want + 80, "...");
    assert_string_equal(text_escape(text, in, 81), want);
    memset(in, 0, sizeof in); /* the longest there is */
    text_escape(text, in, sizeof in);
    assert_int_equal(strlen(text), TEXT_ESCAPED - 1);
    assert_string_equal(text + TEXT_ESCAPED - 8, "\\x00...");
}

static void shows_what_a_terminal_would_act_on(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        { "plain ~\n\t\\", "plain ~\n\t\\" },
        { "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80" },
        { "\x1b[31mred\r\a\b\x7f", "\\x1b[31mred\\x0d\\x07\\x08\\x7f" },
        { "\xc2\x9b"
          "2J",
          "\\xc2\\x9b2J" }, /* CSI in one character */
        { "\x9b\xff"
          "a\xc3",
          "\\x9b\\xffa\\xc3" }, /* none of UTF-8's */
        { "a\xe2\x80\xae"
          "b\xe2\x81\xa6",
          "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6" }, /* the order turned */
        { "\xe2\x80\xa8\xd8\x9c\xe2\x80\x8f\xef\xbb\xbf", "\\xe2\\x80\\xa8\\xd8\\x9c\\xe2\\x80\\x8f\\xef\\xbb\\xbf" },
        { "\xe2\x80\x8d\xe2\x80\xa7", "\xe2\x80\x8d\xe2\x80\xa7" }, /* what joins letters, a dot */
    };
    size_t hidden;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text t = { 0 };
        text_add_visible(&t, cases[i].in, strlen(cases[i].in));
        assert_string_equal(t.data, cases[i].want);
        text_free(&t);
    }
    assert_int_equal(text_visible("ab\0c", 4, &hidden), 2);
    assert_int_equal(hidden, 1);
    assert_int_equal(text_visible("", 0, &hidden), 0);
    assert_int_equal(hidden, 0);
}

static void matches(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool want;
    } cases[] = {
        { "", "", true },
        { "", "a", false },
        { "a", "", false },
        { "*", "", true },
        { "*", "abc", true },
        { "**", "abc", true },
        { "?", "", false },
        { "?", "a", true },
        { "?", "ab", false },
        { "abc", "abc", true },
        { "abc", "abcd", false },
        { "abcd", "abc", false },
        { "a*c", "abbc", true },
        { "a*c", "abcb", false },
        { "*.conv?", "layer1.0.conv1", true },
        { "*.conv?", "layer1.0.conv12", false },
        { "layer*.bn*", "layer1.0.bn2", true },
        { "*ab*ab", "abab", true },
        { "*ab*ab", "aab", false },
        { "*aab", "aaaab", true },
        { "a?*", "a", false },
        { "a?*", "ab", true },
        { "*a*b*c*", "xxaxxbxxcxx", true },
        { "*a*b*c*", "xxcxxbxxaxx", false },
        { "[ab]", "a", false },
        { "[ab]", "[ab]", true },
        { "A", "a", false },
        /* Exponential for a matcher that tries every split. */
        { "*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (text_match(cases[i].pattern, cases[i].text) != cases[i].want)
            fail_msg("pattern \"%s\" against \"%s\"", cases[i].pattern, cases[i].text);
}

static void sizes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        { 0, "0 B" },
        { 1023, "1023 B" },
        { 1024, "1.0 KiB" },
        { 1536, "1.5 KiB" },
        { 12897485, "12.3 MiB" },
        { 1048575, "1.0 MiB" },
        { 1048500, "1023.9 KiB" },
        { 1288490189, "1.2 GiB" },
        { (uint64_t)1 << 40, "1.0 TiB" },
        { UINT64_MAX, "16.0 EiB" },
    };
    char text[TEXT_NUMBER];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(text_size(text, cases[i].bytes), cases[i].text);
}

static void durations(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        { 0, "0.0 s" },
        { 0.04, "0.0 s" },
        { 45, "45.0 s" },
        { 59.94, "59.9 s" },
        { 59.96, "1 min 0 s" },
        { 200, "3 min 20 s" },
        { 3599.4, "59 min 59 s" },
        { 3599.6, "1 h 0 min" },
        { 7500, "2 h 5 min" },
        { 360000, "100 h 0 min" },
        { -3, "0.0 s" },
        { NAN, "?" },
        { INFINITY, "?" },
        { 1e300, "?" },
    };
    char text[TEXT_NUMBER];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(text_duration(text, cases[i].seconds), cases[i].text);
}

/* Empty lines count; what stands behind the last end, or after a NUL byte, is told apart by length alone. */
static void splits_lines(void **state)
{
    static const char text[] = "one\n\ntw\0o\nunfinished";
    static const struct {
        size_t begin, length;
    } lines[] = { { 0, 3 }, { 4, 0 }, { 5, 4 } };
    const char *line;
    size_t at = 0, length;

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_true(text_next_line(text, sizeof text - 1, &at, &line, &length));
        assert_ptr_equal(line, text + lines[i].begin);
        assert_int_equal(length, lines[i].length);
    }
    assert_false(text_next_line(text, sizeof text - 1, &at, &line, &length));
    at = 0;
    assert_false(text_next_line(NULL, 0, &at, &line, &length));
}

/* The vectors of RFC 4648, section 10, and pieces longer than one call encodes. */
static void encodes_base64(void **state)
{
    static const char *const vectors[][2] = { { "", "" },
                                              { "f", "Zg==" },
                                              { "fo", "Zm8=" },
                                              { "foo", "Zm9v" },
                                              { "foob", "Zm9vYg==" },
                                              { "fooba", "Zm9vYmE=" },
                                              { "foobar", "Zm9vYmFy" } };
    static uint8_t zeros[10000];
    struct text t = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        text_add_base64(&t, (const uint8_t *)vectors[i][0], strlen(vectors[i][0]));
        assert_string_equal(t.data ? t.data : "", vectors[i][1]);
        text_free(&t);
    }
    text_add_base64(&t, zeros, sizeof zeros);
    assert_int_equal(t.length, (sizeof zeros + 2) / 3 * 4);
    assert_int_equal(strspn(t.data, "A"), t.length - 2);
    assert_string_equal(t.data + t.length - 2, "==");
    text_free(&t);
}

static void compares(void **state)
{
    (void)state;
    assert_true(same_text("a", "a") && same_text(NULL, "") && same_text(NULL, NULL));
    assert_false(same_text("a", "b") || same_text(NULL, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds),
        cmocka_unit_test(keeps_what_it_has_when_memory_is_out),
        cmocka_unit_test(writes_numbers),
        cmocka_unit_test(tells_numbers_apart),
        cmocka_unit_test(reads_back_what_it_wrote),
        cmocka_unit_test(reads_decimals),
        cmocka_unit_test(reads_long_decimals),
        cmocka_unit_test_setup_teardown(ignores_the_locale, test_enter_folder, test_leave_folder),
        cmocka_unit_test(escapes),
        cmocka_unit_test(shows_what_a_terminal_would_act_on),
        cmocka_unit_test(matches),
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations),
        cmocka_unit_test(splits_lines),
        cmocka_unit_test(encodes_base64),
        cmocka_unit_test(compares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
