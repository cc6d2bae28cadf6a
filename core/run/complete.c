/* Is all of a trial on disk? */
#include "run/complete.h"

#include "base/file.h"
#include "results/results.h"
#include "run/trial.h"
#include <stdlib.h>
#include <string.h>

static bool is_attack(const struct figure *f, const struct attack_spec *a)
{
    return f->attacked && strcmp(f->attack, a->name) == 0 && strcmp(f->options, a->options) == 0;
}

static bool has_clean(const struct trial_figures *all, const char *stage)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->figures[i].attacked && strcmp(all->figures[i].stage, stage) == 0)
            return true;
    return false;
}

static bool has_attack(const struct trial_figures *all, const struct attack_spec *a, size_t gradient, double epsilon)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct figure *f = &all->figures[i];
        if (is_attack(f, a) && f->epsilon == epsilon && strcmp(f->gradient, gradient_word(a->gradients[gradient])) == 0)
            return true;
    }
    return false;
}

static bioft_status missing(const char *path, const char *what, struct error *err)
{
    return error_set(err, BIOFT_ERR_FORMAT, "%s: no figure of %s; remove the file to have it recomputed", path, what);
}

static bioft_status check_figures(const char *path, const struct trial_figures *all, const struct trial *t,
                                  struct error *err)
{
    char number[TEXT_NUMBER];
    struct text what = { 0 };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < t->stage_count; i++)
        if (!has_clean(all, t->stages[i].name)) {
            text_printf(&what, "stage '%s'", t->stages[i].name);
            st = missing(path, what.failed ? "a stage" : what.data, err);
        }
    if (st == BIOFT_OK && t->stage_count == 0 && !has_clean(all, "weights"))
        st = missing(path, "the weights", err);
    for (size_t i = 0; st == BIOFT_OK && i < t->attack_count; i++) {
        const struct attack_spec *a = &t->attacks[i];
        for (size_t g = 0; st == BIOFT_OK && g < a->gradient_count; g++)
            for (size_t k = 0; st == BIOFT_OK && k < a->epsilon_count; k++) {
                if (has_attack(all, a, g, a->epsilon[k]))
                    continue;
                text_printf(&what, "attack '%s'%s%s, gradient %s, epsilon %s", a->name, *a->options ? " " : "",
                            a->options, gradient_word(a->gradients[g]), text_number(number, a->epsilon[k]));
                st = missing(path, what.failed ? "an attack" : what.data, err);
            }
    }
    text_free(&what);
    return st;
}

/* Every row against the files that it was made of; the metrics of one evaluation stand beside each other. */
static bioft_status check_files(const char *folder, const struct trial_figures *all, const struct trial *t,
                                struct error *err)
{
    char name[256], other[256];
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; i < all->count; i++)
        for (size_t a = 0; a < t->attack_count; a++)
            if (is_attack(&all->figures[i], &t->attacks[a]))
                all->figures[i].nearest = t->attacks[a].choice.plugin->api.attack.flags & BIOFT_ATTACK_MINIMUM;
    for (size_t i = 0, end; st == BIOFT_OK && i < all->count; i = end) {
        figure_file(&all->figures[i], name, sizeof name);
        for (end = i + 1; end < all->count; end++) {
            figure_file(&all->figures[end], other, sizeof other);
            if (strcmp(name, other) != 0)
                break;
        }
        struct arena *arena = arena_create();
        st = arena ? figure_check(folder, &all->label, &all->figures[i], end - i, arena, err)
                   : error_memory(err, "a figure");
        arena_destroy(arena);
    }
    return st;
}

bioft_status complete_check(const char *out, const struct trial *t, struct error *err)
{
    struct arena *arena = arena_create();
    char *path = trial_results_path(out, t), *folder = path ? path_folder(path) : NULL;
    struct trial_figures *all;
    size_t count;
    bioft_status st = arena && folder ? results_read(path, arena, &all, &count, err)
                                      : error_memory(err, "a trial's results");

    if (st == BIOFT_OK && (count != 1 || strcmp(all->label.id, t->id) != 0 || all->label.seed != t->seed))
        st = error_set(err, BIOFT_ERR_FORMAT,
                       "%s: not of trial %s and its seed alone; remove the file to have it recomputed", path, t->id);
    if (st == BIOFT_OK)
        st = check_figures(path, all, t, err);
    if (st == BIOFT_OK)
        st = check_files(folder, all, t, err);
    free(folder);
    free(path);
    arena_destroy(arena);
    return st;
}
