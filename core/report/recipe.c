/* Recipes from settings.csv. */
#include "report/recipe.h"

#include "base/text.h"
#include "report/identity.h"
#include <stdlib.h>
#include <string.h>

static void add(struct text *t, const char *key, const char *value)
{
    double number;

    text_add(t, t->length ? ", " : "");
    if (key)
        text_printf(t, "%s ", key);
    if (text_to_double(value, strlen(value), &number))
        text_printf(t, "%.6g", number); /* 0.333333: enough for people */
    else
        text_add(t, value);
}

static const struct figure *first_clean(const struct panel *p)
{
    const struct study_trial *t = &p->series[0].trials[0];
    const struct figure *ret = NULL;
    for (size_t i = 0; i < p->metric_count && !ret; i++)
        ret = study_figure(t, p, &(struct place){ .metric = p->metrics[i] });
    return ret;
}

bioft_status recipe_training(const struct panel *p, struct arena *arena, const char **ret, struct error *err)
{
    static const struct {
        const char *key, *shown; /* shown NULL: the value alone */
    } keys[] = { { "epochs", "epochs" },
                 { "batch_size", "batch" },
                 { "optimizer.name", NULL },
                 { "optimizer.lr", "lr" },
                 { "optimizer.head_lr", "head_lr" },
                 { "optimizer.momentum", "momentum" },
                 { "optimizer.weight_decay", "weight_decay" },
                 { "schedule", "schedule" },
                 { "loss.plugin", "loss" },
                 { "batchnorm", "batchnorm" },
                 { "model_selection", "model_selection" } };
    const struct figure *f = first_clean(p);
    struct trial_settings s;
    struct text t = { 0 };
    bioft_status st = identity_settings(&p->series[0].trials[0], arena, &s, err);

    if (f && f->n_train)
        text_printf(&t, "%llu training images, %llu steps", (unsigned long long)f->n_train,
                    (unsigned long long)f->steps);
    for (size_t i = 0; st == BIOFT_OK && i < sizeof keys / sizeof *keys; i++) {
        const char *key = arena_printf(arena, "stages.%s.%s", p->stage, keys[i].key);
        const char *value = key ? identity_setting(&s, key) : NULL;
        if (value && *value)
            add(&t, keys[i].shown, value);
    }
    *ret = t.failed ? NULL : arena_text(arena, t.data ? t.data : "");
    text_free(&t);
    return st != BIOFT_OK || *ret ? st : error_memory(err, "a recipe");
}

/* What says nothing about the attack's strength. */
static bool is_aside(const char *key)
{
    static const char *const names[] = { "plugin",  "version", "name",   "epsilon",    "gradient",
                                         "samples", "split",   "labels", "batch_size", "dump" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

static bool is_in(const char *options, const char *key)
{
    const size_t length = strlen(key);
    for (const char *s = options; s && (s = strstr(s, key)); s += length)
        if (s[length] == '=' && (s == options || s[-1] == ',' || s[-1] == ' '))
            return true;
    return false;
}

static uint64_t samples_of(const struct panel *p, const struct grid *g)
{
    for (size_t e = 0; e < g->count; e++)
        for (size_t k = 0; k < 3; k++) {
            const char *const gradients[] = { "exact", "", GRADIENT_OF_RULE };
            struct point point;
            if (study_point(p, &p->series[0],
                            &(struct place){ g->metric, g->attack, g->options, gradients[k], g->epsilon[e], g->norm },
                            &point))
                return point.n;
        }
    return 0;
}

bioft_status recipe_attack(const struct panel *p, const struct grid *g, struct arena *arena, const char **ret,
                           struct error *err)
{
    const char *prefix = arena_printf(arena, "attacks.%s.", g->attack);
    const uint64_t n = samples_of(p, g);
    struct trial_settings s;
    struct text t = { 0 };
    bioft_status st = prefix ? identity_settings(&p->series[0].trials[0], arena, &s, err)
                             : error_memory(err, "a recipe");

    for (size_t i = 0; st == BIOFT_OK && i < s.count; i++) {
        const char *key = s.field[i][0];
        if (strncmp(key, prefix, strlen(prefix)) != 0 || is_aside(key + strlen(prefix)) ||
            is_in(g->options, key + strlen(prefix)) || !*s.field[i][1])
            continue;
        add(&t, key + strlen(prefix), s.field[i][1]);
    }
    if (n)
        text_printf(&t, "%sn = %llu", t.length ? "; " : "", (unsigned long long)n);
    *ret = t.failed ? NULL : arena_text(arena, t.data ? t.data : "");
    text_free(&t);
    return st != BIOFT_OK || *ret ? st : error_memory(err, "a recipe");
}
