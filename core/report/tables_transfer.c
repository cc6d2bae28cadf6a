/* Transferred attacks: a matrix of the networks that images were made on and those that they were shown to. */
#include "report/tables.h"

#include "base/text.h"
#include "report/plots.h"
#include <string.h>

/* The value of `from` among the options of a grid, or NULL; *ret_length: of it. */
static const char *from_of(const struct grid *g, size_t *ret_length)
{
    const char *at = strncmp(g->options, "from=", 5) == 0 ? g->options : strstr(g->options, ";from=");

    if (!at)
        return NULL;
    at = strchr(at, '=') + 1;
    *ret_length = strcspn(at, ";");
    return at;
}

static bool is_together(const struct grid *a, const struct grid *b)
{
    size_t n;
    return from_of(b, &n) && same_text(a->attack, b->attack) && same_text(a->metric, b->metric) &&
           same_text(a->norm, b->norm);
}

/* A grid's rows, one an epsilon; the number of rows behind them. */
static size_t add_rows(struct table *t, size_t row, const struct panel *p, const struct grid *g, struct arena *arena)
{
    size_t length = 0;
    const char *from = from_of(g, &length);

    for (size_t e = 0; e < g->count; e++) {
        if (g->epsilon[e] <= 0.0)
            continue;
        table_cell(t, row, 0)->text = arena_text_n(arena, from, length);
        table_cell(t, row, 1)->text = arena_printf(arena, "%.4g", g->epsilon[e]);
        for (size_t s = 0; s < p->count; s++) {
            struct point point;
            if (study_point(p, &p->series[s],
                            &(struct place){ g->metric, g->attack, g->options, "exact", g->epsilon[e], g->norm },
                            &point))
                table_cell(t, row, s + 2)->text = arena_printf(arena, "%.*f", TABLE_DIGITS, 100.0 * point.value);
        }
        row++;
    }
    return row;
}

static bool make(const struct panel *p, size_t number, const struct grid *first, struct arena *arena, struct table *ret)
{
    size_t row = 1, rows = 1;

    for (size_t i = 0; i < p->grid_count; i++)
        rows += is_together(first, &p->grids[i]) ? p->grids[i].count : 0;
    *ret = (struct table){ .name = arena_printf(arena, "%zu-transfer-%s-%s%s", number + 1, first->attack, first->metric,
                                                plots_again(p, first, arena)),
                           .caption = arena_printf(
                               arena,
                               "%s in %% under images of %s (%s): row, the network that they were made on; column, "
                               "the one that they were shown to",
                               tables_metric(first->metric, arena), first->attack, first->norm) };
    if (!ret->name || !ret->caption || !table_create(ret, rows, p->count + 2, arena))
        return false;
    table_cell(ret, 0, 0)->text = "made on";
    table_cell(ret, 0, 1)->text = "epsilon";
    for (size_t s = 0; s < p->count; s++)
        table_cell(ret, 0, s + 2)->text = p->series[s].name;
    for (size_t i = 0; i < p->grid_count; i++)
        if (is_together(first, &p->grids[i]))
            row = add_rows(ret, row, p, &p->grids[i], arena);
    ret->rows = row;
    return true;
}

bool tables_transfer(const struct panel *p, size_t number, struct arena *arena, struct table **ret, size_t *ret_count)
{
    *ret = arena_array(arena, p->grid_count + 1, sizeof **ret);
    *ret_count = 0;
    for (size_t i = 0; *ret && i < p->grid_count; i++) {
        const struct grid *g = &p->grids[i];
        size_t k = 0, length;
        while (k < i && !(from_of(&p->grids[k], &length) && is_together(&p->grids[k], g)))
            k++;
        if (!from_of(g, &length) || k < i)
            continue;
        if (!make(p, number, g, arena, &(*ret)[(*ret_count)++]))
            return false;
    }
    return *ret;
}
