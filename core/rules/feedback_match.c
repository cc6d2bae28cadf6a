/* Which rule a layer has: the patterns of a stage's `rules`, first match wins, and what a rule
 * declares for it. */
#include "rules/feedback_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 12 }; /* layers named in a message */

/* The layer, or the part of a layer's name before a dot, that a pattern without a match may have
 * meant. */
static const char *nearest_name(const struct feedback *f, const char *pattern, struct arena *arena)
{
    size_t length = strcspn(pattern, "*?"), count = 0, capacity = 0;
    for (uint32_t i = 0; i < f->layer_count; i++)
        for (const char *s = f->layers[i].layer.name; s; s = strchr(s + 1, '.'))
            capacity++;
    while (length > 0 && pattern[length - 1] == '.')
        length--;
    const char **names = arena_array(arena, capacity, sizeof(*names));
    const char *word = arena_text_n(arena, pattern, length);
    if (!names || !word)
        return NULL;
    for (uint32_t i = 0; i < f->layer_count; i++) {
        const char *name = f->layers[i].layer.name;
        names[count++] = name;
        for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
            names[count] = arena_text_n(arena, name, (size_t)(dot - name));
            count += names[count] != NULL;
        }
    }
    return text_nearest(word, names, count);
}

static void say_unmatched_pattern(const struct feedback *f, const char *pattern, struct text *t)
{
    struct arena *arena = arena_create();
    const char *nearest = arena ? nearest_name(f, pattern, arena) : NULL;
    text_printf(t, "%srules: the pattern '%s' matches no layer; ", t->length > 0 ? "\n" : "", pattern);
    if (nearest) {
        text_printf(t, "did you mean '%s'?", nearest);
    } else {
        text_add(t, "the layers are");
        for (uint32_t i = 0; i < f->layer_count && i < LISTED; i++)
            text_printf(t, "%s%s", i > 0 ? ", " : " ", f->layers[i].layer.name);
        text_add(t, f->layer_count > LISTED ? ", ..." : "");
    }
    arena_destroy(arena);
}

static void say_unmatched_layer(const char *layer, const struct rule_spec *rules, size_t count, struct text *t)
{
    const char **patterns = mem_array(count, sizeof(*patterns));
    for (size_t r = 0; patterns && r < count; r++)
        patterns[r] = rules[r].layers;
    const char *nearest = patterns ? text_nearest(layer, patterns, count) : NULL;
    text_printf(t, "%srules: no entry matches layer '%s'", t->length > 0 ? "\n" : "", layer);
    if (nearest)
        text_printf(t, "; the nearest pattern is '%s'", nearest);
    else
        text_add(t, "; an entry for \"*\" at the end takes the rest");
    free(patterns);
}

bioft_status feedback_match(struct feedback *f, const struct rule_spec *rules, size_t count, struct error *err)
{
    struct text said = { 0 };
    for (uint32_t i = 0; i < f->layer_count; i++)
        f->layers[i].entry = SIZE_MAX;
    for (size_t r = 0; r < count; r++) {
        bool any = false;
        for (uint32_t i = 0; i < f->layer_count; i++)
            if (text_match(rules[r].layers, f->layers[i].layer.name)) {
                any = true;
                if (f->layers[i].entry == SIZE_MAX)
                    f->layers[i].entry = r;
            }
        if (!any)
            say_unmatched_pattern(f, rules[r].layers, &said);
    }
    for (uint32_t i = 0; i < f->layer_count; i++)
        if (f->layers[i].entry == SIZE_MAX)
            say_unmatched_layer(f->layers[i].layer.name, rules, count, &said);
    bioft_status st = BIOFT_OK;
    if (said.failed)
        st = error_memory(err, "rules");
    else if (said.length > 0)
        st = error_set(err, BIOFT_ERR_INVALID, "%s", said.data);
    text_free(&said);
    return st;
}

bioft_status layer_error(const struct feedback *f, const struct layer_rule *l, bioft_status status, struct error *err)
{
    instance_error(f->instances[l->entry], status, err);
    error_prefix(err, "layer '%s'", l->layer.name);
    return status;
}

/* NULL where a declaration is one that engines can follow. */
static const char *fault_of(const bioft_feedback *d)
{
    if (d->g > BIOFT_G_ONE)
        return "g is not a function of W";
    if (d->m > BIOFT_M_ABS_NORMAL)
        return "m is not a distribution";
    if (d->redraw > BIOFT_REDRAW_EACH_UPDATE)
        return "redraw is not a policy";
    if (d->scale > BIOFT_SCALE_CONSTANT)
        return "scale is unknown";
    if (!isfinite(d->constant) || !isfinite(d->low) || !isfinite(d->high))
        return "constant, low and high must be finite";
    if (d->m == BIOFT_M_UNIFORM && d->low >= d->high)
        return "low must be below high";
    if ((d->m == BIOFT_M_NORMAL || d->m == BIOFT_M_ABS_NORMAL) && d->high < 0.0f)
        return "high, the deviation, must not be negative";
    return NULL;
}

static bioft_status ask_route(struct feedback *f, struct layer_rule *l, struct error *err)
{
    const uint32_t readable = BIOFT_X | BIOFT_Y | BIOFT_H | BIOFT_DY | BIOFT_DX | BIOFT_DW | BIOFT_E | BIOFT_W;
    const uint32_t writable = BIOFT_DY | BIOFT_DX | BIOFT_DW;
    const bioft_rule *rule = rule_of(f, l);
    l->route = (bioft_route){ .struct_size = sizeof(l->route) };
    if (!rule->route)
        return BIOFT_OK;
    bioft_status st = rule->route(self_of(f, l), &l->layer, &l->route);
    if (st != BIOFT_OK)
        return layer_error(f, l, st, err);
    const char *name = f->instances[l->entry]->plugin->descriptor.name;
    if (l->route.reads & ~readable || l->route.writes & ~writable || l->route.reserved != 0)
        return error_set(err, BIOFT_ERR_INVALID,
                         "layer '%s': rule '%s' routes quantities that do not exist "
                         "(reads %#x, writes %#x)",
                         l->layer.name, name, l->route.reads, l->route.writes);
    if ((l->route.reads | l->route.writes) != 0 && !rule->local)
        return error_set(err, BIOFT_ERR_INVALID, "layer '%s': rule '%s' has a route but no local()", l->layer.name,
                         name);
    return BIOFT_OK;
}

bioft_status feedback_ask(struct feedback *f, struct layer_rule *l, struct error *err)
{
    const bioft_rule *rule = rule_of(f, l);
    l->declared = (bioft_feedback){
        .struct_size = sizeof(l->declared),
        .g = BIOFT_G_IDENTITY,
        .m = BIOFT_M_ONES,
        .redraw = BIOFT_REDRAW_NEVER,
        .scale = BIOFT_SCALE_NONE,
    };
    if (rule->feedback && !rule->fill_feedback) {
        bioft_status st = rule->feedback(self_of(f, l), &l->layer, &l->declared);
        if (st != BIOFT_OK)
            return layer_error(f, l, st, err);
        const char *fault = fault_of(&l->declared);
        if (fault)
            return error_set(err, BIOFT_ERR_INVALID, "layer '%s': rule '%s' declares an invalid feedback: %s",
                             l->layer.name, f->instances[l->entry]->plugin->descriptor.name, fault);
    }
    return ask_route(f, l, err);
}
