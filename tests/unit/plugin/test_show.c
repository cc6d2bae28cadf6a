/* A descriptor in words and as JSON. */
#include "test.h"

#include "formats/json.h"
#include "plugin/show.h"

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    (void)self;
    (void)v;
    (void)clean;
    (void)epsilon;
    (void)ret_x;
    return BIOFT_OK;
}

static const char *const choices[] = { "none", "xavier", NULL };
static const bioft_option options[] = {
    { .name = "alpha",
      .type = BIOFT_F64,
      .offset = offsetof(struct sample, number),
      .def = 0.25,
      .min = 0,
      .max = 1,
      .unit = "pixels",
      .help = "the step" },
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(struct sample, integer),
      .def = 5,
      .min = 1,
      .max = (double)INFINITY,
      .help = "how many steps, each of which takes one forward and one backward pass of the "
              "whole network, so that twice the steps take twice the time" },
    { .name = "mode",
      .type = BIOFT_CHOICE,
      .offset = offsetof(struct sample, choice),
      .choices = choices,
      .help = "m" },
    { .name = "list",
      .type = BIOFT_F64_LIST,
      .offset = offsetof(struct sample, numbers),
      .def_string = "[0, 1]",
      .help = "l" },
    { .name = "path", .type = BIOFT_PATH, .offset = offsetof(struct sample, path), .help = "p" },
};

static const bioft_attack attack = {
    .struct_size = sizeof attack,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_TARGETED,
    .norm = BIOFT_LINF,
    .run = run,
};
static const char *const notes[] = { "It deviates.",
                                     "It deviates again, and says so in so many words that the line "
                                     "has to be wrapped somewhere behind it.",
                                     NULL };
static const bioft_plugin descriptor = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "sample", "1.2", "Jos\xc3\xa9", "MIT"),
    .summary = "a \"sample\"",
    .reference = "Someone, 2020",
    .instance_size = sizeof(struct sample),
    .options = options,
    .option_count = COUNT(options),
    .option_size = sizeof *options,
    .vtable = &attack,
    .notes = notes,
};

static struct plugin *sample(void)
{
    struct plugin *p = NULL;
    struct error err = { 0 };
    if (plugin_adopt(&descriptor, "/x/sample.so", &p, &err) != BIOFT_OK || plugin_check(p, "sample", &err) != BIOFT_OK)
        test_fail("%s\n", err.text);
    return p;
}

static void shows_everything(void **state)
{
    struct plugin *p = sample();
    struct text t = { 0 };
    (void)state;
    plugin_show(p, &t);
    assert_false(t.failed);
    assert_string_equal(
        t.data, "attack 'sample': a \"sample\"\n"
                "\n"
                "reference  Someone, 2020\n"
                "version    1.2\n"
                "author     Jos\xc3\xa9\n"
                "licence    MIT\n"
                "ABI        0.4\n"
                "file       /x/sample.so\n"
                "\n"
                "notes:\n"
                "  - It deviates.\n"
                "  - It deviates again, and says so in so many words that the line has to be wrapped somewhere behind\n"
                "    it.\n"
                "\n"
                "what it does:\n"
                "  norm: L-infinity\n"
                "  needs a gradient\n"
                "  can be targeted\n"
                "\n"
                "options:\n"
                "  alpha: number from 0 to 1 [pixels]; default 0.25\n"
                "    the step\n"
                "  steps: integer at least 1; default 5\n"
                "    how many steps, each of which takes one forward and one backward pass of the whole network, so\n"
                "    that twice the steps take twice the time\n"
                "  mode: one of none, xavier; default none\n"
                "    m\n"
                "  list: list of numbers; default [0, 1]\n"
                "    l\n"
                "  path: path\n"
                "    p\n"
                "\n"
                "in a manifest, with its defaults:\n"
                "  attacks:\n"
                "    - {plugin: sample, epsilon: [0, 8/255], alpha: 0.25, steps: 5, mode: none, list: [0, 1]}\n");
    text_free(&t);
    plugin_free(p);
}

static const char *string_of(const struct json *object, const char *key)
{
    const struct json *j = json_get(object, key);
    assert_non_null(j);
    assert_int_equal(j->type, JSON_STRING);
    return j->text;
}

static void shows_json(void **state)
{
    struct plugin *p = sample();
    struct arena *arena = arena_create();
    struct text t = { 0 };
    struct json *j;
    struct error err;
    (void)state;
    plugin_show_json(p, &t);
    assert_false(t.failed);
    assert_null(strchr(t.data, '\n'));
    assert_int_equal(json_parse("show", t.data, t.length, arena, &j, &err), BIOFT_OK);
    assert_string_equal(string_of(j, "kind"), "attack");
    assert_string_equal(string_of(j, "name"), "sample");
    assert_string_equal(string_of(j, "version"), "1.2");
    assert_string_equal(string_of(j, "author"), "Jos\xc3\xa9");
    assert_string_equal(string_of(j, "license"), "MIT");
    assert_string_equal(string_of(j, "summary"), "a \"sample\"");
    assert_string_equal(string_of(j, "reference"), "Someone, 2020");
    assert_string_equal(string_of(j, "path"), "/x/sample.so");
    assert_int_equal(json_get(j, "notes")->count, 2);
    assert_string_equal(json_get(j, "notes")->items[0]->text, "It deviates.");
    assert_int_equal(json_get(j, "traits")->count, 3);
    const struct json *o = json_get(j, "options");
    assert_int_equal(o->count, COUNT(options));
    assert_string_equal(string_of(o->items[0], "name"), "alpha");
    assert_string_equal(string_of(o->items[0], "type"), "number");
    assert_string_equal(string_of(o->items[0], "unit"), "pixels");
    assert_true(json_get(o->items[0], "default")->number == 0.25);
    assert_true(json_get(o->items[0], "max")->number == 1);
    assert_int_equal(json_get(o->items[1], "max")->type, JSON_NULL); /* no largest */
    assert_int_equal(json_get(o->items[2], "choices")->count, 2);
    assert_string_equal(string_of(o->items[2], "default"), "none");
    assert_null(json_get(o->items[2], "min"));
    assert_int_equal(json_get(o->items[3], "default")->count, 2);
    assert_int_equal(json_get(o->items[4], "default")->type, JSON_NULL);
    text_free(&t);
    arena_destroy(arena);
    plugin_free(p);
}

static void count_trait(void *ctx, const char *trait)
{
    assert_true(strlen(trait) > 0);
    ++*(int *)ctx;
}

/* A rule without callbacks says so; a backbone has nothing beside its options. */
static void tells_traits(void **state)
{
    struct plugin p = { .descriptor.kind = BIOFT_KIND_RULE };
    int count = 0;
    (void)state;
    plugin_traits(&p, count_trait, &count);
    assert_int_equal(count, 1);
    p.descriptor.kind = BIOFT_KIND_BACKBONE;
    plugin_traits(&p, count_trait, &count);
    assert_int_equal(count, 1);
    p.descriptor.kind = BIOFT_KIND_LOSS;
    p.api.loss.flags = BIOFT_LOSS_CLASSES | BIOFT_LOSS_MULTI_LABEL;
    plugin_traits(&p, count_trait, &count);
    assert_int_equal(count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_everything),
        cmocka_unit_test(shows_json),
        cmocka_unit_test(tells_traits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
