/* The verdict on each rule: masking, undecided, robust, or no more robust than the baseline. */
#include "report/verdict.h"

#include "base/text.h"
#include "eval/compare.h"
#include "report/indicators.h"
#include <stdlib.h>
#include <string.h>

/* One verdict in the making. */
struct candidate {
    const struct series *series;
    struct place place;
    struct comparison masking, gain; /* the rule's gradient minus the rest; the rule minus the baseline */
    bool paired, against;            /* which of the two there are */
    size_t seeds;                    /* of the second */
    double masking_p, gain_p;        /* adjusted */
    const char *doubt;
};
struct judging {
    const struct study *study;
    const struct panel *panel;
    struct arena *arena;
    const struct csv *rows; /* of each folder */
    struct candidate *list;
    size_t count;
};

/* Is it an attack of the place's metric, norm and epsilon, along this gradient of the network's own? */
static bool is_attack(const struct figure *f, const struct place *at, const char *gradient)
{
    return f->attacked && !same_text(f->attack, ATTACK_WORST) && same_text(f->gradient, gradient) && !*f->from &&
           same_text(f->metric, at->metric) && same_text(f->norm, at->norm) && f->epsilon == at->epsilon;
}

/* The figure of the same attack along the exact gradient; NULL: there is none. */
static const struct figure *twin_of(const struct study_trial *t, const struct figure *own, const struct place *at)
{
    for (size_t i = 0; i < t->results->count; i++) {
        const struct figure *f = &t->results->figures[i];
        if (is_attack(f, at, "exact") && same_text(f->attack, own->attack) && same_text(f->options, own->options) &&
            same_text(f->stage, own->stage) && same_text(f->split, own->split))
            return f;
    }
    return NULL;
}

static bioft_status load(const struct study_trial *t, const struct figure *f, struct arena *arena, struct figure **ret,
                         struct error *err)
{
    struct figure *copy = arena_array(arena, 1, sizeof *copy);
    bool found;

    *ret = copy;
    if (!copy)
        return error_memory(err, "a verdict");
    *copy = *f;
    return study_predictions(t, f, arena, copy, &found, err);
}

struct sides {
    const struct figure **a, **b;
    size_t count;
};

static bioft_status add_sides(const struct study_trial *t, const struct figure *x, const struct study_trial *u,
                              const struct figure *y, struct arena *arena, struct sides *s, struct error *err)
{
    struct figure *a, *b;
    bioft_status st = load(t, x, arena, &a, err);

    if (st != BIOFT_OK)
        return st;
    st = load(u, y, arena, &b, err);
    if (st != BIOFT_OK)
        return st;
    s->a[s->count] = a;
    s->b[s->count++] = b;
    return BIOFT_OK;
}

static bioft_status make_sides(size_t most, struct arena *arena, struct sides *ret, struct error *err)
{
    *ret = (struct sides){ .a = arena_array(arena, most, sizeof *ret->a),
                           .b = arena_array(arena, most, sizeof *ret->b) };
    return ret->a && ret->b ? BIOFT_OK : error_memory(err, "a verdict");
}

/* Takes the worse of both, image by image; figures of other images are left out. */
static void take_worse(struct figure *worst, const struct figure *f)
{
    bool same = worst->n == f->n;

    for (uint64_t i = 0; same && i < f->n; i++)
        same = worst->predictions[i].sample == f->predictions[i].sample;
    for (uint64_t i = 0; same && i < f->n; i++)
        if (f->predictions[i].score < worst->predictions[i].score)
            worst->predictions[i].score = f->predictions[i].score;
}

/* The worst cases of a trial along the two gradients, over the attacks that were made along both: what only one of them
 * has would be the attack's strength, and not the gradient's. */
static bioft_status add_gradients(const struct study_trial *t, const struct place *at, struct arena *arena,
                                  struct sides *s, struct error *err)
{
    struct figure *worst[2] = { NULL, NULL };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < t->results->count; i++) {
        const struct figure *own = &t->results->figures[i];
        const struct figure *twin = is_attack(own, at, GRADIENT_OF_RULE) ? twin_of(t, own, at) : NULL;
        struct figure *pair[2] = { NULL, NULL };
        for (size_t k = 0; twin && st == BIOFT_OK && k < 2; k++)
            st = load(t, k ? twin : own, arena, &pair[k], err);
        for (size_t k = 0; twin && st == BIOFT_OK && k < 2 && pair[0]->predictions && pair[1]->predictions; k++) {
            if (!worst[k])
                worst[k] = pair[k];
            else
                take_worse(worst[k], pair[k]);
        }
    }
    if (st != BIOFT_OK)
        return st;
    if (worst[0]) {
        s->a[s->count] = worst[0];
        s->b[s->count++] = worst[1];
    }
    return BIOFT_OK;
}

/* The rule's own gradient and the exact one, on the same images of the same networks. */
static bioft_status compare_gradients(struct candidate *c, struct arena *arena, struct error *err)
{
    struct sides s;
    bioft_status st = make_sides(c->series->count, arena, &s, err);

    for (size_t i = 0; st == BIOFT_OK && i < c->series->count; i++)
        st = add_gradients(&c->series->trials[i], &c->place, arena, &s, err);
    return st == BIOFT_OK ? compare_networks(s.a, s.b, s.count, &c->masking, &c->paired, err) : st;
}

/* The rule and the baseline under the same attacks, seed by seed. */
static bioft_status compare_baseline(const struct judging *j, struct candidate *c, struct arena *arena,
                                     struct error *err)
{
    const struct series *base = j->panel->baseline;
    struct sides s;
    bioft_status st = make_sides(c->series->count, arena, &s, err);

    for (size_t i = 0; st == BIOFT_OK && i < c->series->count; i++)
        for (size_t k = 0; st == BIOFT_OK && k < base->count && s.count <= i; k++) {
            const struct study_trial *t = &c->series->trials[i], *u = &base->trials[k];
            const struct figure *x = study_figure(t, j->panel, &c->place), *y = study_figure(u, j->panel, &c->place);
            if (x && y && t->results->label.seed == u->results->label.seed)
                st = add_sides(t, x, u, y, arena, &s, err);
        }
    c->seeds = s.count;
    return st == BIOFT_OK ? compare_runs(s.a, s.b, s.count, &c->gain, &c->against, err) : st;
}

/* The first trial of a series whose attacks leave a doubt. */
static bioft_status find_doubt(const struct judging *j, struct candidate *c, struct error *err)
{
    bioft_status st = BIOFT_OK;

    c->doubt = "";
    for (size_t i = 0; st == BIOFT_OK && !*c->doubt && i < c->series->count; i++)
        for (size_t k = 0; st == BIOFT_OK && k < j->study->folder_count; k++)
            if (same_text(j->study->folders[k], c->series->trials[i].out))
                st = indicators_doubt(&j->rows[k], c->series->trials[i].results->label.id, &c->place, j->arena,
                                      &c->doubt, err);
    return st;
}

static bioft_status look_at(struct judging *j, const struct series *s, const struct grid *g, double epsilon,
                            struct error *err)
{
    struct candidate *c = &j->list[j->count];
    const char *gradient = g->exact ? "exact" : "";
    struct arena *arena = arena_create();
    bioft_status st = arena ? BIOFT_OK : error_memory(err, "a verdict");

    *c = (struct candidate){ .series = s, .place = { g->metric, g->attack, g->options, gradient, epsilon, g->norm } };
    if (st == BIOFT_OK && study_figure(&s->trials[0], j->panel, &c->place)) {
        st = compare_gradients(c, arena, err);
        if (st == BIOFT_OK && j->panel->baseline && s != j->panel->baseline)
            st = compare_baseline(j, c, arena, err);
        if (st == BIOFT_OK)
            st = find_doubt(j, c, err);
        j->count++;
    }
    arena_destroy(arena);
    return st;
}

static bool adjust(struct judging *j)
{
    double *p = mem_array(j->count, sizeof *p), *q = mem_array(j->count, sizeof *q);
    size_t n = 0, m = 0;
    bool fine = p && q;

    for (size_t i = 0; fine && i < j->count; i++) {
        if (j->list[i].paired)
            p[n++] = j->list[i].masking.p;
        if (j->list[i].against)
            q[m++] = j->list[i].gain.p;
    }
    fine = fine && compare_holm(p, n) && compare_holm(q, m);
    n = m = 0;
    for (size_t i = 0; fine && i < j->count; i++) {
        j->list[i].masking_p = j->list[i].paired ? p[n++] : 1.0;
        j->list[i].gain_p = j->list[i].against ? q[m++] : 1.0;
    }
    free(p);
    free(q);
    return fine;
}

static void judge(const struct judging *j, const struct candidate *c, struct verdict *ret)
{
    const char *base = j->panel->baseline ? j->panel->baseline->name : NULL;

    *ret = (struct verdict){ .series = c->series, .place = c->place, .word = VERDICT_UNDECIDED };
    if (c->paired && compare_outcome(&c->masking, c->masking_p) == OUTCOME_MORE) {
        ret->word = VERDICT_MASKING;
        ret->why = arena_printf(j->arena, "the rule's own gradient leaves %.1f points more than the exact one",
                                100.0 * c->masking.difference);
    } else if (*c->doubt) {
        ret->why = c->doubt;
    } else if (c->series == j->panel->baseline) {
        ret->word = VERDICT_BASELINE;
        ret->why = "what the others are compared with";
    } else if (!c->against) {
        ret->why = base ? arena_printf(j->arena, "no figure of %s beside it", base) : "no baseline";
    } else if (c->gain_p <= 0.05 && c->gain.difference >= COMPARE_MARGIN - 1e-12 && c->seeds >= COMPARE_SEEDS) {
        ret->word = VERDICT_ROBUST;
        ret->why = arena_printf(j->arena, "%.1f points above %s over %zu seeds, p = %.4f", 100.0 * c->gain.difference,
                                base, c->seeds, c->gain_p);
    } else {
        ret->word = VERDICT_NO_MORE;
        ret->why = arena_printf(j->arena, "%+.1f points from %s, at most %+.1f by the 95%% interval, %zu seed%s",
                                100.0 * c->gain.difference, base, 100.0 * c->gain.ci.high, c->seeds,
                                c->seeds == 1 ? "" : "s");
    }
}

static bioft_status open_rows(struct judging *j, struct error *err)
{
    struct csv *rows = arena_array(j->arena, j->study->folder_count, sizeof *rows);
    bioft_status st = rows ? BIOFT_OK : error_memory(err, "a verdict");

    for (size_t i = 0; st == BIOFT_OK && i < j->study->folder_count; i++)
        st = indicators_open(j->study->folders[i], j->arena, &rows[i], err);
    j->rows = rows;
    return st;
}

bioft_status verdicts_read(const struct study *s, const struct panel *p, struct arena *arena, struct verdict **ret,
                           size_t *ret_count, struct error *err)
{
    struct judging j = { .study = s, .panel = p, .arena = arena };
    size_t most = 0;

    for (size_t i = 0; i < p->grid_count; i++)
        most += p->grids[i].count * p->count;
    j.list = arena_array(arena, most + 1, sizeof *j.list);
    *ret = arena_array(arena, most + 1, sizeof **ret);
    *ret_count = 0;
    bioft_status st = j.list && *ret ? open_rows(&j, err) : error_memory(err, "a verdict");
    for (size_t k = 0; k < p->count; k++)
        for (size_t i = 0; i < p->grid_count; i++) {
            const struct grid *g = &p->grids[i];
            for (size_t e = 0; st == BIOFT_OK && same_text(g->attack, ATTACK_WORST) && e < g->count; e++)
                if (g->epsilon[e] > 0.0)
                    st = look_at(&j, &p->series[k], g, g->epsilon[e], err);
        }
    if (st == BIOFT_OK && !adjust(&j))
        st = error_memory(err, "a verdict");
    for (size_t i = 0; st == BIOFT_OK && i < j.count; i++) {
        judge(&j, &j.list[i], &(*ret)[i]);
        if (!(*ret)[i].why)
            st = error_memory(err, "a verdict");
    }
    *ret_count = st == BIOFT_OK ? j.count : 0;
    return st;
}
