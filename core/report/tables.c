/* The tables of a report. */
#include "report/tables.h"

#include "report/epsilon.h"
#include "report/plots.h"
#include "report/published.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *tables_metric(const char *metric, struct arena *arena)
{
    return strncmp(metric, "map@", 4) == 0 ? arena_printf(arena, "mAP@%s", metric + 4) : metric;
}

static const char *percent(double v, int digits, struct arena *arena)
{
    return arena_printf(arena, "%.*f", digits, 100.0 * v);
}

static const char *interval_text(double low, double high, struct arena *arena)
{
    if (!isfinite(low) || !isfinite(high))
        return NULL;
    return arena_printf(arena, "[%.1f, %.1f]", 100.0 * low, 100.0 * high);
}

static bool has_metric(const struct panel *p, const char *metric)
{
    for (size_t i = 0; i < p->metric_count; i++)
        if (strcmp(p->metrics[i], metric) == 0)
            return true;
    return false;
}

static const struct series *series_named(const struct panel *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->series[i].name, name) == 0)
            return &p->series[i];
    return NULL;
}

/* Protocols, engines and precisions are named where what is before them does not tell two panels
 * apart. */
const char *panel_title(const struct study *s, const struct panel *p, struct arena *arena)
{
    bool protocol = false, engine = false;

    for (size_t i = 0; i < s->count; i++) {
        const struct panel *o = &s->panels[i];
        if (o == p || strcmp(o->dataset, p->dataset) != 0 || strcmp(o->backbone, p->backbone) != 0)
            continue;
        protocol = protocol || strcmp(o->protocol, p->protocol) != 0;
        engine = engine || strcmp(o->engine, p->engine) != 0 || strcmp(o->precision, p->precision) != 0;
    }
    return arena_printf(arena, "%s, %s%s%s%s%s%s%s", p->dataset, p->backbone, protocol ? ", " : "",
                        protocol ? p->protocol : "", engine ? ", " : "", engine ? p->engine : "", engine ? " " : "",
                        engine ? p->precision : "");
}

static size_t sources_of(const struct study *s) { return s->published ? s->published->source_count : 0; }

static void published_cell(struct cell *c, struct published_figure *f, struct arena *arena)
{
    const char *interval = interval_text(f->low, f->high, arena);

    *c = (struct cell){ .text = percent(f->value, TABLE_DIGITS, arena), .mark = f->mark, .published = true };
    if (f->n)
        c->note = arena_printf(arena, "%s%sn = %llu", interval ? interval : "", interval ? ", " : "",
                               (unsigned long long)f->n);
    f->shown = true;
}

/* Does a source have a figure of the metric beside any of a panel's? */
static bool has_published(const struct published *pub, const char *source, const struct panel *p, const char *metric)
{
    for (size_t i = 0; i < p->count; i++)
        if (published_beside(pub, source, p, &p->series[i], &(struct place){ .metric = metric }))
            return true;
    return false;
}

/* What one source has published of a panel. */
struct source {
    struct published *published;
    const char *name;
    const struct panel *panel;
};

static void published_column(struct table *t, size_t column, const struct source *source, const char *const *names,
                             size_t count, const char *metric, struct arena *arena)
{
    *table_cell(t, 0, column) = (struct cell){
        .text = arena_printf(arena, "published%s%s", *source->name ? ", " : "", source->name), .published = true
    };
    for (size_t i = 0; i < count; i++) {
        const struct series *s = series_named(source->panel, names[i]);
        struct published_figure *f = s ? published_beside(source->published, source->name, source->panel, s,
                                                          &(struct place){ .metric = metric })
                                       : NULL;
        if (f)
            published_cell(table_cell(t, i + 1, column), f, arena);
    }
}

/* One panel's column, marked. */
static bool clean_column(struct table *t, size_t column, const struct panel *p, const char *const *names, size_t count,
                         const char *metric, struct arena *arena)
{
    double *values = mem_array(count, sizeof *values);

    for (size_t i = 0; values && i < count; i++) {
        const struct series *s = series_named(p, names[i]);
        struct point point;
        values[i] = NAN;
        if (!s || !study_point(p, s, &(struct place){ .metric = metric }, &point))
            continue;
        values[i] = 100.0 * point.value;
        *table_cell(t, i + 1, column) = (struct cell){ .text = percent(point.value, TABLE_DIGITS, arena),
                                                       .note = interval_text(point.low, point.high, arena) };
    }
    const bool fine = values && table_mark(t, column, 1, 1, values, count, TABLE_DIGITS);
    free(values);
    return fine;
}

bool tables_clean(const struct study *s, const char *metric, struct arena *arena, struct table *ret)
{
    size_t rows, columns = 0;
    const char **names = study_names(s, &rows, arena);

    for (size_t i = 0; i < s->count; i++) {
        columns += has_metric(&s->panels[i], metric);
        for (size_t k = 0; k < sources_of(s); k++)
            columns += has_published(s->published, s->published->sources[k], &s->panels[i], metric);
    }
    *ret = (struct table){ .name = arena_printf(arena, "clean-%s", metric),
                           .caption = arena_printf(arena, "%s in %%, without attack", tables_metric(metric, arena)) };
    if (!names || !table_create(ret, rows + 1, columns + 1, arena))
        return false;
    table_cell(ret, 0, 0)->text = "rule";
    for (size_t r = 0; r < rows; r++)
        table_cell(ret, r + 1, 0)->text = names[r];
    for (size_t i = 0, column = 1; i < s->count; i++) {
        const struct panel *p = &s->panels[i];
        if (!has_metric(p, metric))
            continue;
        table_cell(ret, 0, column)->text = panel_title(s, p, arena);
        if (!clean_column(ret, column++, p, names, rows, metric, arena))
            return false;
        for (size_t k = 0; k < sources_of(s); k++) {
            const struct source source = { s->published, s->published->sources[k], p };
            if (has_published(s->published, source.name, p, metric))
                published_column(ret, column++, &source, names, rows, metric, arena);
        }
    }
    return true;
}

/* One rule under one gradient; false where there is no figure of it. */
static bool attack_row(struct table *t, size_t row, const struct panel *p, const struct series *s, const struct grid *g,
                       const char *gradient, struct arena *arena)
{
    bool any = false;

    for (size_t e = 0; e < g->count; e++) {
        struct point point;
        if (!study_point(p, s, &(struct place){ g->metric, g->attack, g->options, gradient, g->epsilon[e], g->norm },
                         &point))
            continue;
        *table_cell(t, row, e + 2) = (struct cell){
            .text = arena_printf(arena, "%.*f%s%s", TABLE_DIGITS, 100.0 * point.value, point.masking ? "*" : "",
                                 point.weak ? "!" : ""),
            .more = arena_printf(
                arena, "%s%sn = %llu",
                interval_text(point.low, point.high, arena) ? interval_text(point.low, point.high, arena) : "",
                isfinite(point.low) ? ", " : "", (unsigned long long)point.n)
        };
        any = true;
    }
    table_cell(t, row, 0)->text = s->name;
    table_cell(t, row, 1)->text = gradient_title(gradient);
    return any;
}

/* Below one rule under one gradient a source's figures of it; false if it has none. */
static bool published_row(struct table *t, size_t row, const struct source *source, const struct series *s,
                          const struct grid *g, const char *gradient, struct arena *arena)
{
    bool any = false;

    for (size_t e = 0; e < g->count; e++) {
        struct published_figure *f = published_beside(
            source->published, source->name, source->panel, s,
            &(struct place){ g->metric, g->attack, g->options, gradient, g->epsilon[e], g->norm });
        if (f)
            published_cell(table_cell(t, row, e + 2), f, arena);
        any = any || f;
    }
    if (any) {
        table_cell(t, row, 0)->text = s->name;
        *table_cell(t, row,
                    1) = (struct cell){ .text = arena_printf(arena, "%s, published%s%s", gradient_title(gradient),
                                                             *source->name ? ", " : "", source->name),
                                        .published = true };
    }
    return any;
}

bool tables_attack(const struct study *study, size_t number, const struct grid *g, struct arena *arena,
                   struct table *ret)
{
    char number_of[TEXT_NUMBER];
    const struct panel *p = &study->panels[number];
    const size_t sources = sources_of(study);
    const char *const gradients[] = { g->exact ? "exact" : NULL, g->straight ? GRADIENT_OF_STAND_INS : NULL,
                                      g->smoothed ? GRADIENT_OF_DIFFERENCES : NULL, g->all ? "" : NULL,
                                      g->rule ? GRADIENT_OF_RULE : NULL };
    const size_t kinds = sizeof gradients / sizeof *gradients;
    const bool worst = strcmp(g->attack, ATTACK_WORST) == 0;
    const char *zero = g->count && g->epsilon[0] == 0.0 ? "; 0: the same images without attack" : "";
    const int digits = text_digits(g->epsilon, g->count, 4);
    size_t row = 1;
    const char *attack = plots_attack(g->attack, g->options, arena);

    *ret = (struct table){
        .name = arena_printf(arena, "%zu-%s-%s%s", number + 1, g->attack, g->metric, plots_again(p, g, arena)),
        .caption = worst ? arena_printf(arena, "%s in %%, the worst case of each image over %s, by epsilon (%s%s)",
                                        tables_metric(g->metric, arena), g->options, g->norm, zero)
                         : arena_printf(arena, "%s in %% under %s, by epsilon (%s%s)", tables_metric(g->metric, arena),
                                        attack, g->norm, zero)
    };
    if (!ret->name || !ret->caption || !table_create(ret, kinds * p->count * (sources + 1) + 1, g->count + 2, arena))
        return false;
    table_cell(ret, 0, 0)->text = "rule";
    table_cell(ret, 0, 1)->text = "gradient";
    for (size_t e = 0; e < g->count; e++)
        table_cell(ret, 0, e + 2)->text = arena_text(arena, epsilon_text(number_of, g->epsilon[e], digits));
    for (size_t s = 0; s < p->count; s++)
        for (size_t k = 0; k < kinds; k++) {
            if (!gradients[k] || !attack_row(ret, row, p, &p->series[s], g, gradients[k], arena))
                continue;
            row++;
            for (size_t i = 0; i < sources; i++)
                row += published_row(ret, row, &(struct source){ study->published, study->published->sources[i], p },
                                     &p->series[s], g, gradients[k], arena);
        }
    ret->rows = row;
    return true;
}

/* Of all epsilons of a panel, so that those that differ look it. */
static int epsilon_digits(const struct panel *p)
{
    int digits = 4;
    for (size_t i = 0; i < p->grid_count; i++)
        digits = text_digits(p->grids[i].epsilon, p->grids[i].count, digits);
    return digits;
}

static const char *p_text(double p, struct arena *arena)
{
    return p < 0.0001 ? "<0.0001" : arena_printf(arena, "%.4f", p);
}

static const char *verdict(const struct finding *f)
{
    if (f->over_seeds && f->found.n < COMPARE_SEEDS)
        return "too few seeds";
    if (f->significant && f->found.difference > 0.0 && finding_follows_rule(f))
        return "not robustness";
    return f->significant ? "yes" : "no";
}

static struct cell difference(const struct finding *f, struct arena *arena)
{
    return (struct cell){ .text = arena_printf(arena, "%+.*f", TABLE_DIGITS, 100.0 * f->found.difference),
                          .note = interval_text(f->found.ci.low, f->found.ci.high, arena) };
}

static const struct finding *clean_finding(const struct finding *f, size_t count, const struct series *s,
                                           const char *metric)
{
    for (size_t i = 0; i < count; i++)
        if (f[i].series == s && !f[i].place.attack && strcmp(f[i].place.metric, metric) == 0)
            return &f[i];
    return NULL;
}

static void three_cells(struct table *t, size_t row, size_t column, const struct finding *f, struct arena *arena)
{
    *table_cell(t, row, column) = difference(f, arena);
    table_cell(t, row, column + 1)->text = p_text(f->adjusted, arena);
    table_cell(t, row, column + 2)->text = verdict(f);
}

bool tables_gaps(const struct panel *p, size_t number, const struct finding *f, size_t count, const char *metric,
                 struct arena *arena, struct table *ret)
{
    char number_of[TEXT_NUMBER];
    static const char *const head[] = { "rule", "clean", "p", "significant", "largest gap", "p", "significant", "at" };
    enum { COLUMNS = sizeof head / sizeof *head };
    size_t row = 1;

    *ret = (struct table){ .name = arena_printf(arena, "%zu-against-baseline-%s", number + 1, metric),
                           .caption = arena_printf(arena,
                                                   "%s minus that of %s, percentage points; p after Holm's "
                                                   "correction",
                                                   tables_metric(metric, arena), p->baseline->name) };
    if (!ret->name || !ret->caption || !table_create(ret, p->count + 1, COLUMNS, arena))
        return false;
    for (size_t c = 0; c < COLUMNS; c++)
        table_cell(ret, 0, c)->text = head[c];
    for (size_t i = 0; i < p->count; i++) {
        const struct finding *clean = clean_finding(f, count, &p->series[i], metric);
        const struct finding *gap = findings_largest(f, count, &p->series[i], metric);
        if (!clean && !gap)
            continue;
        table_cell(ret, row, 0)->text = p->series[i].name;
        if (clean)
            three_cells(ret, row, 1, clean, arena);
        if (gap) {
            three_cells(ret, row, 4, gap, arena);
            table_cell(ret, row, 7)->text = arena_printf(
                arena, "%s, %s, epsilon %s", plots_attack(gap->place.attack, gap->place.options, arena),
                finding_follows_rule(gap) ? "the rule's own gradient"
                : *gap->place.gradient    ? "the exact gradient"
                                          : "both gradients",
                epsilon_text(number_of, gap->place.epsilon, epsilon_digits(p)));
        }
        row++;
    }
    ret->rows = row;
    return true;
}

bool tables_findings(const struct panel *p, size_t number, const struct finding *f, size_t count, struct arena *arena,
                     struct table *ret)
{
    char number_of[TEXT_NUMBER];
    static const char *const head[] = { "rule",       "metric", "attack", "gradient", "epsilon",
                                        "difference", "n",      "p",      "p (Holm)", "significant" };
    enum { COLUMNS = sizeof head / sizeof *head };

    *ret = (struct table){ .name = arena_printf(arena, "%zu-comparisons", number + 1) };
    if (!ret->name || !table_create(ret, count + 1, COLUMNS, arena))
        return false;
    for (size_t c = 0; c < COLUMNS; c++)
        table_cell(ret, 0, c)->text = head[c];
    for (size_t i = 0; i < count; i++) {
        const struct place *at = &f[i].place;
        const char *const texts[] = {
            f[i].series->name,
            tables_metric(at->metric, arena),
            at->attack ? plots_attack(at->attack, at->options, arena) : "clean",
            at->attack ? gradient_title(at->gradient) : "",
            at->attack ? arena_text(arena, epsilon_text(number_of, at->epsilon, epsilon_digits(p))) : "",
            NULL,
            arena_printf(arena, "%llu%s", (unsigned long long)f[i].found.n, f[i].over_seeds ? " seeds" : ""),
            p_text(f[i].found.p, arena),
            p_text(f[i].adjusted, arena),
            verdict(&f[i])
        };
        for (size_t c = 0; c < COLUMNS; c++)
            table_cell(ret, i + 1, c)->text = texts[c];
        *table_cell(ret, i + 1, 5) = difference(&f[i], arena);
    }
    return true;
}

bool tables_verdicts(const struct panel *p, size_t number, const struct verdict *v, size_t count, struct arena *arena,
                     struct table *ret)
{
    char number_of[TEXT_NUMBER];
    static const char *const head[] = { "rule", "metric", "norm", "epsilon", "verdict", "why", "attacks" };
    enum { COLUMNS = sizeof head / sizeof *head };

    *ret = (struct table){ .name = arena_printf(arena, "%zu-verdict", number + 1),
                           .caption = "verdict, from the worst case over attacks that do not follow the rule's own "
                                      "gradient" };
    if (!ret->name || !table_create(ret, count + 1, COLUMNS, arena))
        return false;
    for (size_t c = 0; c < COLUMNS; c++)
        table_cell(ret, 0, c)->text = head[c];
    for (size_t i = 0; i < count; i++) {
        const char *const texts[COLUMNS] = {
            v[i].series->name, tables_metric(v[i].place.metric, arena),
            v[i].place.norm,   arena_text(arena, epsilon_text(number_of, v[i].place.epsilon, epsilon_digits(p))),
            v[i].word,         v[i].why,
            v[i].place.options
        };
        for (size_t c = 0; c < COLUMNS; c++)
            table_cell(ret, i + 1, c)->text = texts[c];
    }
    return true;
}
