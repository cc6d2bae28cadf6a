/* The columns of results.csv and of a figure's own file. */
#include "results/columns.h"

#include "base/file.h"
#include "formats/csv.h"
#include "results/attacked.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, COUNT, NUMBER };
/* When a column is known: before the figure is measured; from its predictions; from all figures of its trial. */
enum known { IS, GIVEN, CONCLUDED };
struct column {
    const char *name;
    enum kind kind;
    enum known known;
    bool of_trial, of_attack; /* of a trial_label, else of a figure; empty of a clean figure */
    size_t at;
};
#define TRIAL(name, kind, known, field) \
    { \
        name, kind, known, true, false, offsetof(struct trial_label, field) \
    }
#define FIGURE(name, kind, known, field) \
    { \
        name, kind, known, false, false, offsetof(struct figure, field) \
    }
#define ATTACK(name, kind, known, field) \
    { \
        name, kind, known, false, true, offsetof(struct figure, field) \
    }
/* A reader takes columns by their names; one that a file lacks is empty. */
static const struct column columns[] = {
    TRIAL("trial", TEXT, IS, id),
    TRIAL("seed", COUNT, IS, seed),
    TRIAL("backbone", TEXT, IS, backbone),
    FIGURE("dataset", TEXT, IS, dataset),
    FIGURE("protocol", TEXT, IS, protocol),
    FIGURE("rule", TEXT, IS, rule),
    FIGURE("stage", TEXT, IS, stage),
    TRIAL("engine", TEXT, IS, engine),
    TRIAL("precision", TEXT, IS, precision),
    FIGURE("split", TEXT, IS, split),
    FIGURE("metric", TEXT, IS, metric),
    FIGURE("attack", TEXT, IS, attack),
    FIGURE("options", TEXT, IS, options),
    FIGURE("gradient", TEXT, IS, gradient),
    FIGURE("norm", TEXT, IS, norm),
    ATTACK("epsilon", NUMBER, IS, epsilon),
    FIGURE("value", NUMBER, GIVEN, value),
    FIGURE("ci_low", NUMBER, GIVEN, ci_low),
    FIGURE("ci_high", NUMBER, GIVEN, ci_high),
    FIGURE("n", COUNT, GIVEN, n),
    FIGURE("left_out", COUNT, IS, left_out),
    ATTACK("delta_max", NUMBER, GIVEN, delta_max),
    ATTACK("delta_mean", NUMBER, GIVEN, delta_mean),
    FIGURE("warnings", TEXT, CONCLUDED, warnings),
    FIGURE("dropped", COUNT, IS, dropped),
    FIGURE("n_train", COUNT, IS, n_train),
    FIGURE("steps", COUNT, IS, steps),
    FIGURE("target", TEXT, IS, target),
    FIGURE("masking", TEXT, CONCLUDED, masking),
    ATTACK("masking_p", NUMBER, CONCLUDED, masking_p),
    ATTACK("masking_n", COUNT, CONCLUDED, masking_n),
    FIGURE("verdict", TEXT, CONCLUDED, verdict),
    FIGURE("verdict_why", TEXT, CONCLUDED, verdict_why),
    FIGURE("identity", TEXT, IS, identity),
    TRIAL("trial_identity", TEXT, CONCLUDED, identity),
    FIGURE("attacks", TEXT, CONCLUDED, attacks),
    FIGURE("from", TEXT, IS, from),
    FIGURE("network", TEXT, IS, network),
};
enum { COLUMNS = sizeof columns / sizeof *columns, NEEDED = 23, MAX_FILE = 256 << 20 };
_Static_assert((int)COLUMNS == (int)RESULT_COLUMNS, "RESULT_COLUMNS");

/* The indicators stand behind the columns of the first format. */
void columns_header(struct text *t)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        csv_text(t, columns[c].name);
        if (c == NEEDED)
            indicators_header(t);
    }
}

/* Has the figure no value in this column? p and n of masking are those of a pair of gradients. */
static bool is_empty(const struct column *c, const struct figure *f)
{
    const bool paired = f->masking && *f->masking;
    return c->of_attack && (!f->attacked || (!paired && strncmp(c->name, "masking", 7) == 0));
}

static void add_cell(struct text *t, const struct column *c, const struct trial_label *l, const struct figure *f)
{
    const char *field = (const char *)(c->of_trial ? (const void *)l : (const void *)f) + c->at;

    if (is_empty(c, f))
        csv_text(t, NULL);
    else if (c->kind == TEXT)
        csv_text(t, *(const char *const *)(const void *)field);
    else if (c->kind == COUNT)
        csv_integer(t, (int64_t) * (const uint64_t *)(const void *)field);
    else
        csv_number(t, *(const double *)(const void *)field);
}

/* A worst case has no options: the attacks that it holds stand in a column of their own. */
static struct figure written(const struct figure *f)
{
    struct figure ret = *f;

    if (f->attacked && strcmp(f->attack, ATTACK_WORST) == 0) {
        ret.attacks = f->options;
        ret.options = "";
    }
    return ret;
}

void columns_row(struct text *t, const struct trial_label *l, const struct figure *f)
{
    const struct figure shown = written(f);

    for (size_t i = 0; i < COLUMNS; i++) {
        add_cell(t, &columns[i], l, &shown);
        if (i == NEEDED)
            indicators_add(t, &shown);
    }
}

bioft_status columns_number(const char *path, const struct csv *c, size_t row, size_t column, double *ret,
                            struct error *err)
{
    const char *s = c->field[row][column];
    *ret = 0.0;
    if (!*s || text_to_double(s, strlen(s), ret))
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: '%s' is not a number; remove the file to have it recomputed", path,
                     row + 1, s);
}

/* Where the columns stand, and last the first of the indicators; SIZE_MAX: not there. Those of the first format are
 * needed. */
bioft_status columns_find(const char *path, const struct csv *c, size_t ret[RESULT_COLUMNS + 1], struct error *err)
{
    ret[COLUMNS] = SIZE_MAX;
    for (size_t k = 0; k + INDICATOR_COLUMNS <= c->columns && ret[COLUMNS] == SIZE_MAX; k++)
        if (indicators_begin(c->field[0] + k))
            ret[COLUMNS] = k;
    for (size_t i = 0; i < COLUMNS; i++) {
        const size_t at = csv_column(c, columns[i].name);
        ret[i] = at < c->columns ? at : SIZE_MAX;
        if (ret[i] == SIZE_MAX && i <= NEEDED)
            return error_set(err, BIOFT_ERR_FORMAT,
                             "%s: no column '%s': not the header of a results file; remove it "
                             "to have it recomputed",
                             path, columns[i].name);
    }
    return BIOFT_OK;
}

static bioft_status count_at(const char *path, const struct csv *c, size_t row, size_t column, uint64_t *ret,
                             struct error *err)
{
    const char *s = c->field[row][column];
    char *end;

    *ret = strtoull(s, &end, 10);
    if (!*end)
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: '%s' is not a count; remove the file to have it recomputed", path,
                     row + 1, s);
}

/* One row's figure and label; their strings stay in the csv's arena. */
bioft_status columns_read(const char *path, const struct csv *c, size_t row, const size_t at[RESULT_COLUMNS + 1],
                          struct trial_label *ret_label, struct figure *ret, struct error *err)
{
    static const char epsilon[] = "epsilon";
    bioft_status st = BIOFT_OK;

    *ret = (struct figure){ 0 };
    *ret_label = (struct trial_label){ 0 };
    for (size_t i = 0; st == BIOFT_OK && i < COLUMNS; i++) {
        const struct column *k = &columns[i];
        char *field = (char *)(k->of_trial ? (void *)ret_label : (void *)ret) + k->at;
        if (k->kind == TEXT)
            *(const char **)(void *)field = at[i] == SIZE_MAX ? "" : c->field[row][at[i]];
        else if (at[i] != SIZE_MAX && k->kind == COUNT)
            st = count_at(path, c, row, at[i], (uint64_t *)(void *)field, err);
        else if (at[i] != SIZE_MAX)
            st = columns_number(path, c, row, at[i], (double *)(void *)field, err);
        if (strcmp(k->name, epsilon) == 0)
            ret->attacked = *c->field[row][at[i]] != '\0';
    }
    if (at[COLUMNS] == SIZE_MAX)
        ret->indicators = indicators_none();
    else if (st == BIOFT_OK && !indicators_read(c->field[row] + at[COLUMNS], &ret->indicators))
        st = error_set(err, BIOFT_ERR_FORMAT,
                       "%s:%zu: a column of the attack's is not a number; remove the file to have "
                       "it recomputed",
                       path, row + 1);
    if (st != BIOFT_OK)
        return st;
    if (*ret->attacks)
        ret->options = ret->attacks;
    return BIOFT_OK;
}

/* Both texts into the arena, where they differ. */
static bioft_status differ(const char *name, const struct text *a, const struct text *b, struct arena *arena,
                           struct columns_difference *ret, struct error *err)
{
    if (a->failed || b->failed)
        return error_memory(err, "a figure");
    if (same_text(a->data, b->data))
        return BIOFT_OK;
    *ret = (struct columns_difference){ name, arena_text(arena, a->data ? a->data : ""),
                                        arena_text(arena, b->data ? b->data : "") };
    return ret->a && ret->b ? BIOFT_OK : error_memory(err, "a figure");
}

bioft_status columns_compare(const struct columns_side *a, const struct columns_side *b, enum columns_what what,
                             struct arena *arena, struct columns_difference *ret, struct error *err)
{
    const enum known known = what == COLUMNS_IS ? IS : GIVEN;
    const struct figure x = written(a->figure), y = written(b->figure);
    struct text at = { 0 }, bt = { 0 };
    bioft_status st = BIOFT_OK;

    *ret = (struct columns_difference){ 0 };
    for (size_t i = 0; st == BIOFT_OK && !ret->name && i < COLUMNS; i++) {
        if (columns[i].known != known)
            continue;
        add_cell(&at, &columns[i], a->label, &x);
        add_cell(&bt, &columns[i], b->label, &y);
        st = differ(columns[i].name, &at, &bt, arena, ret, err);
        text_free(&at);
        text_free(&bt);
    }
    if (st != BIOFT_OK)
        return st;
    /* A worst case's are of the attacks that it holds. */
    if (!ret->name && what == COLUMNS_GIVEN && strcmp(x.attack, ATTACK_WORST) != 0) {
        indicators_add(&at, &x);
        indicators_add(&bt, &y);
        st = differ("right to differences_off", &at, &bt, arena, ret, err);
        text_free(&at);
        text_free(&bt);
    }
    return st;
}

bioft_status columns_write(const char *path, struct text *t, struct error *err)
{
    bioft_status st = t->failed ? error_memory(err, path) : file_write(path, t->data, t->length, err);
    text_free(t);
    return st;
}

bioft_status columns_load(const char *path, struct arena *arena, struct csv *ret, struct error *err)
{
    bioft_status st = csv_load(path, MAX_FILE, arena, ret, err);
    if (st != BIOFT_OK)
        return st;
    if (ret->rows < 1)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: no header", path);
    return BIOFT_OK;
}
