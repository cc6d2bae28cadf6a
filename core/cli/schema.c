/* `bioft schema`: a JSON Schema of the manifest, from schema.json, which has the core's keys, and the installed plugins'
 * options. */
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/plugin_catalogue.h"
#include "cli/print.h"
#include "formats/json.h"

#include "schema_files.inc"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the definitions of the plugins stand in schema.json. */
static const char mark[] = "\"plugins\": \"@plugins@\"";

static const char *text_of(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    return v && v->type == JSON_STRING ? v->text : "";
}

static void member(struct text *t, const char *key, const char *value)
{
    json_key(t, key);
    json_string(t, value);
}

static void bounds(struct text *t, const struct json *option)
{
    static const char *const keys[][2] = { { "min", "minimum" }, { "max", "maximum" } };
    for (size_t i = 0; i < 2; i++) {
        const struct json *v = json_get(option, keys[i][0]);
        if (v && v->type == JSON_NUMBER) {
            json_key(t, keys[i][1]);
            json_number(t, v->number);
        }
    }
}

/* The members that say what one value of an option is. `unit` of pixels takes fractions: 8/255. */
static void value_type(struct text *t, const struct json *option, const char *type)
{
    const bool integer = strcmp(type, "integer") == 0;

    if (strcmp(type, "true or false") == 0) {
        member(t, "type", "boolean");
    } else if (integer || strcmp(type, "number") == 0) {
        if (!integer && strncmp(text_of(option, "unit"), "pixel", 5) == 0) {
            member(t, "$ref", "#/$defs/fraction");
            return;
        }
        member(t, "type", integer ? "integer" : "number");
        bounds(t, option);
    } else {
        const struct json *choices = json_get(option, "choices");
        if (choices && choices->type == JSON_ARRAY) {
            json_key(t, "enum");
            json_begin_array(t);
            for (size_t i = 0; i < choices->count; i++)
                json_string(t, choices->items[i]->text);
            json_end_array(t);
        } else {
            member(t, "type", "string");
        }
    }
}

static void list_type(struct text *t, const struct json *option, const char *item)
{
    member(t, "type", "array");
    json_key(t, "items");
    json_begin_object(t);
    value_type(t, option, item);
    json_end_object(t);
}

/* grid: a list in place of a number makes an attack of each. */
static void option_schema(struct text *t, const struct json *option, bool grid)
{
    const char *type = text_of(option, "type");
    const char *item = strcmp(type, "list of numbers") == 0    ? "number"
                       : strcmp(type, "list of integers") == 0 ? "integer"
                       : strcmp(type, "list of texts") == 0    ? "text"
                                                               : NULL;
    json_key(t, text_of(option, "name"));
    json_begin_object(t);
    member(t, "description", text_of(option, "help"));
    if (item) {
        list_type(t, option, item);
    } else if (grid && (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)) {
        json_key(t, "anyOf");
        json_begin_array(t);
        json_begin_object(t);
        value_type(t, option, type);
        json_end_object(t);
        json_begin_object(t);
        list_type(t, option, type);
        json_end_object(t);
        json_end_array(t);
    } else {
        value_type(t, option, type);
    }
    json_end_object(t);
}

struct schema {
    const struct catalogue *catalogue;
    const struct json *defs; /* of schema.json */
};

static bool is_of(const struct catalogue_row *row, uint32_t kind)
{
    return row->kind == kind && row->plugin && !row->overridden;
}

/* The keys that every map of a plugin of this kind takes; NULL: none. */
static const struct json *common_keys(const struct schema *s, uint32_t kind)
{
    char name[64];
    snprintf(name, sizeof name, "%s_keys", kind_word(kind));
    return json_get(json_get(s->defs, name), "properties");
}

/* The keys of one plugin's map, where `plugin` is its name. */
static void plugin_map(struct text *t, const struct schema *s, const struct catalogue_row *row)
{
    const struct json *options = json_get(row->plugin, "options"), *keys = common_keys(s, row->kind);

    json_begin_object(t);
    json_key(t, "if");
    json_begin_object(t);
    json_key(t, "properties");
    json_begin_object(t);
    json_key(t, "plugin");
    json_begin_object(t);
    member(t, "const", row->name);
    json_end_object(t);
    json_end_object(t);
    json_end_object(t);
    json_key(t, "then");
    json_begin_object(t);
    json_key(t, "additionalProperties");
    json_bool(t, false);
    json_key(t, "properties");
    json_begin_object(t);
    json_key(t, "plugin");
    json_bool(t, true);
    for (size_t i = 0; keys && i < keys->count; i++) {
        json_key(t, keys->keys[i]);
        json_bool(t, true);
    }
    for (size_t i = 0; options && i < options->count; i++)
        option_schema(t, options->items[i], row->kind == BIOFT_KIND_ATTACK);
    json_end_object(t);
    json_end_object(t);
    json_end_object(t);
}

/* A name, or a map with the name, the kind's keys and the plugin's options. */
static void kind_schema(struct text *t, const struct schema *s, uint32_t kind)
{
    const struct json *keys = common_keys(s, kind);

    json_key(t, kind_word(kind));
    json_begin_object(t);
    json_key(t, "if");
    json_begin_object(t);
    member(t, "type", "string");
    json_end_object(t);
    json_key(t, "then");
    json_begin_object(t);
    json_key(t, "anyOf");
    json_begin_array(t);
    if (kind == BIOFT_KIND_ENGINE) {
        json_begin_object(t);
        member(t, "const", "auto");
        json_end_object(t);
    }
    for (size_t i = 0; i < s->catalogue->count; i++)
        if (is_of(&s->catalogue->rows[i], kind)) {
            json_begin_object(t);
            member(t, "const", s->catalogue->rows[i].name);
            member(t, "description", text_of(s->catalogue->rows[i].plugin, "summary"));
            json_end_object(t);
        }
    json_end_array(t);
    json_end_object(t);
    json_key(t, "else");
    json_begin_object(t);
    member(t, "type", "object");
    json_key(t, "required");
    json_begin_array(t);
    json_string(t, "plugin");
    json_end_array(t);
    json_key(t, "properties");
    json_begin_object(t);
    json_key(t, "plugin");
    json_begin_object(t);
    json_key(t, "enum");
    json_begin_array(t);
    if (kind == BIOFT_KIND_ENGINE)
        json_string(t, "auto");
    for (size_t i = 0; i < s->catalogue->count; i++)
        if (is_of(&s->catalogue->rows[i], kind))
            json_string(t, s->catalogue->rows[i].name);
    json_end_array(t);
    json_end_object(t);
    for (size_t i = 0; keys && i < keys->count; i++) {
        char to[160];
        snprintf(to, sizeof to, "#/$defs/%s_keys/properties/%s", kind_word(kind), keys->keys[i]);
        json_key(t, keys->keys[i]);
        json_begin_object(t);
        member(t, "$ref", to);
        json_end_object(t);
    }
    json_end_object(t);
    json_key(t, "allOf");
    json_begin_array(t);
    json_begin_object(t); /* an empty list is none in a schema */
    json_end_object(t);
    for (size_t i = 0; i < s->catalogue->count; i++)
        if (is_of(&s->catalogue->rows[i], kind))
            plugin_map(t, s, &s->catalogue->rows[i]);
    json_end_array(t);
    json_end_object(t);
    json_end_object(t);
}

static bioft_status write_schema(struct registry *r, struct arena *arena, struct text *ret, struct error *err)
{
    const char *text = embedded_files[0].text, *at = strstr(text, mark);
    struct catalogue c;
    struct text plugins = { 0 };
    struct json *root = NULL;
    bioft_status st = json_parse("schema.json", text, strlen(text), arena, &root, err);

    if (st == BIOFT_OK)
        st = catalogue_read(r, 0, NULL, arena, &c, err);
    if (st != BIOFT_OK)
        return st;
    const struct schema s = { &c, json_get(root, "$defs") };
    json_begin_object(&plugins);
    for (uint32_t kind = 1; kind <= PLUGIN_KINDS; kind++)
        kind_schema(&plugins, &s, kind);
    json_end_object(&plugins);
    text_add_n(ret, text, at ? (size_t)(at - text) : strlen(text));
    if (at && !plugins.failed) { /* the members, without their braces */
        text_add_n(ret, plugins.data + 1, plugins.length - 2);
        text_add(ret, at + sizeof mark - 1);
    }
    if (plugins.failed || ret->failed)
        st = error_memory(err, "the schema");
    text_free(&plugins);
    return st;
}

int command_schema(int argc, char **argv)
{
    struct argument_list paths = { 0 };
    const struct argument arguments[] = {
        { "plugin-path", "DIR", ARGUMENT_LIST, &paths, "look for plugins here first; may be repeated" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "schema",
        .usage = "[options]",
        .arguments = arguments,
        .summary =
            "Prints a JSON Schema of the manifest with the options of the installed plugins. Editors check and complete\n"
            "a manifest by it that begins with: # yaml-language-server: $schema=bioft.schema.json",
    };
    struct console console;
    struct registry *r = NULL;
    struct arena *arena = NULL;
    struct text t = { 0 };
    struct error err;
    int status = arguments_parse(&line, argc, argv);

    if (status >= 0)
        return status;
    console_init(&console, false);
    bioft_status st = (arena = arena_create()) ? BIOFT_OK : error_memory(&err, "the schema");
    if (st == BIOFT_OK)
        st = registry_create(&(struct registry_places){ .command_line = paths.items,
                                                        .command_line_count = paths.count,
                                                        .environment = true,
                                                        .implicit = true,
                                                        .unopened = true },
                             &console.log, &r, &err);
    if (st == BIOFT_OK)
        st = write_schema(r, arena, &t, &err);
    if (st == BIOFT_OK)
        print("%s", t.data);
    else
        console_error(&console, err.text);
    text_free(&t);
    registry_destroy(r);
    arena_destroy(arena);
    console_finish(&console);
    return st == BIOFT_OK ? 0 : st == BIOFT_ERR_INVALID ? 2 : 1;
}
