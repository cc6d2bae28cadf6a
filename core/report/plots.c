/* The charts of a panel. */
#include "report/plots.h"

#include "base/file.h"
#include "formats/json.h"
#include "report/recipe.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_METRICS = 64 << 20, MOST_LAYERS = 256 };

const char *plots_attack(const char *attack, const char *options, struct arena *arena)
{
    return options && *options ? arena_printf(arena, "%s (%s)", attack, options) : attack;
}

/* Letters that a file's name may have. */
static const char *file_name(struct arena *arena, size_t panel, const char *what, const char *metric,
                             const char *options)
{
    char *ret = arena_printf(arena, "%zu-%s-%s%s%s", panel + 1, what, metric, *options && *options != '-' ? "-" : "",
                             options);
    for (char *s = ret; s && *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("._-=", *s)))
            *s = '_';
    return ret;
}

const char *plots_again(const struct panel *p, const struct grid *g, struct arena *arena)
{
    size_t before = 0;

    for (size_t i = 0; &p->grids[i] != g; i++)
        before += strcmp(p->grids[i].attack, g->attack) == 0 && strcmp(p->grids[i].metric, g->metric) == 0;
    return before ? arena_printf(arena, "-%zu", before + 1) : "";
}

static bool curve_room(struct curve *c, size_t count, struct arena *arena)
{
    c->x = arena_array(arena, count, sizeof *c->x);
    c->y = arena_array(arena, count, sizeof *c->y);
    c->low = arena_array(arena, count, sizeof *c->low);
    c->high = arena_array(arena, count, sizeof *c->high);
    return c->x && c->y && c->low && c->high;
}

static bool robustness_curve(const struct panel *p, const struct series *s, const struct grid *g, const char *gradient,
                             struct chart *c, struct arena *arena)
{
    struct curve *v = &c->curves[c->count];
    uint64_t *n = arena_array(arena, g->count, sizeof *n);

    if (!n || !curve_room(v, g->count, arena))
        return false;
    for (size_t e = 0; e < g->count; e++) {
        struct point point;
        if (!study_point(p, s, &(struct place){ g->metric, g->attack, g->options, gradient, g->epsilon[e], g->norm },
                         &point))
            continue;
        v->x[v->count] = g->epsilon[e];
        v->y[v->count] = point.value;
        v->low[v->count] = point.low;
        n[v->count] = point.n;
        v->high[v->count++] = point.high;
    }
    v->dashed = strcmp(gradient, GRADIENT_OF_RULE) == 0 && g->exact;
    v->name = s->name;
    v->what = *gradient ? arena_printf(arena, "%s gradient", gradient) : NULL;
    v->n = n;
    v->colour = s->colour;
    v->marker = s->marker;
    c->count += v->count > 0;
    return !*gradient || v->what;
}

static bool robustness(const struct panel *p, size_t number, const struct grid *g, struct chart *c, struct arena *arena)
{
    const bool worst = strcmp(g->attack, ATTACK_WORST) == 0;

    *c = (struct chart){
        .name = file_name(arena, number, g->attack, g->metric,
                          worst || !g->options || !*g->options ? plots_again(p, g, arena) : g->options),
        .title = !worst ? arena_printf(arena, "%s under %s", g->metric, plots_attack(g->attack, g->options, arena))
                        : arena_printf(arena, "%s, the worst case over attacks (%s)", g->metric, g->options),
        .x_label = arena_printf(arena, "epsilon (%s)", g->norm && *g->norm ? g->norm : "norm"),
        .y_label = g->metric,
        .solid = g->exact && g->rule ? "exact gradient" : NULL,
        .dashed = g->exact && g->rule ? "the rule's own" : NULL,
        .zero_and_log = true,
        .y_low = 0.0,
        .y_high = 1.0,
        .curves = arena_array(arena, 2 * p->count, sizeof *c->curves)
    };
    if (!c->name || !c->title || !c->x_label || !c->curves)
        return false;
    for (size_t s = 0; s < p->count; s++) {
        const struct series *row = &p->series[s];
        const char *solid = g->exact      ? "exact"
                            : g->rule     ? GRADIENT_OF_RULE
                            : g->straight ? GRADIENT_OF_STAND_INS
                            : g->smoothed ? GRADIENT_OF_DIFFERENCES
                                          : "";
        bool fine = robustness_curve(p, row, g, solid, c, arena);
        if (fine && g->exact && g->rule && row != p->baseline)
            fine = robustness_curve(p, row, g, GRADIENT_OF_RULE, c, arena);
        if (!fine)
            return false;
    }
    return true;
}

/* The lines of metrics.jsonl of one stage. */
struct metrics {
    const struct json **lines;
    size_t count;
};

static bioft_status read_metrics(const struct study_trial *t, const char *stage, struct arena *arena,
                                 struct metrics *ret, struct error *err)
{
    char *path = path_join(t->folder, "metrics.jsonl");
    uint8_t *bytes = NULL;
    size_t size = 0, lines = 0;

    *ret = (struct metrics){ 0 };
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");
    if (st == BIOFT_OK && file_exists(path))
        st = file_read(path, MAX_METRICS, &bytes, &size, err);
    for (size_t i = 0; bytes && i < size; i++)
        lines += bytes[i] == '\n';
    ret->lines = arena_array(arena, lines + 1, sizeof *ret->lines);
    if (st == BIOFT_OK && !ret->lines)
        st = error_memory(err, path);
    const char *line;
    size_t length;
    for (size_t at = 0; st == BIOFT_OK && text_next_line((const char *)bytes, size, &at, &line, &length);) {
        struct json *json;
        st = json_parse(path, line, length, arena, &json, err);
        const struct json *name = st == BIOFT_OK ? json_get(json, "stage") : NULL;
        if (name && name->type == JSON_STRING && strcmp(name->text, stage) == 0)
            ret->lines[ret->count++] = json;
    }
    free(bytes);
    free(path);
    return st;
}

static bool number(const struct json *line, const char *key, double *ret)
{
    const struct json *v = json_get(line, key);
    if (!v || v->type != JSON_NUMBER)
        return false;
    *ret = v->number;
    return true;
}

/* A point for each line that has the value: of every so many steps' batches where `log_every` asked for them, else each
 * epoch's mean. */
static bool step_curve(const struct metrics *m, const char *key, struct curve *v, struct arena *arena)
{
    char by_step[TEXT_NUMBER];

    snprintf(by_step, sizeof by_step, "step_%s", key);
    for (size_t i = 0; i < m->count; i++)
        if (json_get(m->lines[i], by_step)) {
            key = by_step;
            break;
        }
    if (!curve_room(v, m->count + 1, arena))
        return false;
    for (size_t i = 0; i < m->count; i++) {
        double step, y;
        if (!number(m->lines[i], "step", &step) || !number(m->lines[i], key, &y))
            continue;
        v->x[v->count] = step;
        v->low[v->count] = v->high[v->count] = NAN;
        v->y[v->count++] = y;
    }
    return true;
}

/* The angles of the last line that has them, by layer. */
static bool angle_curve(const struct metrics *m, struct curve *v, const char **names, size_t *name_count,
                        struct arena *arena)
{
    const struct json *angles = NULL;

    for (size_t i = 0; i < m->count; i++)
        if (json_get(m->lines[i], "alignment"))
            angles = json_get(m->lines[i], "alignment");
    if (!angles || angles->type != JSON_OBJECT || angles->count > MOST_LAYERS)
        return true;
    if (!curve_room(v, angles->count, arena))
        return false;
    for (size_t i = 0; i < angles->count; i++) {
        if (i >= *name_count) { /* a layer without an angle has its name too */
            names[i] = angles->keys[i];
            *name_count = i + 1;
        }
        if (angles->items[i]->type != JSON_NUMBER)
            continue;
        v->x[v->count] = (double)i;
        v->low[v->count] = v->high[v->count] = NAN;
        v->y[v->count++] = angles->items[i]->number;
    }
    return true;
}

static void fit(struct chart *c, double low, double high)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->curves[i].count; k++)
            high = fmax(high, c->curves[i].y[k] * 1.05);
    c->y_low = low;
    c->y_high = high > low ? high : low + 1.0;
}

static void keep(struct chart *c, const struct series *s)
{
    struct curve *v = &c->curves[c->count];
    v->name = s->name;
    v->colour = s->colour;
    v->marker = s->marker;
    c->count += v->count > 0;
    if (v->count == 0)
        *v = (struct curve){ 0 };
}

/* Seconds and images per second of a series' first trial, by the lines of its epochs' ends. */
static bool duration(const struct panel *p, const struct series *s, const struct metrics *m, struct table *t,
                     struct arena *arena)
{
    const struct figure *f = p->metric_count
                                 ? study_figure(&s->trials[0], p, &(struct place){ .metric = p->metrics[0] })
                                 : NULL;
    char words[TEXT_NUMBER];
    double seconds = 0.0, speed;
    size_t epochs = 0;

    for (size_t i = 0; i < m->count; i++)
        if (number(m->lines[i], "images_per_s", &speed) && speed > 0.0) {
            seconds += (double)(f ? f->n_train : 0) / speed;
            epochs++;
        }
    if (!f || f->n_train == 0 || epochs == 0)
        return true;
    table_cell(t, t->rows, 0)->text = s->name;
    table_cell(t, t->rows, 1)->text = arena_text(arena, text_duration(words, seconds));
    table_cell(t, t->rows, 2)->text = arena_printf(arena, "%.0f", (double)(f->n_train * epochs) / seconds);
    t->rows++;
    return table_cell(t, t->rows - 1, 1)->text && table_cell(t, t->rows - 1, 2)->text;
}

static bool begin_durations(const struct panel *p, struct table *t, struct arena *arena)
{
    *t = (struct table){ .name = "durations", .caption = "training of this stage" };
    if (!table_create(t, p->count + 1, 3, arena))
        return false;
    table_cell(t, 0, 0)->text = "rule";
    table_cell(t, 0, 1)->text = "time";
    table_cell(t, 0, 2)->text = "images/s";
    t->rows = 1;
    return true;
}

static bioft_status training(const struct panel *p, size_t panel, struct arena *arena, struct plots *ret,
                             struct error *err)
{
    struct chart charts[3] = { { .name = file_name(arena, panel, "training", "loss", ""),
                                 .title = "training loss",
                                 .x_label = "step",
                                 .y_label = "loss" },
                               { .name = file_name(arena, panel, "training", METRIC_ACCURACY, ""),
                                 .title = "training accuracy",
                                 .x_label = "step",
                                 .y_label = METRIC_ACCURACY },
                               { .name = file_name(arena, panel, "alignment", "angle", ""),
                                 .title = "angle to backpropagation's error",
                                 .x_label = "layer",
                                 .y_label = "degrees" } };
    const char **names = arena_array(arena, MOST_LAYERS, sizeof *names);
    bioft_status st = names && begin_durations(p, &ret->durations, arena) ? BIOFT_OK : error_memory(err, "curves");

    for (size_t i = 0; st == BIOFT_OK && i < 3; i++)
        if (!charts[i].name || !(charts[i].curves = arena_array(arena, p->count + 1, sizeof(struct curve))))
            st = error_memory(err, "curves");
    for (size_t s = 0; st == BIOFT_OK && s < p->count; s++) {
        struct metrics m;
        st = read_metrics(&p->series[s].trials[0], p->stage, arena, &m, err);
        if (st == BIOFT_OK &&
            !(step_curve(&m, "loss", &charts[0].curves[charts[0].count], arena) &&
              step_curve(&m, "accuracy", &charts[1].curves[charts[1].count], arena) &&
              angle_curve(&m, &charts[2].curves[charts[2].count], names, &charts[2].x_name_count, arena) &&
              duration(p, &p->series[s], &m, &ret->durations, arena)))
            st = error_memory(err, "curves");
        for (size_t i = 0; st == BIOFT_OK && i < 3; i++)
            keep(&charts[i], &p->series[s]);
    }
    charts[2].x_names = names;
    fit(&charts[0], 0.0, 0.0);
    fit(&charts[1], 0.0, 1.0);
    charts[1].y_high = 1.0;
    fit(&charts[2], 0.0, 90.0);
    for (size_t i = 0; st == BIOFT_OK && i < 3; i++)
        if (charts[i].count)
            ret->training[ret->training_count++] = charts[i];
    return st;
}

bioft_status plots_read(const struct panel *p, size_t panel, struct arena *arena, struct plots *ret, struct error *err)
{
    *ret = (struct plots){ .robustness = arena_array(arena, p->grid_count + 1, sizeof *ret->robustness),
                           .training = arena_array(arena, 3, sizeof *ret->training) };
    if (!ret->robustness || !ret->training)
        return error_memory(err, "curves");
    for (size_t i = 0; i < p->grid_count; i++) {
        if (p->grids[i].count < 2)
            continue;
        struct chart *c = &ret->robustness[ret->robustness_count++];
        if (!robustness(p, panel, &p->grids[i], c, arena))
            return error_memory(err, "curves");
        const bioft_status st = recipe_attack(p, &p->grids[i], arena, &c->note, err);
        if (st != BIOFT_OK)
            return st;
    }
    return training(p, panel, arena, ret, err);
}
