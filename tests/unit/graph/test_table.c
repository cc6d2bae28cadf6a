/* docs/backbones.md has a row for every backbone, and it is what the plugins say of themselves.
 * Arguments: that file, then places of plugins. */
#include "base/file.h"
#include "graph/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct table {
    const char *path;
    char *text; /* the whole file */
    struct registry *registry;
};

static struct graph *build(struct instance *i, uint32_t side)
{
    const struct graph_params p = { .backbone = i, .height = side, .width = side };
    struct graph *g = NULL;
    struct error err;

    return graph_build(&p, &g, &err) == BIOFT_OK ? g : NULL;
}

static uint32_t smallest_side(struct instance *i)
{
    for (uint32_t side = 1; side < 1000; side++) {
        struct graph *g = build(i, side);
        graph_destroy(g);
        if (g)
            return side;
    }
    return 0;
}

/* "61,100,840" */
static void add_count(struct text *t, uint64_t n)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text_add(t, ",");
        text_add_n(t, &digits[i], 1);
    }
}

static void add_values(struct text *t, const float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        text_printf(t, "%s%.3f", i ? " " : "", (double)values[i]);
}

/* The row as it should be. */
static void add_row(struct text *t, struct instance *i)
{
    const bioft_plugin *d = &i->plugin->descriptor;
    struct graph *g = build(i, 0);

    assert_non_null(g);
    text_printf(t, "| %s | %u | ", d->name, g->view.layer_count);
    add_count(t, graph_parameter_total(g));
    text_printf(t, " | %.4g | %ux%ux%u, %u | ", (double)graph_work(g) / 1e9, g->published_channels, g->published_height,
                g->published_width, smallest_side(i));
    add_values(t, g->mean, g->view.channels);
    text_add(t, " / ");
    add_values(t, g->std, g->view.channels);
    text_printf(t, " | %s, %u | ", g->head, g->head_published);
    for (uint32_t k = 0; k < d->option_count; k++)
        text_printf(t, "%s%s", k ? ", " : "", d->options[k].name);
    text_add(t, d->option_count ? " |\n" : "|\n");
    graph_destroy(g);
}

/* Such as an ONNX file's: there is no network without it. */
static bool needs_file(const bioft_plugin *d)
{
    for (uint32_t i = 0; i < d->option_count; i++)
        if (d->options[i].type == BIOFT_PATH && !d->options[i].def_string)
            return true;
    return false;
}

static void rows(void **state)
{
    const struct table *table = *state;
    struct error err = { 0 };
    struct text wrong = { 0 };
    char **names;
    size_t count;

    assert_int_equal(registry_names(table->registry, BIOFT_KIND_BACKBONE, &names, &count, &err), BIOFT_OK);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        const struct plugin *plugin;
        struct instance *instance = NULL;
        struct text row = { 0 };

        if (registry_find(table->registry, BIOFT_KIND_BACKBONE, names[i], &plugin, &err) != BIOFT_OK ||
            instance_create(&(struct instance_params){ .plugin = plugin }, &instance, &err) != BIOFT_OK)
            fail_msg("%s", err.text);
        if (!needs_file(&plugin->descriptor))
            add_row(&row, instance);
        if (row.data && !strstr(table->text, row.data))
            text_add(&wrong, row.data);
        text_free(&row);
        instance_destroy(instance);
    }
    registry_names_free(names, count);
    count = wrong.length;
    if (count > 0)
        fprintf(stderr, "%s lacks these rows:\n%s", table->path, wrong.data);
    text_free(&wrong);
    assert_int_equal(count, 0);
}

int main(int argc, char **argv)
{
    struct table table = { .path = argc > 1 ? argv[1] : "" };
    struct registry_places places = { .command_line = (const char *const *)argv + 2 };
    struct error err = { 0 };
    uint8_t *text;
    size_t size;
    const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(rows, &table) };
    int failed;

    places.command_line_count = argc > 2 ? (size_t)argc - 2 : 0;
    if (file_read(table.path, 1 << 20, &text, &size, &err) != BIOFT_OK ||
        registry_create(&places, NULL, &table.registry, &err) != BIOFT_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    table.text = (char *)text;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_destroy(table.registry);
    free(text);
    return failed;
}
