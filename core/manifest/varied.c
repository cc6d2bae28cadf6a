/* The resolved keys in which an experiment's trials differ: what a sweep chose, and the defaults that came with it. */
#include "manifest/varied.h"

#include <string.h>

/* Is it in a column of its own, or does it say where and how, not what? */
static bool is_aside(const char *path)
{
    static const char *const aside[] = { "bioft", "name", "folder", "output", "seed", "plugins", "log", "baseline" };

    for (size_t i = 0; i < sizeof aside / sizeof *aside; i++)
        if (strcmp(path, aside[i]) == 0)
            return true;
    return false;
}

/* Of all trials, or of all their candidates, of which each trial has as many. */
static size_t total(const struct experiment *e)
{
    return e->trials[0].candidate_count ? e->trial_count * e->trials[0].candidate_count : e->trial_count;
}

static struct trial *trial_at(const struct experiment *e, size_t i)
{
    const size_t n = e->trials[0].candidate_count;
    return n ? &e->trials[i / n].candidates[i % n] : &e->trials[i];
}

static bool differs(const struct experiment *e, const char *path, const char *value, size_t hint)
{
    for (size_t i = 0; i < total(e); i++) {
        const char *other = settings_find(&trial_at(e, i)->settings, path, hint);
        if (!other || strcmp(other, value) != 0)
            return true;
    }
    return false;
}

struct paths {
    const char **items;
    size_t count, room;
};

static bool add(struct paths *p, const char *path, struct arena *arena)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i], path) == 0)
            return true;
    if (p->count == p->room) {
        const char **items = arena_array(arena, 2 * p->room + 16, sizeof *items);
        if (!items)
            return false;
        if (p->count)
            memcpy(items, p->items, p->count * sizeof *items);
        p->items = items;
        p->room = 2 * p->room + 16;
    }
    p->items[p->count++] = path;
    return true;
}

bool varied_find(struct experiment *e)
{
    struct paths p = { 0 };

    for (size_t i = 0; i < total(e); i++)
        for (size_t k = 0; k < trial_at(e, i)->settings.count; k++) {
            const struct keyed_value *s = &trial_at(e, i)->settings.items[k];
            /* What the first trial lacks differs; what it has was looked at with it. */
            const bool varies = i == 0 ? differs(e, s->path, s->value, k)
                                       : !settings_find(&trial_at(e, 0)->settings, s->path, k);
            if (!is_aside(s->path) && varies && !add(&p, s->path, e->arena))
                return false;
        }
    for (size_t i = 0; i < total(e); i++) {
        struct trial *t = trial_at(e, i);
        t->varied = arena_array(e->arena, p.count + 1, sizeof *t->varied);
        for (size_t k = 0; t->varied && k < p.count; k++) {
            const char *value = settings_find(&t->settings, p.items[k], 0);
            t->varied[k] = value ? value : "";
        }
        if (!t->varied)
            return false;
    }
    for (size_t i = 0; i < e->trial_count; i++)
        if (e->trials[i].candidate_count)
            e->trials[i].varied = e->trials[i].candidates[0].varied;
    e->varied = p.items;
    e->varied_count = p.count;
    return true;
}
