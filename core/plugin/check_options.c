/* Are the rows of an options table right, each by itself and all together? */
#include "plugin/check.h"
#include "plugin/options.h"

#include <math.h>
#include <string.h>

/* Keys of the manifest beside a plugin's own: no option may take their names. */
static const char *const reserved_everywhere[] = { "plugin", "name", NULL };
static const char *const reserved[PLUGIN_KINDS + 1][18] = {
    [BIOFT_KIND_RULE] = { "layers" },
    [BIOFT_KIND_DATASET] = { "root", "transform", "cache", "classes", "split_seed", "protocol", "limit", "missing",
                             "broken", "unlabelled", "split" },
    [BIOFT_KIND_ATTACK] = { "epsilon", "samples", "split", "gradient", "target", "labels", "surrogate", "only",
                            "restarts", "batch_size", "dump", "eot", "rescale_logits", "from", "attack" },
    [BIOFT_KIND_ENGINE] = { "threads" },
};

static bool is_reserved(uint32_t kind, const char *name)
{
    const char *const *lists[] = { reserved_everywhere, kind <= PLUGIN_KINDS ? reserved[kind] : reserved[0] };
    for (size_t i = 0; i < 2; i++)
        for (const char *const *word = lists[i]; *word; word++)
            if (strcmp(*word, name) == 0)
                return true;
    return false;
}

static bool is_choice(const char *s)
{
    return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")] == '\0';
}

/* Returns false where the choices cannot even be counted. */
static bool check_choices(struct faults *f, const bioft_option *o, const char *name)
{
    enum { MOST = 256 };
    size_t count = 0;
    if (o->type != BIOFT_CHOICE) {
        if (o->choices)
            fault(f, "option '%s': has choices, but is not a CHOICE", name);
        return true;
    }
    if (!o->choices || !o->choices[0]) {
        fault(f, "option '%s': no choices", name);
        return false;
    }
    while (count < MOST && o->choices[count])
        count++;
    if (count == MOST) {
        fault(f, "option '%s': more than %d choices, or no NULL after the last", name, MOST);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char escaped[TEXT_ESCAPED];
        const char *wrong = string_fault(o->choices[i]);
        if (wrong) {
            fault(f, "option '%s': choice %zu %s", name, i, wrong);
            continue;
        }
        text_escape(escaped, o->choices[i], strlen(o->choices[i]));
        if (!is_choice(o->choices[i]))
            fault(f, "option '%s': choice '%s': letters, digits, and _ . + - only", name, escaped);
        for (size_t k = 0; k < i; k++)
            if (!string_fault(o->choices[k]) && strcmp(o->choices[i], o->choices[k]) == 0)
                fault(f, "option '%s': choice '%s' is there twice", name, escaped);
    }
    return true;
}

/* Bounds: of numbers only, in order, whole for integers. false: the default cannot be held against them. */
static bool check_bounds(struct faults *f, const bioft_option *o, const char *name)
{
    char low[TEXT_NUMBER], high[TEXT_NUMBER];
    const bool integers = o->type == BIOFT_I64 || o->type == BIOFT_I64_LIST;
    text_number(low, o->min);
    text_number(high, o->max);
    if (!integers && o->type != BIOFT_F64 && o->type != BIOFT_F64_LIST) {
        if (o->min != 0.0 || o->max != 0.0)
            fault(f, "option '%s': has bounds, but is not a number", name);
        return true;
    }
    if (isnan(o->min) || isnan(o->max) || o->min > o->max) {
        fault(f, "option '%s': min %s is above max %s", name, low, high);
        return false;
    }
    if (integers && ((isfinite(o->min) && o->min != floor(o->min)) || (isfinite(o->max) && o->max != floor(o->max))))
        fault(f, "option '%s': bounds %s and %s of an integer must be whole", name, low, high);
    return true;
}

static void check_default(struct faults *f, const bioft_option *o, const char *name)
{
    const bool textual = option_is_list(o->type) || o->type == BIOFT_STRING || o->type == BIOFT_PATH;
    struct option_value value;
    struct error err = { 0 };
    if (textual && o->def != 0.0)
        fault(f, "option '%s': def is not used by its type: give def_string", name);
    if (!textual && o->def_string) {
        fault(f, "option '%s': def_string is not used by its type: give def", name);
        return;
    }
    if (textual && o->def_string && *o->def_string && string_fault(o->def_string)) {
        fault(f, "option '%s': def_string %s", name, string_fault(o->def_string));
        return;
    }
    struct arena *arena = arena_create();
    if (!arena)
        fault(f, "option '%s': out of memory", name);
    else if (option_default(o, arena, &value, &err) != BIOFT_OK)
        fault(f, "option '%s': default: %s", name, err.text);
    arena_destroy(arena);
}

static void check_place(struct faults *f, const bioft_option *o, const char *name)
{
    const size_t instance = f->plugin->descriptor.instance_size, bytes = option_bytes(o->type);
    if (o->offset % option_alignment(o->type) != 0)
        fault(f, "option '%s': offset %u is not aligned to %zu", name, o->offset, option_alignment(o->type));
    if (o->offset > instance || bytes > instance - o->offset)
        fault(f, "option '%s': bytes %u to %zu lie outside the instance of %zu", name, o->offset, o->offset + bytes,
              instance);
}

static void check_words(struct faults *f, const bioft_option *o, const char *name)
{
    if (string_fault(o->help))
        fault(f, "option '%s': its help %s", name, string_fault(o->help));
    if (o->unit && *o->unit && string_fault(o->unit))
        fault(f, "option '%s': its unit %s", name, string_fault(o->unit));
    if (o->reserved != 0)
        fault(f, "option '%s': reserved is %u, not 0", name, o->reserved);
}

/* A flag where its type and its plugin's kind give it a meaning. */
static void check_flags(struct faults *f, const bioft_option *o, const char *name)
{
    const uint32_t kind = f->plugin->descriptor.kind;
    const uint32_t cost = BIOFT_OPTION_STEPS | BIOFT_OPTION_QUERIES | BIOFT_OPTION_CLASSES;
    const uint32_t known = BIOFT_OPTION_FRACTIONS | BIOFT_OPTION_LABEL_SMOOTHING | cost;
    if (o->flags & ~known)
        fault(f, "option '%s': unknown flag 0x%x", name, o->flags & ~known);
    if ((o->flags & BIOFT_OPTION_FRACTIONS) && o->type != BIOFT_F64 && o->type != BIOFT_F64_LIST)
        fault(f, "option '%s': FRACTIONS are for F64 and F64_LIST", name);
    if ((o->flags & cost) && (o->type != BIOFT_I64 || kind != BIOFT_KIND_ATTACK))
        fault(f, "option '%s': STEPS, QUERIES and CLASSES are for an I64 of an attack", name);
    if ((o->flags & BIOFT_OPTION_LABEL_SMOOTHING) && (o->type != BIOFT_F64 || kind != BIOFT_KIND_LOSS))
        fault(f, "option '%s': LABEL_SMOOTHING is for an F64 of a loss", name);
}

static void check_option(struct faults *f, const bioft_option *o, uint32_t index)
{
    char name[TEXT_ESCAPED];
    if (string_fault(o->name)) {
        fault(f, "option %u: its name %s", index, string_fault(o->name));
        return;
    }
    text_escape(name, o->name, strlen(o->name));
    if (!is_option_name(o->name))
        fault(f, "option '%s': a name is a letter, then a-z, 0-9 and _", name);
    else if (is_reserved(f->plugin->descriptor.kind, o->name))
        fault(f, "option '%s': this name is a key of the manifest", name);
    check_flags(f, o, name);
    check_words(f, o, name);
    if (option_bytes(o->type) == 0) {
        fault(f, "option '%s': type %u is unknown to this bioft", name, o->type);
        return;
    }
    check_place(f, o, name);
    const bool countable = check_choices(f, o, name);
    if (check_bounds(f, o, name) && countable)
        check_default(f, o, name);
}

static void check_pair(struct faults *f, const bioft_option *a, const bioft_option *b)
{
    const size_t a_end = a->offset + option_bytes(a->type), b_end = b->offset + option_bytes(b->type);
    if (!is_option_name(a->name) || !is_option_name(b->name))
        return;
    if (strcmp(a->name, b->name) == 0)
        fault(f, "option '%s' is there twice", a->name);
    else if (a->offset < b_end && b->offset < a_end)
        fault(f, "options '%s' and '%s' overlap in the instance", a->name, b->name);
    if (a->flags & b->flags & BIOFT_OPTION_LABEL_SMOOTHING)
        fault(f, "options '%s' and '%s' both have LABEL_SMOOTHING", a->name, b->name);
}

void check_options(struct faults *f)
{
    const bioft_plugin *d = &f->plugin->descriptor;
    for (uint32_t i = 0; i < d->option_count; i++)
        check_option(f, &d->options[i], i);
    for (uint32_t i = 0; i < d->option_count; i++)
        for (uint32_t k = i + 1; k < d->option_count; k++)
            check_pair(f, &d->options[i], &d->options[k]);
}
