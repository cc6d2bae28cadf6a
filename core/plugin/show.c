/* What a descriptor says, for people. */
#include "plugin/show.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 100, INDENT = 4 };

void option_range_text(const bioft_option *o, struct text *ret)
{
    char low[TEXT_NUMBER], high[TEXT_NUMBER];
    text_number(low, o->min);
    text_number(high, o->max);
    if (o->min == 0.0 && o->max == 0.0)
        return;
    if (isinf(o->max))
        text_printf(ret, "at least %s", low);
    else if (isinf(o->min))
        text_printf(ret, "at most %s", high);
    else
        text_printf(ret, "from %s to %s", low, high);
}

/* Words of s wrapped at WIDTH, each line indented; the first begins at `column`, where one is given. */
static void wrapped_after(size_t column, size_t indent, const char *s, struct text *ret)
{
    while (*s) {
        const size_t n = strcspn(s, " ");
        if (n > 0) {
            if (column > 0 && column + 1 + n > WIDTH) {
                text_add(ret, "\n");
                column = 0;
            }
            if (column == 0) {
                text_printf(ret, "%*s", (int)indent, "");
                column = indent;
            } else if (column > indent) {
                text_add(ret, " ");
                column++;
            }
            text_add_n(ret, s, n);
            column += n;
        }
        s += n + (s[n] == ' ');
    }
    text_add(ret, "\n");
}

static void wrapped(const char *s, struct text *ret) { wrapped_after(0, INDENT, s, ret); }

/* A text or a path may have none: then a manifest cannot write it. */
static bool has_default(const bioft_option *o)
{
    return o->def_string || (o->type != BIOFT_STRING && o->type != BIOFT_PATH);
}

/* before, then the default as a manifest writes it. */
static void show_default(const char *before, const bioft_option *o, struct text *ret)
{
    struct option_value value;
    struct arena *arena = arena_create();
    text_add(ret, before);
    if (arena && option_default(o, arena, &value, NULL) == BIOFT_OK)
        option_text(o, &value, ret);
    else
        ret->failed = true;
    arena_destroy(arena);
}

/* "scale: one of none, xavier; default xavier" and below it what it is for. */
static void show_option(const bioft_option *o, struct text *ret)
{
    struct text range = { 0 };
    text_printf(ret, "  %s: ", o->name);
    option_type_text(o, ret);
    option_range_text(o, &range);
    if (range.length > 0)
        text_printf(ret, " %s", range.data);
    if (o->unit && *o->unit)
        text_printf(ret, " [%s]", o->unit);
    if (has_default(o))
        show_default("; default ", o, ret);
    text_add(ret, "\n");
    wrapped(o->help, ret);
    ret->failed = ret->failed || range.failed;
    text_free(&range);
}

static void show_trait(void *ctx, const char *trait) { text_printf(ctx, "  %s\n", trait); }

/* Where such a plugin stands in a manifest: what comes before it and after its name. */
static const struct {
    const char *before, *after;
} examples[PLUGIN_KINDS + 1] = {
    [BIOFT_KIND_RULE] = { "  stages:\n    - rule: {plugin: ", "" },
    [BIOFT_KIND_BACKBONE] = { "  model:\n    backbone: {plugin: ", "" },
    [BIOFT_KIND_DATASET] = { "  dataset: {plugin: ", ", root: FOLDER" },
    [BIOFT_KIND_ATTACK] = { "  attacks:\n    - {plugin: ", ", epsilon: [0, 8/255]" },
    [BIOFT_KIND_LOSS] = { "  stages:\n    - loss: {plugin: ", "" },
    [BIOFT_KIND_ENGINE] = { "  engine: {plugin: ", "" },
};

static void show_example(const bioft_plugin *d, struct text *ret)
{
    text_printf(ret, "\nin a manifest, with its defaults:\n%s%s%s", examples[d->kind].before, d->name,
                examples[d->kind].after);
    for (uint32_t i = 0; i < d->option_count; i++)
        if (has_default(&d->options[i])) {
            text_printf(ret, ", %s: ", d->options[i].name);
            show_default("", &d->options[i], ret);
        }
    text_add(ret, "}\n");
}

/* Whether an engine runs on this machine, in its own words. */
static void show_score(const struct plugin *p, struct text *ret)
{
    char why[512] = "";
    int32_t points;

    if (p->descriptor.kind != BIOFT_KIND_ENGINE || !p->api.engine.score)
        return;
    points = p->api.engine.score(why, sizeof why);
    why[sizeof why - 1] = '\0';
    if (points > 0)
        text_printf(ret, "here       runs, score %d: %s\n", (int)points, why);
    else
        text_printf(ret, "here       does not run: %s\n", why);
}

/* "layout     train_images.npy, ..." */
static void show_line(const char *what, const char *text, struct text *ret)
{
    enum { COLUMN = 11 };
    if (!text)
        return;
    text_printf(ret, "%-*s", COLUMN, what);
    wrapped_after(COLUMN, COLUMN, text, ret);
}

static void show_data(const bioft_dataset *d, struct text *ret)
{
    if (!d->layout && !d->samples && !d->source)
        return;
    text_add(ret, "\n");
    show_line("layout", d->layout, ret);
    show_line("samples", d->samples, ret);
    show_line("source", d->source, ret);
}

static void show_notes(const char *const *notes, struct text *ret)
{
    if (notes && *notes)
        text_add(ret, "\nnotes:\n");
    for (; notes && *notes; notes++) {
        text_add(ret, "  - ");
        wrapped_after(INDENT, INDENT, *notes, ret);
    }
}

void plugin_show(const struct plugin *p, struct text *ret)
{
    const bioft_plugin *d = &p->descriptor;
    text_printf(ret, "%s '%s': %s\n\n", kind_word(d->kind), d->name, d->summary);
    if (*d->reference)
        text_printf(ret, "reference  %s\n", d->reference);
    text_printf(ret, "version    %s\nauthor     %s\nlicence    %s\n", d->version, d->author, d->license);
    text_printf(ret, "ABI        %u.%u\nfile       %s\n", d->abi_version >> 16, d->abi_version & 0xffff, p->path);
    show_score(p, ret);
    if (d->kind == BIOFT_KIND_DATASET)
        show_data(&p->api.dataset, ret);
    show_notes(d->notes, ret);

    struct text traits = { 0 };
    plugin_traits(p, show_trait, &traits);
    if (traits.length > 0)
        text_printf(ret, "\nwhat it does:\n%s", traits.data);
    ret->failed = ret->failed || traits.failed;
    text_free(&traits);

    text_add(ret, d->option_count > 0 ? "\noptions:\n" : "\nIt has no options.\n");
    for (uint32_t i = 0; i < d->option_count; i++)
        show_option(&d->options[i], ret);
    show_example(d, ret);
}
