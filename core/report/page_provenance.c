/* Where results come from: provenance.json and manifest.yaml of an output folder. */
#include "report/page.h"

#include "base/file.h"
#include "formats/json.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 16 << 20 };

static bioft_status read_text(const char *folder, const char *name, char **ret, size_t *ret_size, struct error *err)
{
    char *path = path_join(folder, name);
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");

    *ret = NULL;
    *ret_size = 0;
    if (st == BIOFT_OK && file_exists(path))
        st = file_read(path, MAX_FILE, (uint8_t **)ret, ret_size, err);
    free(path);
    return st;
}

/* A hash by its first digits, with all of it under the pointer. */
static void shortened(struct text *t, const char *s)
{
    enum { HASH = 16, SHOWN = 10 };
    if (strlen(s) < HASH || strspn(s, "0123456789abcdef") != strlen(s)) {
        html_escape(t, s);
        return;
    }
    text_printf(t, "<span title=\"%s\">%.*s&hellip;</span>", s, SHOWN, s);
}

static void item(struct text *t, const char *name, const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    if (!v || (v->type != JSON_STRING && v->type != JSON_NUMBER) || !v->length)
        return;
    text_printf(t, "<dt>%s</dt><dd>", name);
    shortened(t, v->text);
    text_add(t, "</dd>\n");
}

static void command(struct text *t, const struct json *root)
{
    const struct json *words = json_get(root, "command");
    if (!words || words->type != JSON_ARRAY)
        return;
    text_add(t, "<dt>command</dt><dd><code>bioft");
    for (size_t i = 0; i < words->count; i++) {
        text_add(t, " ");
        html_escape(t, words->items[i]->type == JSON_STRING ? words->items[i]->text : "");
    }
    text_add(t, "</code></dd>\n");
}

/* Some members of each item of a list, in one line. */
static void list(struct text *t, const struct json *root, const char *name, const char *key, const char *const *members,
                 size_t count)
{
    const struct json *items = json_get(root, key);
    if (!items || items->type != JSON_ARRAY)
        return;
    for (size_t i = 0; i < items->count; i++) {
        text_printf(t, "<dt>%s</dt><dd>", i ? "" : name);
        for (size_t k = 0; k < count; k++) {
            const struct json *v = json_get(items->items[i], members[k]);
            if (!v || (v->type != JSON_STRING && v->type != JSON_NUMBER))
                continue;
            text_add(t, k ? " " : "");
            shortened(t, v->text);
        }
        text_add(t, "</dd>\n");
    }
}

static void facts(const struct json *root, struct text *t)
{
    static const char *const dataset[] = { "plugin", "split", "count", "fingerprint" };
    static const char *const plugin[] = { "kind", "name", "version", "sha256" };
    const struct json *build = json_get(root, "bioft"), *machine = json_get(root, "machine");

    text_add(t, "<dl>\n");
    command(t, root);
    item(t, "bioft", build, "version");
    item(t, "commit", build, "commit");
    item(t, "compiler", build, "compiler");
    item(t, "started", root, "started");
    item(t, "engine", json_get(root, "engine"), "identity");
    item(t, "precision", json_get(root, "engine"), "precision");
    item(t, "processor", machine, "cpu");
    item(t, "threads", machine, "threads");
    item(t, "kernel", machine, "kernel");
    item(t, "manifest", root, "manifest_sha256");
    list(t, root, "data", "datasets", dataset, 4);
    list(t, root, "plugins", "plugins", plugin, 4);
    text_add(t, "</dl>\n");
}

bioft_status page_provenance(const char *folder, struct text *ret, struct error *err)
{
    struct arena *arena = arena_create();
    char *provenance = NULL, *manifest = NULL;
    size_t size = 0, manifest_size = 0;
    struct json *root = NULL;

    bioft_status st = arena ? read_text(folder, "provenance.json", &provenance, &size, err)
                            : error_memory(err, "provenance");
    if (st == BIOFT_OK && provenance)
        st = json_parse("provenance.json", provenance, size, arena, &root, err);
    if (st == BIOFT_OK && root)
        facts(root, ret);
    if (st == BIOFT_OK)
        st = read_text(folder, "manifest.yaml", &manifest, &manifest_size, err);
    if (st == BIOFT_OK && manifest) {
        text_add(ret, "<details><summary>The manifest as resolved</summary><pre>");
        html_escape(ret, manifest);
        text_add(ret, "</pre></details>\n");
    }
    free(provenance);
    free(manifest);
    arena_destroy(arena);
    return st;
}
