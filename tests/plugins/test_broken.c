/* Each broken plugin is refused, with one line a fault that names the file and says what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/registry.h"
#include "plugin/load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *file, *words; /* words: the line behind "PATH: ", or its beginning with "..." */
} cases[] = {
    { "wrong_magic", "no bioft descriptor: magic 0x464c457f instead of 0x54464f42" },
    { "other_major", "built for bioft ABI 6.3, this is ABI 0.4: rebuild the plugin" },
    { "newer_used", "uses something in its vtable of ABI 0.9 that this bioft (0.4) lacks" },
    { "truncated", "a descriptor of 64 bytes makes no sense" },
    { "unknown_flag", "unknown flag 0x40 of its rule" },
    { "missing_callback", "callback run is missing: every attack needs it" },
    { "option_outside", "option 'decay': bytes 16 to 24 lie outside the instance of 16" },
    { "options_overlap", "options 'decay' and 'mirror' overlap in the instance" },
    { "reserved_name", "option 'layers': this name is a key of the manifest" },
    { "default_out_of_range", "option 'decay': default: 2 is above the largest, 1" },
    { "other_name", "name 'another' differs from the file's: rename the file to another.so" },
    { "no_symbol", "no symbol bioft_plugin_entry: not a bioft plugin" },
    { "no_plugin", "it holds no plugin: bioft_plugin_entry(0) is NULL" },
    { "twins", "two plugins are the rule 'twins'" },
    { "engine_draft", "built for engine draft 41, this bioft has draft 1: rebuild the plugin" },
    { "undefined", "not a loadable library: undefined symbol: function_of_the_host" },
    { "not_a_library", "not a loadable library: ..." },
    { "no_such_file", "No such file or directory" },
};

static void check_line(const char *path, const char *line, const char *words)
{
    const size_t length = strlen(path), ellipsis = strlen(words) > 3 ? strlen(words) - 3 : 0;
    print_message("%s\n", line);
    assert_int_equal(strncmp(line, path, length), 0);
    assert_int_equal(strncmp(line + length, ": ", 2), 0);
    if (strcmp(words + ellipsis, "...") == 0)
        assert_int_equal(strncmp(line + length + 2, words, ellipsis), 0);
    else
        assert_string_equal(line + length + 2, words);
    assert_null(strchr(line, '\n'));
}

static void refuses_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plugin **plugins = NULL;
        struct error err = { 0 };
        size_t count = 77;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.so", BROKEN, cases[i].file);
        assert_true(plugin_load(path, 0, &plugins, &count, &err) < 0);
        assert_null(plugins);
        assert_int_equal(count, 77);
        check_line(path, err.text, cases[i].words);
    }
}

static void tells_all_faults(void **state)
{
    static const char *const want[] = {
        "its version is empty",
        "its summary has a control character or a line break",
        "unknown flag 0x2",
        "option 'decay': its help is NULL",
        "option 'decay': default: 2 is above the largest, 1",
        "option 'decay': type 99 is unknown to this bioft",
        "option 'decay' is there twice",
        "unknown flag 0x1 of its rule",
    };
    struct plugin **plugins = NULL;
    struct error err = { 0 };
    size_t count, n = 0;
    char path[4096];
    (void)state;
    snprintf(path, sizeof path, "%s/many_faults.so", BROKEN);
    assert_int_equal(plugin_load(path, 0, &plugins, &count, &err), BIOFT_ERR_FORMAT);
    for (char *line = strtok(err.text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_true(n < sizeof want / sizeof *want);
        check_line(path, line, want[n++]);
    }
    assert_int_equal(n, sizeof want / sizeof *want);
}

/* A library cut anywhere is none, and takes nothing with it. */
static void refuses_a_cut_library(void **state)
{
    struct plugin **plugins = NULL;
    struct error err = { 0 };
    size_t count, size;
    static char bytes[1 << 20];
    char from[4096];
    (void)state;
    snprintf(from, sizeof from, "%s/twins.so", BROKEN);
    FILE *in = fopen(from, "rb");
    assert_non_null(in);
    size = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    assert_true(size >= 3000 && size <= sizeof bytes - 1);
    for (size_t cut = 0; cut <= 3000; cut += 100) {
        FILE *out = fopen("cut.so", "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(bytes, 1, cut, out), cut);
        assert_int_equal(fclose(out), 0);
        assert_int_equal(plugin_load("cut.so", 0, &plugins, &count, &err), BIOFT_ERR_FORMAT);
        assert_non_null(strstr(err.text, "/cut.so: not a loadable library: "));
        remove("cut.so");
    }
    assert_int_equal(plugin_load(".", 0, &plugins, &count, &err), BIOFT_ERR_FORMAT);
    assert_non_null(strstr(err.text, ": not a file"));
    assert_null(plugins);
}

static void takes_a_complete_one(void **state)
{
    struct plugin **plugins = NULL;
    struct error err = { 0 };
    size_t count = 0;
    (void)state;
    if (plugin_load(BROKEN "/complete.so", BIOFT_KIND_ATTACK, &plugins, &count, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(count, 1);
    assert_string_equal(plugins[0]->descriptor.name, "complete");
    assert_int_equal(plugins[0]->descriptor.option_count, 9);
    plugins_free(plugins, count);
    assert_int_equal(plugin_load(BROKEN "/complete.so", BIOFT_KIND_RULE, &plugins, &count, &err), BIOFT_ERR_FORMAT);
    check_line(BROKEN "/complete.so", err.text, "its kind is attack, where a plugin of kind rule is looked for");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_each),
        cmocka_unit_test(tells_all_faults),
        cmocka_unit_test(refuses_a_cut_library),
        cmocka_unit_test(takes_a_complete_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
