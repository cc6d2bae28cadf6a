/* A catalogue of plugins as a table for people, as JSON, and as a page for the documentation. */
#include "cli/plugin_catalogue.h"

#include <string.h>

static const char *member(const struct catalogue_row *row, const char *key)
{
    const struct json *j = row->plugin ? json_get(row->plugin, key) : NULL;
    return j && j->type == JSON_STRING ? j->text : "";
}

static const char *word(const struct catalogue_row *row) { return row->kind ? kind_word(row->kind) : "-"; }

void catalogue_text(const struct catalogue *c, struct text *ret)
{
    size_t name_width = 4, version_width = 7;
    for (size_t i = 0; i < c->count; i++) {
        const size_t name = strlen(c->rows[i].name), version = strlen(member(&c->rows[i], "version"));
        name_width = name > name_width ? name : name_width;
        version_width = version > version_width ? version : version_width;
    }
    text_printf(ret, "%-9s %-*s %-*s %s\n", "KIND", (int)name_width, "NAME", (int)version_width, "VERSION", "WHAT");
    for (size_t i = 0; i < c->count; i++) {
        const struct catalogue_row *row = &c->rows[i];
        text_printf(ret, "%-9s %-*s %-*s ", word(row), (int)name_width, row->name, (int)version_width,
                    row->fault ? "-" : member(row, "version"));
        if (row->overridden)
            text_printf(ret, "[overridden: %s] ", row->path);
        text_printf(ret, "%s%s\n", row->fault ? "refused: " : "", row->fault ? row->fault : member(row, "summary"));
    }
}

void catalogue_json(const struct catalogue *c, struct text *ret)
{
    static const char *const strings[] = { "version", "author", "license", "summary", "reference" };
    json_begin_array(ret);
    for (size_t i = 0; i < c->count; i++) {
        const struct catalogue_row *row = &c->rows[i];
        json_begin_object(ret);
        json_key(ret, "kind");
        json_string(ret, row->kind ? kind_word(row->kind) : NULL);
        json_key(ret, "name");
        json_string(ret, row->name);
        for (size_t k = 0; k < sizeof strings / sizeof *strings; k++) {
            json_key(ret, strings[k]);
            json_string(ret, row->fault ? NULL : member(row, strings[k]));
        }
        json_key(ret, "path");
        json_string(ret, row->path);
        json_key(ret, "explicit");
        json_bool(ret, row->explicit_place);
        json_key(ret, "overridden");
        json_bool(ret, row->overridden);
        json_key(ret, "fault");
        json_string(ret, row->fault);
        json_end_object(ret);
    }
    json_end_array(ret);
    text_add(ret, "\n");
}

/* What Markdown would take for a column's end. */
static void cell(const char *s, struct text *ret)
{
    for (; *s; s++) {
        if (*s == '|' || *s == '\\' || *s == '<')
            text_add(ret, "\\");
        text_add_n(ret, s, 1);
    }
}

static void default_cell(const struct json *value, struct text *ret)
{
    switch (value ? value->type : JSON_NULL) {
    case JSON_BOOL: text_add(ret, value->boolean ? "true" : "false"); break;
    case JSON_NUMBER:
    case JSON_STRING: cell(value->text, ret); break;
    case JSON_ARRAY:
        text_add(ret, "[");
        for (size_t i = 0; i < value->count; i++) {
            text_add(ret, i > 0 ? ", " : "");
            default_cell(value->items[i], ret);
        }
        text_add(ret, "]");
        break;
    default: text_add(ret, "none");
    }
}

static void options_cell(const struct json *options, struct text *ret)
{
    for (size_t i = 0; options && i < options->count; i++) {
        const struct json *o = options->items[i], *name = json_get(o, "name"), *type = json_get(o, "type");
        text_printf(ret, "%s`%s`: ", i > 0 ? "; " : "", name && name->text ? name->text : "");
        cell(type && type->text ? type->text : "", ret);
        text_add(ret, " (");
        default_cell(json_get(o, "default"), ret);
        text_add(ret, ")");
    }
    if (!options || options->count == 0)
        text_add(ret, "none");
}

static void markdown_kind(const struct catalogue *c, uint32_t kind, struct text *ret)
{
    bool begun = false;
    for (size_t i = 0; i < c->count; i++) {
        const struct catalogue_row *row = &c->rows[i];
        if (row->kind != kind || row->fault || row->overridden)
            continue;
        if (!begun) {
            char title[64];
            size_t n = 0;
            for (const char *s = kind_folder(kind); *s && n + 1 < sizeof title; s++)
                title[n++] = *s == '_' ? ' ' : *s;
            title[n] = '\0';
            text_printf(ret,
                        "\n## %c%s\n\n| name | what it does | options (default) | reference |\n"
                        "|---|---|---|---|\n",
                        title[0] - 'a' + 'A', title + 1);
        }
        begun = true;
        text_printf(ret, "| `%s` | ", row->name);
        cell(member(row, "summary"), ret);
        text_add(ret, " | ");
        options_cell(json_get(row->plugin, "options"), ret);
        text_add(ret, " | ");
        cell(member(row, "reference"), ret);
        text_add(ret, " |\n");
    }
}

void catalogue_markdown(const struct catalogue *c, struct text *ret)
{
    text_add(ret,
             "# Plugins\n\nWritten by `bioft plugin list --markdown`; `bioft plugin show NAME` prints the details.\n");
    for (uint32_t kind = 1; kind <= PLUGIN_KINDS; kind++)
        markdown_kind(c, kind, ret);
}
