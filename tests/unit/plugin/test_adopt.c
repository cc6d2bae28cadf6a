/* Structs of another version, adopted by copy. */
#include "test.h"

static const struct {
    const char *what;
    size_t theirs_size;
    unsigned char theirs[8];
    bool ok;
    unsigned char want[4];
} cases[] = {
    { "same size", 4, { 1, 2, 3, 4 }, true, { 1, 2, 3, 4 } },
    { "older and shorter", 2, { 1, 2, 9, 9 }, true, { 1, 2, 0, 0 } },
    { "newer, its new part unused", 6, { 1, 2, 3, 4, 0, 0 }, true, { 1, 2, 3, 4 } },
    { "newer, its new part used", 6, { 1, 2, 3, 4, 0, 7 }, false, { 0 } },
    { "newer, the first new byte used", 8, { 1, 2, 3, 4, 1, 0, 0, 0 }, false, { 0 } },
    { "empty", 0, { 9 }, true, { 0, 0, 0, 0 } },
};

static void copies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char got[4] = { 5, 5, 5, 5 };
        print_message("%s\n", cases[i].what);
        assert_int_equal(abi_adopt(got, sizeof got, cases[i].theirs, cases[i].theirs_size), cases[i].ok);
        if (cases[i].ok)
            assert_memory_equal(got, cases[i].want, sizeof got);
    }
}

static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_option option = { .name = "size", .type = BIOFT_F64, .help = "a size" };
static const bioft_plugin valid = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "valid", "1", "a", "MIT"),
    .summary = "s",
    .reference = "",
    .instance_size = 8,
    .options = &option,
    .option_count = 1,
    .option_size = sizeof option,
    .vtable = &rule,
};

/* The words of the one fault that keeps a descriptor from being read. */
static void refused(const bioft_plugin *theirs, const char *words)
{
    struct plugin *p = NULL;
    struct error err = { 0 };
    assert_int_equal(plugin_adopt(theirs, "/x/valid.so", &p, &err), BIOFT_ERR_FORMAT);
    assert_null(p);
    assert_int_equal(strncmp(err.text, "/x/valid.so: ", 13), 0);
    assert_null(strchr(err.text, '\n'));
    assert_contains(err.text, words);
}

static void takes_a_valid_one(void **state)
{
    struct plugin *p;
    struct error err;
    (void)state;
    assert_int_equal(plugin_adopt(&valid, "/x/valid.so", &p, &err), BIOFT_OK);
    assert_int_equal(plugin_check(p, "valid", &err), BIOFT_OK);
    assert_ptr_not_equal(p->descriptor.options, &option);
    assert_string_equal(p->descriptor.options[0].name, "size");
    assert_ptr_equal(p->descriptor.vtable, &p->api);
    assert_string_equal(p->path, "/x/valid.so");
    plugin_free(p);
}

static void refuses_heads(void **state)
{
    bioft_plugin p = valid;
    (void)state;
    p.magic = 0x12345678;
    refused(&p, "magic 0x12345678 instead of 0x54464f42");
    p = valid;
    p.abi_version = 7u << 16 | 3;
    refused(&p, "built for bioft ABI 7.3, this is ABI 0.4: rebuild the plugin");
    p = valid;
    p.abi_version = 0;
    refused(&p, "built for bioft ABI 0.0, this bioft (0.4) reads 0.1 and newer");
    p = valid;
    p.struct_size = 64;
    refused(&p, "a descriptor of 64 bytes makes no sense");
    p.struct_size = sizeof p + 4;
    refused(&p, "bytes makes no sense");
    p.struct_size = 1u << 30;
    refused(&p, "a descriptor of 1073741824 bytes makes no sense");
}

static void refuses_tables(void **state)
{
    bioft_plugin p = valid;
    bioft_rule short_rule = { .struct_size = 4 };
    (void)state;
    p.options = NULL;
    refused(&p, "its options table is NULL");
    p = valid;
    p.option_size = sizeof option - 8;
    refused(&p, "1 options of 72 bytes make no sense");
    p = valid;
    p.option_count = 1000000;
    refused(&p, "1000000 options");
    p = valid;
    p.vtable = &short_rule;
    refused(&p, "the rule's vtable of 4 bytes makes no sense");
}

/* A plugin built against newer headers, with one field more in each struct. */
static void refuses_what_it_does_not_know(void **state)
{
    struct {
        bioft_plugin p;
        uint64_t more;
    } descriptor = { .p = valid };
    struct {
        bioft_rule r;
        uint64_t more;
    } vtable = { .r = rule };
    struct {
        bioft_option o;
        uint64_t more;
    } options[2] = { { .o = option }, { .o = option } };
    struct plugin *p;
    struct error err;
    (void)state;
    options[1].o.name = "other";
    options[1].o.offset = 8;
    descriptor.p.instance_size = 16;
    descriptor.p.abi_version = BIOFT_ABI_VERSION + 2;
    descriptor.p.struct_size = sizeof descriptor;
    vtable.r.struct_size = sizeof vtable;
    descriptor.p.vtable = &vtable;
    descriptor.p.options = &options[0].o;
    descriptor.p.option_count = 2;
    descriptor.p.option_size = sizeof *options;
    assert_int_equal(plugin_adopt(&descriptor.p, "/x/valid.so", &p, &err), BIOFT_OK);
    assert_int_equal(plugin_check(p, "valid", &err), BIOFT_OK);
    assert_string_equal(p->descriptor.options[1].name, "other");
    plugin_free(p);

    descriptor.more = 1;
    refused(&descriptor.p, "uses something in its descriptor of ABI 0.6 that this bioft (0.4) lacks");
    descriptor.more = 0;
    vtable.more = 1ull << 63;
    refused(&descriptor.p, "uses something in its vtable of ABI 0.6");
    vtable.more = 0;
    options[1].more = 1;
    refused(&descriptor.p, "uses something in its options of ABI 0.6");
}

/* Units and names that meant something before flags did, in the plugins of that time alone. */
static void translates_what_was_words(void **state)
{
    static const struct {
        uint32_t kind, type, minor;
        const char *name, *unit;
        uint32_t want;
    } words[] = {
        { BIOFT_KIND_RULE, BIOFT_F64, 2, "size", "pixel range", BIOFT_OPTION_FRACTIONS },
        { BIOFT_KIND_RULE, BIOFT_F64_LIST, 1, "size", "pixels", BIOFT_OPTION_FRACTIONS },
        { BIOFT_KIND_RULE, BIOFT_F64, 3, "size", "pixels", 0 },
        { BIOFT_KIND_RULE, BIOFT_F64, 2, "size", "epsilon", 0 },
        { BIOFT_KIND_RULE, BIOFT_I64, 2, "size", "pixels", 0 },
        { BIOFT_KIND_ATTACK, BIOFT_I64, 2, "rounds", "steps", BIOFT_OPTION_STEPS },
        { BIOFT_KIND_ATTACK, BIOFT_I64, 3, "rounds", "steps", 0 },
        { BIOFT_KIND_RULE, BIOFT_I64, 2, "rounds", "steps", 0 },
        { BIOFT_KIND_ATTACK, BIOFT_I64, 1, "rounds", "queries", BIOFT_OPTION_QUERIES },
        { BIOFT_KIND_ATTACK, BIOFT_I64, 1, "rounds", "classes", BIOFT_OPTION_CLASSES },
        { BIOFT_KIND_LOSS, BIOFT_F64, 2, "label_smoothing", NULL, BIOFT_OPTION_LABEL_SMOOTHING },
        { BIOFT_KIND_LOSS, BIOFT_F64, 3, "label_smoothing", NULL, 0 },
    };
    const uint32_t vtable[2] = { 8, 0 }; /* as short as any kind's may be */
    struct plugin *p;
    struct error err;
    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        bioft_option o = option;
        bioft_plugin d = valid;
        o.type = words[i].type;
        o.name = words[i].name;
        o.unit = words[i].unit;
        d.kind = words[i].kind;
        d.abi_version = words[i].minor;
        d.options = &o;
        d.vtable = vtable;
        assert_int_equal(plugin_adopt(&d, "/x/valid.so", &p, &err), BIOFT_OK);
        assert_int_equal(p->descriptor.options[0].flags, words[i].want);
        plugin_free(p);
    }
}

static void refuses_other_engine_drafts(void **state)
{
    bioft_engine engine = { .struct_size = sizeof engine, .draft = BIOFT_ENGINE_DRAFT + 1 };
    bioft_plugin p = valid;
    (void)state;
    p.kind = BIOFT_KIND_ENGINE;
    p.vtable = &engine;
    refused(&p, "built for engine draft 2, this bioft has draft 1: rebuild the plugin");
}

/* An older vtable ends early: what it lacks is not given. */
static void fills_a_shorter_vtable(void **state)
{
    bioft_loss loss = { .struct_size = offsetof(bioft_loss, value), .flags = BIOFT_LOSS_CLASSES };
    bioft_plugin d = valid;
    struct plugin *p;
    struct error err;
    (void)state;
    memset((char *)&loss + loss.struct_size, 0xff, sizeof loss - loss.struct_size);
    d.kind = BIOFT_KIND_LOSS;
    d.vtable = &loss;
    assert_int_equal(plugin_adopt(&d, "/x/valid.so", &p, &err), BIOFT_OK);
    assert_null(p->api.loss.value);
    assert_int_equal(plugin_check(p, "valid", &err), BIOFT_ERR_FORMAT);
    assert_string_equal(err.text, "/x/valid.so: callback value is missing: every loss needs it");
    plugin_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(takes_a_valid_one),
        cmocka_unit_test(refuses_heads),
        cmocka_unit_test(refuses_tables),
        cmocka_unit_test(refuses_what_it_does_not_know),
        cmocka_unit_test(translates_what_was_words),
        cmocka_unit_test(refuses_other_engine_drafts),
        cmocka_unit_test(fills_a_shorter_vtable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
