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

/* Figures of trials of one seed, the rule's and the baseline's. */
struct matched {
    const struct figure **a, **b;
    size_t count;
    bool whole; /* all have their predictions */
};

static bioft_status load(const struct study_trial *t, const struct panel *p, const struct place *at,
                         struct arena *arena, const struct figure **ret, bool *ret_whole, struct error *err)
{
    const struct figure *f = study_figure(t, p, at);
    struct figure *copy = f ? arena_array(arena, 1, sizeof *copy) : NULL;
    bool found = false;

    *ret = copy;
    *ret_whole = false;
    if (!f)
        return BIOFT_OK;
    if (!copy)
        return error_memory(err, "a comparison");
    *copy = *f;
    bioft_status st = study_predictions(t, f, arena, copy, &found, err);
    *ret_whole = found;
    return st;
}

static bioft_status match(const struct gathering *g, const struct finding *f, const struct study_trial *a,
                          const struct study_trial *b, struct arena *arena, struct matched *ret, struct error *err)
{
    bool whole_a = false, whole_b = false;
    const struct figure *x, *y = NULL;
    bioft_status st = load(a, g->panel, &f->place, arena, &x, &whole_a, err);

    if (st == BIOFT_OK && x)
        st = load(b, g->panel, &f->place, arena, &y, &whole_b, err);
    if (st != BIOFT_OK || !x || !y)
        return st;
    ret->a[ret->count] = x;
    ret->b[ret->count++] = y;
    ret->whole = ret->whole && whole_a && whole_b;
    return BIOFT_OK;
}

/* Trials of one seed beside each other; one trial each, of whatever seeds. */
static bioft_status match_all(const struct gathering *g, const struct finding *f, struct arena *arena,
                              struct matched *ret, struct error *err)
{
    const struct series *s = f->series, *base = g->panel->baseline;
    const bool single = s->count == 1 && base->count == 1;
    bioft_status st = BIOFT_OK;

    *ret = (struct matched){ .a = arena_array(arena, s->count, sizeof *ret->a),
                             .b = arena_array(arena, s->count, sizeof *ret->b),
                             .whole = true };
    if (!ret->a || !ret->b)
        return error_memory(err, "a comparison");
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; st == BIOFT_OK && k < base->count && ret->count < s->count; k++)
            if (single || s->trials[i].results->label.seed == base->trials[k].results->label.seed)
                st = match(g, f, &s->trials[i], &base->trials[k], arena, ret, err);
    return st;
}

static bioft_status compare(const struct gathering *g, struct finding *f, bool *ret_found, struct error *err)
{
    struct arena *arena = arena_create();
    struct matched m;

    *ret_found = false;
    if (!arena)
        return error_memory(err, "a comparison");
    bioft_status st = match_all(g, f, arena, &m, err);
    if (st == BIOFT_OK)
        st = compare_runs(m.a, m.b, m.count, &f->found, ret_found, err);
    f->over_seeds = st == BIOFT_OK && m.count > 1;
    f->whole = st == BIOFT_OK && m.whole;
    arena_destroy(arena);
    return st;
}

static bioft_status gather(struct gathering *g, const struct series *s, const struct place *place, struct error *err)
{
    struct finding f = { .series = s, .place = *place };
    bool found;

    if (s == g->panel->baseline || g->count == MOST)
        return BIOFT_OK;
    bioft_status st = compare(g, &f, &found, err);
    if (st != BIOFT_OK)
        return st;
    if (found)
        g->list[g->count++] = f;
    return BIOFT_OK;
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
        const char *const gradients[] = { grid->exact ? "exact" : NULL, grid->all ? "" : NULL,
                                          grid->rule ? GRADIENT_OF_RULE : NULL };
        for (size_t e = 0; e < grid->count; e++)
            for (size_t k = 0; grid->epsilon[e] > 0.0 && k < 3; k++)
                for (size_t s = 0; gradients[k] && st == BIOFT_OK && s < p->count; s++)
                    st = gather(g, &p->series[s],
                                &(struct place){ grid->metric, grid->attack, grid->options, gradients[k],
                                                 grid->epsilon[e], grid->norm },
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
        f->significant = f->adjusted <= 0.05 && f->whole && (!f->over_seeds || f->found.n >= COMPARE_SEEDS);
    }
    free(p);
    return fine;
}

static size_t most_findings(const struct panel *p)
{
    size_t n = p->metric_count;
    for (size_t i = 0; i < p->grid_count; i++)
        n += 3 * p->grids[i].count;
    n *= p->count;
    return n < MOST ? n : MOST;
}

bioft_status findings_read(const struct panel *p, struct arena *arena, struct finding **ret, size_t *ret_count,
                           struct error *err)
{
    struct gathering g = { .panel = p, .list = arena_array(arena, most_findings(p), sizeof *g.list) };

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

bool finding_follows_rule(const struct finding *f)
{
    return f->place.attack && strcmp(f->place.gradient, GRADIENT_OF_RULE) == 0;
}

const struct finding *findings_largest(const struct finding *f, size_t count, const struct series *s,
                                       const char *metric)
{
    const struct finding *ret = NULL;
    for (size_t i = 0; i < count; i++)
        if (f[i].series == s && f[i].place.attack && strcmp(f[i].place.metric, metric) == 0 &&
            (!ret || (finding_follows_rule(ret) && !finding_follows_rule(&f[i])) ||
             (finding_follows_rule(ret) == finding_follows_rule(&f[i]) &&
              fabs(f[i].found.difference) > fabs(ret->found.difference))))
            ret = &f[i];
    return ret;
}
