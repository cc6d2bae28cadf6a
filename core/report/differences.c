/* What runs that share a page differ in, from the settings of their trials. */
#include "report/differences.h"

#include "report/identity.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_KEYS = 512 };

/* The values of one setting in one folder. */
struct values {
    const char *key;
    struct text *by_folder; /* "a, b", in the order of the trials */
};
struct gathering {
    const struct study *study;
    struct values *list;
    size_t count;
    struct arena *arena;
};

static bool is_in(const struct text *t, const char *value)
{
    const size_t length = strlen(value);
    for (const char *s = t->data; s && (s = strstr(s, value)); s++)
        if ((s == t->data || (s >= t->data + 2 && strncmp(s - 2, "; ", 2) == 0)) &&
            (s[length] == '\0' || s[length] == ';'))
            return true;
    return false;
}

static bool add(struct gathering *g, size_t folder, const char *key, const char *value)
{
    size_t i = 0;

    while (i < g->count && strcmp(g->list[i].key, key) != 0)
        i++;
    if (i == MOST_KEYS)
        return true;
    if (i == g->count) {
        g->list[i] = (struct values){ arena_text(g->arena, key),
                                      arena_array(g->arena, g->study->folder_count, sizeof(struct text)) };
        if (!g->list[i].key || !g->list[i].by_folder)
            return false;
        g->count++;
    }
    struct text *t = &g->list[i].by_folder[folder];
    if (!is_in(t, value))
        text_printf(t, "%s%s", t->length ? "; " : "", value);
    return !t->failed;
}

static bioft_status add_trial(struct gathering *g, const struct study_trial *t, struct error *err)
{
    size_t folder = 0;
    char seed[TEXT_NUMBER];
    struct trial_settings settings;
    bioft_status st = identity_settings(t, g->arena, &settings, err);

    while (folder < g->study->folder_count && strcmp(g->study->folders[folder], t->out) != 0)
        folder++;
    if (st != BIOFT_OK || folder == g->study->folder_count)
        return st;
    bool fine = add(g, folder, "seed", text_number(seed, (double)t->results->label.seed)) &&
                add(g, folder, "backbone", t->results->label.backbone) &&
                add(g, folder, "engine", t->results->label.engine);
    for (size_t i = 0; fine && i < settings.count; i++)
        fine = add(g, folder, settings.field[i][0], settings.field[i][1]);
    return fine ? BIOFT_OK : error_memory(err, "differences");
}

static bool differs(const struct values *v, size_t folders)
{
    for (size_t i = 1; i < folders; i++)
        if (!same_text(v->by_folder[i].data, v->by_folder[0].data))
            return true;
    return false;
}

static bool fill(const struct gathering *g, struct table *t)
{
    const size_t folders = g->study->folder_count;
    size_t row = 1;

    t->caption = "settings that the runs have other values of; of a sweep all its values";
    if (!table_create(t, g->count + 1, folders + 1, g->arena))
        return false;
    table_cell(t, 0, 0)->text = "setting";
    for (size_t i = 0; i < folders; i++) {
        const char *slash = strrchr(g->study->folders[i], '/');
        table_cell(t, 0, i + 1)->text = slash && slash[1] ? slash + 1 : g->study->folders[i];
        table_cell(t, 0, i + 1)->more = g->study->folders[i];
    }
    for (size_t k = 0; k < g->count; k++) {
        if (!differs(&g->list[k], folders))
            continue;
        table_cell(t, row, 0)->text = g->list[k].key;
        for (size_t i = 0; i < folders; i++) {
            const char *text = g->list[k].by_folder[i].data;
            table_cell(t, row, i + 1)->text = arena_text(g->arena, text ? text : "");
            if (!table_cell(t, row, i + 1)->text)
                return false;
        }
        row++;
    }
    t->rows = row > 1 ? row : 0;
    return true;
}

bioft_status differences_read(const struct study *s, struct arena *arena, struct table *ret, struct error *err)
{
    struct gathering g = { .study = s, .arena = arena, .list = arena_array(arena, MOST_KEYS, sizeof *g.list) };
    bioft_status st = g.list ? BIOFT_OK : error_memory(err, "differences");

    *ret = (struct table){ .name = "differences" };
    if (s->folder_count < 2)
        return st;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->panels[i].count; k++)
            for (size_t n = 0; st == BIOFT_OK && n < s->panels[i].series[k].count; n++)
                st = add_trial(&g, &s->panels[i].series[k].trials[n], err);
    if (st == BIOFT_OK && !fill(&g, ret))
        st = error_memory(err, "differences");
    for (size_t k = 0; g.list && k < g.count; k++)
        for (size_t i = 0; i < s->folder_count; i++)
            text_free(&g.list[k].by_folder[i]);
    return st;
}
