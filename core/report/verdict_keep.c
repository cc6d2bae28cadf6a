/* Verdicts in results.csv. */
#include "report/verdict.h"

#include "base/file.h"
#include "formats/csv.h"
#include "report/indicators.h"
#include <stdlib.h>
#include <string.h>

enum column { TRIAL, ATTACK, METRIC, NORM, EPSILON, WORD, WHY, COLUMNS };

/* false: a file of a bioft that kept none. */
static bool find_columns(const struct csv *c, size_t ret[COLUMNS])
{
    static const char *const names[COLUMNS] = {
        "trial", "attack", "metric", "norm", "epsilon", "verdict", "verdict_why"
    };

    for (size_t i = 0; i < COLUMNS; i++) {
        ret[i] = csv_column(c, names[i]);
        if (ret[i] == c->columns)
            return false;
    }
    return true;
}

static bool speaks_of(const struct verdict *v, const char *folder, char *const *row, const size_t at[COLUMNS])
{
    double epsilon;

    if (strcmp(row[at[ATTACK]], ATTACK_WORST) != 0 || strcmp(row[at[METRIC]], v->place.metric) != 0 ||
        strcmp(row[at[NORM]], v->place.norm) != 0 ||
        !text_to_double(row[at[EPSILON]], strlen(row[at[EPSILON]]), &epsilon) || epsilon != v->place.epsilon)
        return false;
    for (size_t i = 0; i < v->series->count; i++)
        if (strcmp(v->series->trials[i].out, folder) == 0 &&
            strcmp(v->series->trials[i].results->label.id, row[at[TRIAL]]) == 0)
            return true;
    return false;
}

bioft_status verdicts_keep(const char *folder, const struct verdict *v, size_t count, struct error *err)
{
    struct arena *arena = arena_create();
    char *path = path_join(folder, "results.csv");
    size_t at[COLUMNS];
    struct text t = { 0 };
    struct csv c;
    bioft_status st = arena && path ? indicators_open(folder, arena, &c, err) : error_memory(err, "a verdict");

    if (st == BIOFT_OK && find_columns(&c, at)) {
        for (size_t r = 0; r < c.rows; r++) {
            for (size_t i = 0; r && i < count; i++)
                if (speaks_of(&v[i], folder, c.field[r], at)) {
                    c.field[r][at[WORD]] = (char *)v[i].word;
                    c.field[r][at[WHY]] = (char *)v[i].why;
                }
            for (size_t k = 0; k < c.columns; k++)
                csv_text(&t, c.field[r][k]);
            csv_end_line(&t);
        }
        st = t.failed ? error_memory(err, path) : file_write(path, t.data, t.length, err);
    }
    text_free(&t);
    free(path);
    arena_destroy(arena);
    return st;
}
