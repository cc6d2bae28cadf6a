/* Names for series that differ in more than the seed. */
#include "report/identity.h"

#include "base/file.h"
#include "base/text.h"
#include "formats/csv.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 16 << 20, NAMED = 4 };

bioft_status identity_settings(const struct study_trial *t, struct arena *arena, struct trial_settings *ret,
                               struct error *err)
{
    char *path = path_join(t->folder, "settings.csv");
    struct csv c;
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");

    *ret = (struct trial_settings){ 0 };
    if (st == BIOFT_OK && file_exists(path)) {
        st = csv_load(path, MAX_FILE, arena, &c, err);
        if (st == BIOFT_OK && c.columns == 2 && c.rows > 0)
            *ret = (struct trial_settings){ c.field + 1, c.rows - 1 };
    }
    free(path);
    return st;
}

const char *identity_setting(const struct trial_settings *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->field[i][0], key) == 0)
            return s->field[i][1];
    return NULL;
}

static bool same(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

/* The last parts of a key, enough for people: "optimizer.lr". */
static const char *short_key(const char *key)
{
    const char *at = key + strlen(key);
    for (int dots = 0; at > key; at--)
        if (at[-1] == '.' && ++dots == 2)
            break;
    return at;
}

/* What a series has other than any of its namesakes. */
static const char *difference(const struct trial_settings *own, const struct trial_settings *all, const size_t *like,
                              size_t count, struct arena *arena)
{
    struct text t = { 0 };
    size_t named = 0, more = 0;

    for (size_t k = 0; k < own->count; k++) {
        bool differs = false;
        for (size_t i = 0; i < count && !differs; i++)
            differs = all[like[i]].count && !same(identity_setting(&all[like[i]], own->field[k][0]), own->field[k][1]);
        if (!differs)
            continue;
        if (named++ < NAMED)
            text_printf(&t, ", %s=%s", short_key(own->field[k][0]), own->field[k][1]);
        else
            more++;
    }
    if (more)
        text_printf(&t, ", and %zu more", more);
    const char *ret = t.failed ? NULL : arena_text(arena, t.data ? t.data : "");
    text_free(&t);
    return ret;
}

static bioft_status name_one(struct panel *p, size_t s, const struct trial_settings *all, const char *const *old,
                             struct arena *arena, struct error *err)
{
    size_t *like = mem_array(p->count, sizeof *like), count = 0;
    const char *text = "";

    if (!like)
        return error_memory(err, "a report");
    for (size_t i = 0; i < p->count; i++)
        if (i != s && strcmp(old[i], old[s]) == 0)
            like[count++] = i;
    if (count)
        text = difference(&all[s], all, like, count, arena);
    if (count && text && !*text)
        text = arena_printf(arena, ", identity %.6s", p->series[s].identity);
    free(like);
    p->series[s].name = text ? arena_printf(arena, "%s%s", old[s], text) : NULL;
    return p->series[s].name ? BIOFT_OK : error_memory(err, "a report");
}

bioft_status identity_names(struct panel *p, struct arena *arena, struct error *err)
{
    struct trial_settings *all = arena_array(arena, p->count, sizeof *all);
    const char **old = arena_array(arena, p->count, sizeof *old);
    bioft_status st = all && old ? BIOFT_OK : error_memory(err, "a report");

    for (size_t i = 0; st == BIOFT_OK && i < p->count; i++) {
        old[i] = p->series[i].name;
        st = identity_settings(&p->series[i].trials[0], arena, &all[i], err);
    }
    for (size_t i = 0; st == BIOFT_OK && i < p->count; i++)
        st = name_one(p, i, all, old, arena, err);
    return st;
}
