/* The trials of output folders, put together as what a reader compares. */
#include "report/study.h"

#include "base/file.h"
#include "base/text.h"
#include "eval/compare.h"
#include "report/colours.h"
#include "report/identity.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a trial is called without its number and seed: "03-rule=usf,seed=2" gives "usf", or
 * "rule=usf,lr=0.1". */
static const char *series_name(const struct trial_figures *t, const char *rule, struct arena *arena)
{
    const char *at = t->label.id + strspn(t->label.id, "0123456789");
    struct text name = { 0 };

    at += *at == '-';
    while (*at) {
        const size_t length = strcspn(at, ",");
        const char *value = memchr(at, '=', length);
        const size_t known = value ? (size_t)(value + 1 - at) : 0;
        const bool seed = strncmp(at, "seed=", 5) == 0;
        const bool is_rule = known && length - known == strlen(rule) && strncmp(at + known, rule, length - known) == 0;
        if (!seed && !is_rule) {
            text_add(&name, ", ");
            text_add_n(&name, at, length);
        }
        at += length + (at[length] == ',');
    }
    const char *ret = name.failed ? NULL : arena_printf(arena, "%s%s", rule, name.data ? name.data : "");
    text_free(&name);
    return ret;
}

/* The last clean figure says which stage a trial ends with, and on what it was measured. */
static const struct figure *last_figure(const struct trial_figures *t)
{
    const struct figure *ret = NULL;
    for (size_t i = 0; i < t->count; i++)
        if (!t->figures[i].attacked)
            ret = &t->figures[i];
    return ret;
}

static struct panel *panel_of(struct study *s, const struct trial_figures *t, const struct figure *f)
{
    for (size_t i = 0; i < s->count; i++) {
        struct panel *p = &s->panels[i];
        if (same_text(p->backbone, t->label.backbone) && same_text(p->dataset, f->dataset) &&
            same_text(p->protocol, f->protocol) && same_text(p->engine, t->label.engine) &&
            same_text(p->precision, t->label.precision) && same_text(p->split, f->split))
            return p;
    }
    struct panel *p = &s->panels[s->count++];
    *p = (struct panel){ .backbone = t->label.backbone,
                         .dataset = f->dataset,
                         .protocol = f->protocol,
                         .engine = t->label.engine,
                         .precision = t->label.precision,
                         .stage = f->stage,
                         .split = f->split };
    return p;
}

/* Does the series have this trial already, from another folder or from this one given twice? */
static const struct study_trial *copy_in(const struct series *s, const struct trial_figures *t, const char *out)
{
    for (size_t i = 0; i < s->count; i++)
        if (*t->label.identity && same_text(s->identity, t->label.identity) &&
            s->trials[i].results->label.seed == t->label.seed &&
            (!same_text(s->trials[i].out, out) || same_text(s->trials[i].results->label.id, t->label.id)))
            return &s->trials[i];
    return NULL;
}

/* In one folder two trials of one seed that differ in nothing that decides results, such as threads,
 * are told apart by their names. */
static bool is_repetition(const struct series *s, const struct trial_figures *t, const char *name)
{
    if (!*t->label.identity || !*s->identity)
        return same_text(s->name, name) && !*t->label.identity && !*s->identity;
    if (!same_text(s->identity, t->label.identity))
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (s->trials[i].results->label.seed == t->label.seed)
            return false;
    return true;
}

static bioft_status refuse_copies(const struct panel *p, const struct trial_figures *t, const char *out,
                                  struct error *err)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct study_trial *other = copy_in(&p->series[i], t, out);
        if (other)
            return error_set(err, BIOFT_ERR_INVALID,
                             "%s/trials/%s is the same trial as %s, seed %llu too: a copy is no "
                             "repetition; leave one of the two out",
                             out, t->label.id, other->folder, (unsigned long long)t->label.seed);
    }
    return BIOFT_OK;
}

static bioft_status add_trial(struct study *s, struct trial_figures *t, const char *out, size_t most,
                              struct arena *arena, struct error *err)
{
    const struct figure *f = last_figure(t);
    size_t i = 0;

    if (!f)
        return BIOFT_OK;
    struct panel *p = panel_of(s, t, f);
    bioft_status st = refuse_copies(p, t, out, err);
    if (st != BIOFT_OK)
        return st;
    const char *name = series_name(t, f->rule, arena);
    if (!p->series)
        p->series = arena_array(arena, most, sizeof *p->series);
    if (!p->series || !name)
        return error_memory(err, "a report");
    while (i < p->count && !is_repetition(&p->series[i], t, name))
        i++;
    struct series *row = &p->series[i];
    if (i == p->count) {
        *row = (struct series){ .name = name,
                                .rule = f->rule,
                                .identity = t->label.identity,
                                .trials = arena_array(arena, most, sizeof *row->trials) };
        p->count++;
    }
    const char *folder = arena_printf(arena, "%s/trials/%s", out, t->label.id);
    if (!row->trials || !folder)
        return error_memory(err, "a report");
    row->trials[row->count++] = (struct study_trial){ .results = t, .out = out, .folder = folder };
    return BIOFT_OK;
}

struct figure *study_figure(const struct study_trial *t, const struct panel *p, const struct place *place)
{
    const struct figure *last = last_figure(t->results);
    for (size_t i = 0; i < t->results->count; i++) {
        struct figure *f = &t->results->figures[i];
        if (!same_text(f->metric, place->metric) || f->attacked != (place->attack != NULL))
            continue;
        if (!f->attacked && same_text(f->stage, last->stage) && same_text(f->split, p->split))
            return f;
        if (f->attacked && same_text(f->attack, place->attack) && same_text(f->options, place->options) &&
            same_text(f->gradient, place->gradient) && same_text(f->norm, place->norm) && f->epsilon == place->epsilon)
            return f;
    }
    return NULL;
}

bool study_point(const struct panel *p, const struct series *s, const struct place *place, struct point *ret)
{
    double *values = mem_array(s->count, sizeof *values), low = 0.0, high = 0.0;
    *ret = (struct point){ .low = NAN, .high = NAN };

    for (size_t i = 0; values && i < s->count; i++) {
        const struct figure *f = study_figure(&s->trials[i], p, place);
        if (!f)
            continue;
        values[ret->seeds++] = f->value;
        ret->n = f->n;
        low += f->ci_low;
        high += f->ci_high;
        ret->masking = ret->masking || same_text(f->masking, "masking");
        ret->weak = ret->weak || strstr(f->warnings, "attack-too-weak");
        ret->small = ret->small || strstr(f->warnings, "small-n");
    }
    if (ret->seeds > 0) {
        const struct comparison c = compare_seeds(values, ret->seeds, 0.0, 1.0);
        const bool spread = ret->seeds > 1 && !c.alike;
        ret->value = c.difference;
        ret->low = fmin(low / (double)ret->seeds, spread ? c.ci.low : 1.0);
        ret->high = fmax(high / (double)ret->seeds, spread ? c.ci.high : 0.0);
    }
    free(values);
    return ret->seeds > 0;
}

bioft_status study_predictions(const struct study_trial *t, const struct figure *f, struct arena *arena,
                               struct figure *ret, bool *ret_found, struct error *err)
{
    const struct figure *all = t->results->figures;
    const size_t at = (size_t)(f - all);
    size_t first = at, end = at + 1;
    char name[256], other[256];

    /* The metrics of one evaluation have their files in common, and stand one after another. */
    figure_file(f, name, sizeof name);
    while (first > 0 && (figure_file(&all[first - 1], other, sizeof other), same_text(name, other)))
        first--;
    while (end < t->results->count && (figure_file(&all[end], other, sizeof other), same_text(name, other)))
        end++;
    struct figure *read = arena_array(arena, end - first, sizeof *read);
    if (!read)
        return error_memory(err, "predictions");
    bioft_status st = figure_load(t->folder, &all[first], end - first, arena, read, ret_found, err);
    if (st != BIOFT_OK)
        return st;
    if (*ret_found) {
        *ret = read[at - first];
        *ret_found = ret->predictions != NULL;
    }
    return BIOFT_OK;
}

static bool add_metric(struct panel *p, const char *metric, struct arena *arena)
{
    if (!p->metrics)
        p->metrics = arena_array(arena, 64, sizeof *p->metrics);
    for (size_t i = 0; i < p->metric_count; i++)
        if (same_text(p->metrics[i], metric))
            return true;
    if (p->metrics && p->metric_count < 64)
        p->metrics[p->metric_count++] = metric;
    return p->metrics != NULL;
}

static bool add_epsilon(struct grid *g, const struct figure *f, struct arena *arena)
{
    enum { MOST = 256 };
    size_t i = 0;

    g->rule = g->rule || same_text(f->gradient, "rule");
    g->exact = g->exact || same_text(f->gradient, "exact");
    g->straight = g->straight || same_text(f->gradient, GRADIENT_OF_STAND_INS);
    g->smoothed = g->smoothed || same_text(f->gradient, GRADIENT_OF_DIFFERENCES);
    g->all = g->all || same_text(f->gradient, "");
    if (!g->epsilon && !(g->epsilon = arena_array(arena, MOST, sizeof *g->epsilon)))
        return false;
    while (i < g->count && g->epsilon[i] < f->epsilon)
        i++;
    if ((i < g->count && g->epsilon[i] == f->epsilon) || g->count == MOST)
        return true;
    memmove(&g->epsilon[i + 1], &g->epsilon[i], (g->count - i) * sizeof *g->epsilon);
    g->epsilon[i] = f->epsilon;
    g->count++;
    return true;
}

static bool add_grid(struct panel *p, const struct figure *f, struct arena *arena)
{
    enum { MOST = 256 };
    if (!p->grids && !(p->grids = arena_array(arena, MOST, sizeof *p->grids)))
        return false;
    for (size_t i = 0; i < p->grid_count; i++) {
        struct grid *g = &p->grids[i];
        if (same_text(g->metric, f->metric) && same_text(g->attack, f->attack) && same_text(g->options, f->options) &&
            same_text(g->norm, f->norm))
            return add_epsilon(g, f, arena);
    }
    if (p->grid_count == MOST)
        return true;
    struct grid *g = &p->grids[p->grid_count++];
    *g = (struct grid){ .metric = f->metric, .attack = f->attack, .options = f->options, .norm = f->norm };
    return add_epsilon(g, f, arena);
}

/* The metrics and grids that occur in a panel, in the order in which they do. */
static bool look_over(struct panel *p, struct arena *arena)
{
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->series[i].count; k++) {
            const struct trial_figures *t = p->series[i].trials[k].results;
            for (size_t j = 0; j < t->count; j++) {
                const struct figure *f = &t->figures[j];
                if (strchr(f->metric, '/') || (!f->attacked && !same_text(f->stage, last_figure(t)->stage)))
                    continue;
                if (!(f->attacked ? add_grid(p, f, arena) : add_metric(p, f->metric, arena)))
                    return false;
            }
        }
    return true;
}

static void choose_baseline(struct panel *p, const char *rule)
{
    for (size_t i = 0; i < p->count && !p->baseline; i++)
        if (rule && same_text(p->series[i].rule, rule))
            p->baseline = &p->series[i];
}

const char **study_names(const struct study *s, size_t *ret_count, struct arena *arena)
{
    size_t most = 0, n = 0;

    for (size_t i = 0; i < s->count; i++)
        most += s->panels[i].count;
    const char **names = arena_array(arena, most + 1, sizeof *names);
    for (size_t i = 0; names && i < s->count; i++)
        for (size_t k = 0; k < s->panels[i].count; k++) {
            size_t at = 0;
            while (at < n && strcmp(names[at], s->panels[i].series[k].name) != 0)
                at++;
            if (at == n)
                names[n++] = s->panels[i].series[k].name;
        }
    *ret_count = n;
    return names;
}

bioft_status study_read(const char *const *folders, size_t count, const char *baseline, struct arena *arena,
                        struct study *ret, struct error *err)
{
    struct trial_figures **trials = arena_array(arena, count, sizeof *trials);
    size_t *trial_counts = arena_array(arena, count, sizeof *trial_counts), most = 0;
    bioft_status st = trials && trial_counts ? BIOFT_OK : error_memory(err, "a report");

    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        char *path = path_join(folders[i], "results.csv");
        st = path ? results_read(path, arena, &trials[i], &trial_counts[i], err) : error_memory(err, "a path");
        free(path);
        most += st == BIOFT_OK ? trial_counts[i] : 0;
    }
    if (st != BIOFT_OK)
        return st;
    *ret = (struct study){ .folders = folders,
                           .folder_count = count,
                           .panels = arena_array(arena, most, sizeof *ret->panels) };
    if (!ret->panels)
        return error_memory(err, "a report");
    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        for (size_t k = 0; st == BIOFT_OK && k < trial_counts[i]; k++)
            st = add_trial(ret, &trials[i][k], folders[i], most, arena, err);
    for (size_t i = 0; st == BIOFT_OK && i < ret->count; i++) {
        if (!look_over(&ret->panels[i], arena))
            return error_memory(err, "a report");
        choose_baseline(&ret->panels[i], baseline);
        st = identity_names(&ret->panels[i], arena, err);
    }
    if (st != BIOFT_OK)
        return st;
    if (!colours_give(ret, arena))
        return error_memory(err, "a report");
    return BIOFT_OK;
}
