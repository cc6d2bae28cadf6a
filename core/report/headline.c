/* What a task showed: the facts of each rule, and their table. */
#include "report/headline.h"

#include "report/epsilon.h"
#include "report/tables.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 1000, SHOWN = 3 };

/* Labels and answers to the clean images of one trial. */
static bioft_status read_answers(const struct panel *p, const struct series *s, const char *metric, double *ret_chance,
                                 size_t *ret_classes, bool *ret_constant, struct error *err)
{
    const struct study_trial *t = &s->trials[0];
    const struct figure *f = study_figure(t, p, &(struct place){ .metric = metric });
    struct arena *arena = arena_create();
    uint64_t *labels = arena ? arena_array(arena, MOST_CLASSES, sizeof *labels) : NULL, most = 0;
    struct figure with;
    bool found = false;
    bioft_status st = labels ? BIOFT_OK : error_memory(err, "a report");

    *ret_chance = NAN;
    *ret_classes = 0;
    *ret_constant = false;
    if (st == BIOFT_OK && f && figure_counts(f))
        st = study_predictions(t, f, arena, &with, &found, err);
    for (uint64_t i = 0; found && i < with.n; i++) {
        const int32_t label = with.predictions[i].label;
        if (label < 0 || label >= MOST_CLASSES) {
            found = false;
            break;
        }
        *ret_classes += labels[label]++ == 0;
        most = labels[label] > most ? labels[label] : most;
    }
    if (found && with.n) {
        *ret_chance = (double)most / (double)with.n;
        *ret_constant = *ret_classes > 1;
        for (uint64_t i = 1; i < with.n; i++)
            *ret_constant = *ret_constant && with.predictions[i].prediction == with.predictions[0].prediction;
    }
    arena_destroy(arena);
    return st;
}

/* What a reader has to know first. */
static int weight(const struct verdict *v)
{
    static const char *const words[] = { VERDICT_MASKING, VERDICT_ROBUST, VERDICT_UNDECIDED, VERDICT_NO_MORE };
    for (int i = 0; i < 4; i++)
        if (strcmp(v->word, words[i]) == 0)
            return i;
    return 4;
}

static void choose_verdict(struct fact *f, const char *metric, const struct verdict *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (v[i].series != f->series || strcmp(v[i].place.metric, metric) != 0)
            continue;
        f->of++;
        if (!f->verdict || weight(&v[i]) < weight(f->verdict)) {
            f->verdict = &v[i];
            f->verdicts = 0;
        }
        f->verdicts += v[i].word == f->verdict->word || strcmp(v[i].word, f->verdict->word) == 0;
    }
}

static const struct grid *choose_grid(const struct panel *p, const char *metric)
{
    const struct grid *ret = NULL;
    int best = 3;

    for (size_t i = 0; i < p->grid_count; i++) {
        const struct grid *g = &p->grids[i];
        const int rank = strcmp(g->attack, ATTACK_WORST) == 0 && !g->exact && !g->all ? 3
                         : strcmp(g->attack, ATTACK_WORST) == 0                       ? 0
                         : g->exact                                                   ? 1
                                                                                      : 2;
        if (strcmp(g->metric, metric) == 0 && rank < best) {
            ret = g;
            best = rank;
        }
    }
    return ret;
}

static const struct grid *choose_own(const struct panel *p, const struct grid *grid)
{
    if (!grid || !(grid->exact || grid->all))
        return NULL;
    if (grid->rule)
        return grid;
    for (size_t i = 0; i < p->grid_count; i++) {
        const struct grid *g = &p->grids[i];
        if (g->rule && same_text(g->attack, ATTACK_WORST) && same_text(grid->attack, ATTACK_WORST) &&
            same_text(g->metric, grid->metric) && same_text(g->norm, grid->norm))
            return g;
    }
    return NULL;
}

static const char *main_gradient(const struct grid *g) { return g->exact ? "exact" : g->all ? "" : GRADIENT_OF_RULE; }

/* Up to three of the epsilons above 0 at which an attack need not have failed: the largest two and one from the middle. */
static size_t choose_epsilons(const struct headline *h, double *ret)
{
    const struct grid *g = h->grid;
    double usable[256];
    size_t n = 0, chosen = 0;

    for (size_t e = 0; g && e < g->count && n < sizeof usable / sizeof *usable; e++) {
        const struct place at = { g->metric, g->attack, g->options, main_gradient(g), g->epsilon[e], g->norm };
        bool weak = false;
        for (size_t s = 0; s < h->panel->count; s++) {
            struct point point;
            weak = weak || (study_point(h->panel, &h->panel->series[s], &at, &point) && point.weak);
        }
        /* From an L-infinity epsilon of 0.5 on every image can become the same grey one. */
        if (g->epsilon[e] > 0.0 && !weak && !(same_text(g->norm, "linf") && g->epsilon[e] >= 0.5))
            usable[n++] = g->epsilon[e];
    }
    for (size_t i = 0; i < n; i++)
        if (i + 2 >= n || i == (n - 1) / 2)
            ret[chosen++] = usable[i];
    return chosen;
}

static struct cell share(const struct point *p, bool beside, struct arena *arena)
{
    const char *interval = isfinite(p->low) && isfinite(p->high)
                               ? arena_printf(arena, "[%.1f, %.1f]", 100.0 * p->low, 100.0 * p->high)
                               : NULL;
    const char *more = arena_printf(arena, "%s%sn = %llu", interval ? interval : "", interval ? ", " : "",
                                    (unsigned long long)p->n);
    return (struct cell){ .text = arena_printf(arena, "%.1f", 100.0 * p->value),
                          .note = beside ? interval : NULL,
                          .more = more };
}

/* Clean accuracy on the attacked images: at epsilon 0, where that was asked for. */
static bool on_attacked(const struct headline *h, const struct series *s, struct point *ret)
{
    for (size_t i = 0; i < h->panel->grid_count; i++) {
        const struct grid *g = &h->panel->grids[i];
        if (strcmp(g->metric, h->metric) == 0 && g->count && !(g->epsilon[0] > 0.0) &&
            study_point(h->panel, s,
                        &(struct place){ g->metric, g->attack, g->options, main_gradient(g), 0.0, g->norm }, ret))
            return true;
    }
    return false;
}

/* "masking from 0.01": at the epsilons from there on that the attacks decide. */
static const char *verdict_of(const struct fact *f, struct arena *arena)
{
    char s[TEXT_NUMBER];

    if (f->constant)
        return "constant predictor";
    if (!f->verdict)
        return "";
    if (f->verdicts == f->of)
        return f->verdict->word;
    return arena_printf(arena, "%s from %s", f->verdict->word, epsilon_text(s, f->verdict->place.epsilon, 4));
}

static void fill_row(struct headline *h, size_t row, const struct fact *f, const double *epsilon, size_t count,
                     bool attacked, struct arena *arena)
{
    const struct grid *g = h->grid, *own = h->own;
    size_t column = 1;
    struct point point;

    table_cell(&h->table, row, 0)->text = f->series->name;
    table_cell(&h->table, row, column++)->text = verdict_of(f, arena);
    if (f->measured)
        *table_cell(&h->table, row, column) = share(&f->clean, true, arena);
    column++;
    if (attacked) {
        if (on_attacked(h, f->series, &point))
            *table_cell(&h->table, row, column) = share(&point, false, arena);
        column++;
    }
    for (size_t e = 0; e < count; e++) {
        struct place at = { g->metric, g->attack, g->options, main_gradient(g), epsilon[e], g->norm };
        if (study_point(h->panel, f->series, &at, &point))
            *table_cell(&h->table, row, column) = share(&point, true, arena);
        column++;
        at.gradient = GRADIENT_OF_RULE;
        at.options = own ? own->options : NULL;
        if (own && study_point(h->panel, f->series, &at, &point)) {
            *table_cell(&h->table, row, column) = share(&point, false, arena);
            table_cell(&h->table, row, column)->faint = true;
        }
        column += own != NULL;
    }
}

static bool fill_table(struct headline *h, size_t number, struct arena *arena)
{
    const struct grid *g = h->grid;
    double epsilon[SHOWN];
    const size_t count = choose_epsilons(h, epsilon);
    const bool own = h->own, chance = isfinite(h->chance);
    bool attacked = false;
    size_t column = 1;
    struct point point;
    char s[TEXT_NUMBER];

    for (size_t i = 0; i < h->panel->count; i++)
        attacked = attacked || on_attacked(h, &h->panel->series[i], &point);
    h->table = (struct table){ .name = arena_printf(arena, "%zu-finding", number + 1) };
    h->table.caption = !g ? arena_printf(arena, "%s in %%", tables_metric(h->metric, arena))
                          : arena_printf(arena, "%s in %%, without attack and %s%s%s by epsilon (%s)%s",
                                         tables_metric(h->metric, arena),
                                         strcmp(g->attack, ATTACK_WORST) == 0 ? "in the worst case of each image over "
                                                                              : "under ",
                                         strcmp(g->attack, ATTACK_WORST) == 0 ? g->options : g->attack,
                                         g->exact ? ", exact gradient," : "", g->norm,
                                         own ? "; in grey the same attacks with the rule's own gradient, which is not "
                                               "evidence of robustness"
                                             : "");
    h->table.about = attacked ? "Clean is of all images, and of those that were attacked" : NULL;
    if (!h->table.name || !h->table.caption ||
        !table_create(&h->table, h->panel->count + 1 + chance, 3 + attacked + count * (1 + own), arena))
        return false;
    table_cell(&h->table, 0, 0)->text = "rule";
    table_cell(&h->table, 0, column++)->text = "verdict";
    table_cell(&h->table, 0, column++)->text = "clean";
    if (attacked)
        table_cell(&h->table, 0, column++)->text = "clean, attacked";
    for (size_t e = 0; e < count; e++) {
        table_cell(&h->table, 0, column++)->text = arena_printf(arena, "at %s", epsilon_text(s, epsilon[e], 4));
        if (own)
            *table_cell(&h->table, 0, column++) = (struct cell){ .text = "own gradient", .faint = true };
    }
    for (size_t i = 0; i < h->panel->count; i++)
        fill_row(h, i + 1, &h->facts[i], epsilon, count, attacked, arena);
    if (chance) {
        *table_cell(&h->table, h->panel->count + 1, 0) = (struct cell){ .text = "chance level", .faint = true };
        *table_cell(&h->table, h->panel->count + 1,
                    2) = (struct cell){ .text = arena_printf(arena, "%.1f", 100.0 * h->chance),
                                        .faint = true,
                                        .more = "the share of the largest class: what a constant answer gets" };
    }
    return true;
}

bioft_status headline_read(const struct headline_params *params, struct arena *arena, struct headline *ret,
                           struct error *err)
{
    const struct panel *p = &params->study->panels[params->number];
    const struct finding *f = params->findings;
    size_t comparisons = 0;
    bioft_status st = BIOFT_OK;

    *ret = (struct headline){ .panel = p,
                              .metric = p->metric_count ? p->metrics[0] : "",
                              .chance = NAN,
                              .facts = arena_array(arena, p->count, sizeof *ret->facts) };
    if (!ret->facts)
        return error_memory(err, "a report");
    for (size_t k = 0; k < params->finding_count; k++)
        comparisons += !f[k].place.attack && strcmp(f[k].place.metric, ret->metric) == 0;
    for (size_t i = 0; st == BIOFT_OK && i < p->count; i++) {
        struct fact *fact = &ret->facts[i];
        double chance;
        size_t classes;
        fact->series = &p->series[i];
        fact->measured = study_point(p, fact->series, &(struct place){ .metric = ret->metric }, &fact->clean);
        for (size_t k = 0; k < params->finding_count; k++)
            if (f[k].series == fact->series && !f[k].place.attack && strcmp(f[k].place.metric, ret->metric) == 0)
                fact->against = &f[k];
        choose_verdict(fact, ret->metric, params->verdicts, params->verdict_count);
        if (fact->series == p->baseline)
            ret->baseline = fact;
        st = read_answers(p, fact->series, ret->metric, &chance, &classes, &fact->constant, err);
        if (isfinite(chance)) {
            ret->chance = chance;
            ret->classes = classes;
        }
    }
    ret->grid = choose_grid(p, ret->metric);
    ret->own = choose_own(p, ret->grid);
    if (st != BIOFT_OK)
        return st;
    if (!(fill_table(ret, params->number, arena) && headline_words(ret, comparisons, arena)))
        return error_memory(err, "a report");
    return BIOFT_OK;
}
