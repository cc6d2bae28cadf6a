/* results.csv: of one trial, and of several joined; and reading it back. */
#include "results/results.h"

#include "base/file.h"
#include "formats/csv.h"
#include "results/columns.h"
#include <stdlib.h>
#include <string.h>

bioft_status results_write(const char *path, const struct trial_figures *trial, struct error *err)
{
    struct text t = { 0 };
    columns_header(&t);
    csv_end_line(&t);
    for (size_t k = 0; k < trial->count; k++) {
        columns_row(&t, &trial->label, &trial->figures[k]);
        csv_end_line(&t);
    }
    return columns_write(path, &t, err);
}

bioft_status results_read(const char *path, struct arena *arena, struct trial_figures **ret, size_t *ret_count,
                          struct error *err)
{
    struct csv c;
    size_t trials = 0, at[RESULT_COLUMNS + 1];
    bioft_status st = columns_load(path, arena, &c, err);
    if (st == BIOFT_OK)
        st = columns_find(path, &c, at, err);
    if (st != BIOFT_OK)
        return st;
    struct trial_figures *list = arena_array(arena, c.rows, sizeof *list);
    struct figure *figures = arena_array(arena, c.rows, sizeof *figures);
    if (!list || !figures)
        return error_memory(err, path);
    for (size_t r = 1; r < c.rows; r++) {
        struct trial_label label;
        st = columns_read(path, &c, r, at, &label, &figures[r], err);
        if (st != BIOFT_OK)
            return st;
        if (trials == 0 || strcmp(list[trials - 1].label.id, label.id) != 0)
            list[trials++] = (struct trial_figures){ .label = label, .figures = &figures[r] };
        list[trials - 1].count++;
    }
    *ret = list;
    *ret_count = trials;
    return BIOFT_OK;
}

/* The rows of one part, each with its trial's values of the sweep. */
static bioft_status join_part(const struct results_part *part, size_t swept, struct text *t, struct error *err)
{
    struct arena *arena = arena_create();
    struct trial_figures *trials;
    size_t count;
    bioft_status st = arena ? results_read(part->path, arena, &trials, &count, err) : error_memory(err, part->path);

    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        for (size_t k = 0; k < trials[i].count; k++) {
            columns_row(t, &trials[i].label, &trials[i].figures[k]);
            for (size_t s = 0; s < swept; s++)
                csv_text(t, part->swept[s]);
            csv_end_line(t);
        }
    arena_destroy(arena);
    return st;
}

bioft_status results_join(const char *path, const char *const *swept, size_t swept_count,
                          const struct results_part *parts, size_t count, struct error *err)
{
    struct text t = { 0 };
    bioft_status st = BIOFT_OK;

    columns_header(&t);
    for (size_t i = 0; i < swept_count; i++)
        csv_text(&t, swept[i]);
    csv_end_line(&t);
    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        if (file_exists(parts[i].path))
            st = join_part(&parts[i], swept_count, &t, err);
    if (st == BIOFT_OK)
        return columns_write(path, &t, err);
    text_free(&t);
    return st;
}
