/* What the engine torch reads of a library's file, also of one that is cut meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After those it needs. */
#include <cmocka.h>

#include "../../../plugins/engines/torch/elf.c"

#include <stdlib.h>

static char *bytes;
static size_t whole;

static int read_library(void **state)
{
    FILE *f = fopen(getenv("LIBRARY"), "rb");
    (void)state;
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    whole = (size_t)ftell(f);
    rewind(f);
    bytes = malloc(whole);
    assert_true(bytes && fread(bytes, 1, whole, f) == whole);
    fclose(f);
    return 0;
}

static int free_library(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

static void write_copy(const char *path, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static bool needs(const struct elf *e, const char *prefix)
{
    char name[256];
    bool found = false;
    for (size_t i = 0; elf_string(e, DT_NEEDED, i, name, sizeof name); i++)
        found = found || strncmp(name, prefix, strlen(prefix)) == 0;
    return found;
}

static void cut_while_it_is_read(void **state)
{
    char path[] = "bioft-elf-XXXXXX", why[512], one[1];
    const int fd = mkstemp(path);
    struct elf e;
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    write_copy(path, whole);
    assert_true(elf_open(path, &e, why, sizeof why));
    assert_true(elf_defines(&e, "bioft_plugin_entry"));
    assert_false(elf_defines(&e, "bioft_plugin_entr"));
    assert_false(elf_defines(&e, "no_such_symbol"));
    assert_true(needs(&e, "libc.so"));
    assert_false(elf_string(&e, DT_NEEDED, 0, one, sizeof one));
    assert_int_equal(truncate(path, 64), 0);
    assert_false(elf_defines(&e, "bioft_plugin_entry"));
    assert_false(needs(&e, "libc.so"));
    elf_close(&e);
    assert_false(elf_open(path, &e, why, sizeof why));
    assert_non_null(strstr(why, "damaged or cut short"));
    for (size_t n = 0; n < whole; n += n < 200 ? 9 : whole / 40) {
        write_copy(path, n);
        if (elf_open(path, &e, why, sizeof why)) {
            elf_defines(&e, "bioft_plugin_entry");
            elf_close(&e);
        }
    }
    unlink(path);
    assert_false(elf_open(path, &e, why, sizeof why));
    assert_false(elf_open("/", &e, why, sizeof why));
    assert_non_null(strstr(why, "/ cannot be read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(cut_while_it_is_read) };
    return cmocka_run_group_tests(tests, read_library, free_library);
}
