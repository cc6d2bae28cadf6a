/* Each rule against the baseline. */
#include "report/findings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 16 };

struct gathering {
    const struct panel *panel;
    struct finding *list;
    size_t count;
};

/* Differences between trials of one seed. */
static bool over_seeds(const struct gathering *g, struct finding *f)
{
    const struct series *base = g->panel->baseline;
    double *differences = mem_array(f->series->count, sizeof *differences);
    size_t n = 0;

    for (size_t i = 0; differences && i < f->series->count; i++)
        for (size_t k = 0; k < base->count; k++) {
            const struct study_trial *a = &f->series->trials[i], *b = &base->trials[k];
            if (a->results->label.seed != b->results->label.seed)
                continue;
            const struct figure *x = study_figure(a, g->panel, &f->place),
                                *y = study_figure(b, g->panel, &f->place);
            if (x && y && n < f->series->count)
                differences[n++] = x->value - y->value;
        }
    if (n > 1) {
        f->found = compare_seeds(differences, n);
        f->over_seeds = true;
    }
    free(differences);
    return n > 1;
}

static bioft_status on_samples(const struct gathering *g, struct finding *f, bool *ret_found,
                               struct error *err)
{
    const struct study_trial *a = &f->series->trials[0], *b = &g->panel->baseline->trials[0];
    const struct figure *x = study_figure(a, g->panel, &f->place),
                        *y = study_figure(b, g->panel, &f->place);
    struct arena *arena = arena_create();
    struct figure with_x, with_y;
    bool first = false, second = false;

    bioft_status st = arena ? BIOFT_OK : error_memory(err, "a comparison");
    *ret_found = false;
    if (st == BIOFT_OK && x && y)
        st = study_predictions(a, x, arena, &with_x, &first, err);
    if (st == BIOFT_OK && first)
        st = study_predictions(b, y, arena, &with_y, &second, err);
    if (st == BIOFT_OK && second)
        st = compare_figures(&with_x, &with_y, &f->found, ret_found, err);
    arena_destroy(arena);
    return st;
}

static bioft_status gather(struct gathering *g, const struct series *s, const struct place *place,
                           struct error *err)
{
    struct finding f = { .series = s, .place = *place };
    bioft_status st = BIOFT_OK;

    if (s == g->panel->baseline || g->count == MOST)
        return BIOFT_OK;
    bool found = over_seeds(g, &f);
    if (!found)
        st = on_samples(g, &f, &found, err);
    if (st == BIOFT_OK && found)
        g->list[g->count++] = f;
    return st;
}

static bioft_status gather_all(struct gathering *g, struct error *err)
{
    const struct panel *p = g->panel;
    bioft_status st = BIOFT_OK;

    for (size_t m = 0; m < p->metric_count; m++)
        for (size_t s = 0; st == BIOFT_OK && s < p->count; s++)
            st = gather(g, &p->series[s], &(struct place){ .metric = p->metrics[m] }, err);
    for (size_t i = 0; i < p->grid_count; i++) {
        const struct grid *grid = &p->grids[i];
        const char *const gradients[] = { grid->rule ? "rule" : NULL,
                                          grid->exact ? "exact" : NULL };
        for (size_t e = 0; e < grid->count; e++)
            for (size_t k = 0; grid->epsilon[e] > 0.0 && k < 2; k++)
                for (size_t s = 0; gradients[k] && st == BIOFT_OK && s < p->count; s++)
                    st = gather(g, &p->series[s],
                                &(struct place){ grid->metric, grid->attack, grid->options,
                                                 gradients[k], grid->epsilon[e] },
                                err);
    }
    return st;
}

static bool correct(struct gathering *g, const char *metric)
{
    double *p = mem_array(g->count, sizeof *p);
    size_t n = 0;

    if (!p)
        return false;
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->list[i].place.metric, metric) == 0)
            p[n++] = g->list[i].found.p;
    const bool fine = compare_holm(p, n);
    n = 0;
    for (size_t i = 0; fine && i < g->count; i++) {
        struct finding *f = &g->list[i];
        if (strcmp(f->place.metric, metric) != 0)
            continue;
        f->adjusted = p[n++];
        f->significant = f->adjusted <= 0.05 && (!f->over_seeds || f->found.n >= COMPARE_SEEDS);
    }
    free(p);
    return fine;
}

static size_t most_findings(const struct panel *p)
{
    size_t n = p->metric_count;
    for (size_t i = 0; i < p->grid_count; i++)
        n += 2 * p->grids[i].count;
    n *= p->count;
    return n < MOST ? n : MOST;
}

bioft_status findings_read(const struct panel *p, struct arena *arena, struct finding **ret,
                           size_t *ret_count, struct error *err)
{
    struct gathering g = { .panel = p,
                           .list = arena_array(arena, most_findings(p), sizeof *g.list) };

    *ret = g.list;
    *ret_count = 0;
    if (!g.list)
        return error_memory(err, "findings");
    if (!p->baseline)
        return BIOFT_OK;
    bioft_status st = gather_all(&g, err);
    for (size_t m = 0; st == BIOFT_OK && m < p->metric_count; m++)
        if (!correct(&g, p->metrics[m]))
            st = error_memory(err, "findings");
    if (st == BIOFT_OK)
        *ret_count = g.count;
    return st;
}

const struct finding *findings_largest(const struct finding *f, size_t count,
                                       const struct series *s, const char *metric)
{
    const struct finding *ret = NULL;
    for (size_t i = 0; i < count; i++)
        if (f[i].series == s && f[i].place.attack && strcmp(f[i].place.metric, metric) == 0 &&
            (!ret || fabs(f[i].found.difference) > fabs(ret->found.difference)))
            ret = &f[i];
    return ret;
}
