/* What a descriptor says, for programs: one JSON object. */
#include "formats/json.h"
#include "plugin/show.h"

static void member(struct text *t, const char *key, const char *value)
{
    json_key(t, key);
    json_string(t, value);
}

static void value_json(const bioft_option *o, const struct option_value *v, struct text *t)
{
    switch (o->type) {
    case BIOFT_F64: json_number(t, v->number); break;
    case BIOFT_I64: json_integer(t, v->integer); break;
    case BIOFT_BOOL: json_bool(t, v->integer != 0); break;
    case BIOFT_CHOICE: json_string(t, o->choices[v->integer]); break;
    case BIOFT_STRING:
    case BIOFT_PATH: json_string(t, v->text); break;
    default:
        json_begin_array(t);
        for (size_t i = 0; i < v->count; i++) {
            if (o->type == BIOFT_F64_LIST)
                json_number(t, v->numbers[i]);
            else if (o->type == BIOFT_I64_LIST)
                json_integer(t, v->integers[i]);
            else
                json_string(t, v->texts[i]);
        }
        json_end_array(t);
    }
}

static void option_json(const bioft_option *o, struct text *t)
{
    struct option_value value;
    struct text type = { 0 };
    struct arena *arena = arena_create();
    json_begin_object(t);
    member(t, "name", o->name);
    option_type_text(o, &type);
    member(t, "type", type.data);
    if (o->type == BIOFT_CHOICE) {
        json_key(t, "choices");
        json_begin_array(t);
        for (size_t i = 0; o->choices[i]; i++)
            json_string(t, o->choices[i]);
        json_end_array(t);
    }
    if (o->min != 0.0 || o->max != 0.0) {
        json_key(t, "min");
        json_number(t, o->min);
        json_key(t, "max");
        json_number(t, o->max);
    }
    json_key(t, "default");
    if (arena && option_default(o, arena, &value, NULL) == BIOFT_OK)
        value_json(o, &value, t);
    else
        t->failed = true;
    member(t, "unit", o->unit ? o->unit : "");
    member(t, "help", o->help);
    json_end_object(t);
    t->failed = t->failed || type.failed;
    text_free(&type);
    arena_destroy(arena);
}

static void trait_json(void *ctx, const char *trait) { json_string(ctx, trait); }

/* Of an engine: its score on this machine, and why. */
static void score_json(const struct plugin *p, struct text *ret)
{
    char why[512] = "";

    if (p->descriptor.kind != BIOFT_KIND_ENGINE || !p->api.engine.score)
        return;
    json_key(ret, "score");
    json_integer(ret, p->api.engine.score(why, sizeof why));
    why[sizeof why - 1] = '\0';
    member(ret, "why", why);
}

void plugin_show_json(const struct plugin *p, struct text *ret)
{
    const bioft_plugin *d = &p->descriptor;
    json_begin_object(ret);
    member(ret, "kind", kind_word(d->kind));
    member(ret, "name", d->name);
    member(ret, "version", d->version);
    member(ret, "author", d->author);
    member(ret, "license", d->license);
    member(ret, "summary", d->summary);
    member(ret, "reference", d->reference);
    json_key(ret, "abi");
    json_begin_array(ret);
    json_integer(ret, d->abi_version >> 16);
    json_integer(ret, d->abi_version & 0xffff);
    json_end_array(ret);
    member(ret, "path", p->path);
    score_json(p, ret);
    if (d->kind == BIOFT_KIND_DATASET) {
        member(ret, "layout", p->api.dataset.layout);
        member(ret, "samples", p->api.dataset.samples);
        member(ret, "source", p->api.dataset.source);
    }
    json_key(ret, "notes");
    json_begin_array(ret);
    for (size_t i = 0; d->notes && d->notes[i]; i++)
        json_string(ret, d->notes[i]);
    json_end_array(ret);
    json_key(ret, "instance_size");
    json_integer(ret, (int64_t)d->instance_size);
    json_key(ret, "traits");
    json_begin_array(ret);
    plugin_traits(p, trait_json, ret);
    json_end_array(ret);
    json_key(ret, "options");
    json_begin_array(ret);
    for (uint32_t i = 0; i < d->option_count; i++)
        option_json(&d->options[i], ret);
    json_end_array(ret);
    json_end_object(ret);
}
