/* Tables, plots and report.html from the results of output folders. */
#include "report/report.h"

#include "base/file.h"
#include "report/differences.h"
#include "report/page.h"
#include "report/recipe.h"
#include "report/tables.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_STRIPS = 10 };

struct report {
    const char *out, *tables, *plots;
    struct arena *arena;
    struct study study;
    const char **scripts;
    size_t script_count, script_room;
    bool keep;
};

static bioft_status write_text(const struct report *r, const char *folder, const char *name, const char *suffix,
                               struct text *t, struct error *err)
{
    const char *path = arena_printf(r->arena, "%s/%s%s", folder, name, suffix);
    bioft_status st = t->failed || !path ? error_memory(err, name) : file_write(path, t->data, t->length, err);
    text_free(t);
    return st;
}

static bioft_status save_table(const struct report *r, struct table *t, struct error *err)
{
    struct text latex = { 0 }, markdown = { 0 }, csv = { 0 };
    char *name = arena_text(r->arena, t->name);

    if (!name)
        return error_memory(err, "a table");
    for (char *s = name; *s; s++) /* letters that a file's name and a link may have */
        *s = strchr("/@ %#?\"'<>&", *s) ? '-' : *s;
    t->file = name;
    table_latex(t, &latex);
    table_markdown(t, &markdown);
    table_csv(t, &csv);
    bioft_status st = write_text(r, r->tables, name, ".tex", &latex, err);
    if (st == BIOFT_OK)
        st = write_text(r, r->tables, name, ".md", &markdown, err);
    if (st == BIOFT_OK)
        st = write_text(r, r->tables, name, ".csv", &csv, err);
    text_free(&markdown);
    text_free(&csv);
    return st;
}

static bioft_status save_chart(struct report *r, const struct chart *c, struct error *err)
{
    struct text svg = { 0 }, data = { 0 }, script = { 0 };

    chart_svg(c, true, &svg);
    chart_data(c, &data);
    chart_gnuplot(c, &script);
    bioft_status st = write_text(r, r->plots, c->name, ".svg", &svg, err);
    if (st == BIOFT_OK)
        st = write_text(r, r->plots, c->name, ".dat", &data, err);
    if (st == BIOFT_OK)
        st = write_text(r, r->plots, c->name, ".gp", &script, err);
    if (st == BIOFT_OK) {
        r->scripts[r->script_count] = arena_printf(r->arena, "%s.gp", c->name);
        if (!r->scripts[r->script_count++])
            st = error_memory(err, "a plot");
    }
    text_free(&data);
    text_free(&script);
    return st;
}

static bioft_status panel_tables(const struct report *r, size_t number, struct page_panel *ret, struct error *err)
{
    const struct panel *p = ret->panel;
    struct table *attacks = arena_array(r->arena, p->grid_count, sizeof *attacks);
    struct table *gaps = arena_array(r->arena, p->metric_count, sizeof *gaps);
    struct table *all = arena_array(r->arena, 2, sizeof *all);
    struct table *transfers = NULL;
    bool fine = attacks && gaps && all;
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; fine && i < p->grid_count; i++)
        fine = tables_attack(&r->study, number, &p->grids[i], r->arena, &attacks[i]);
    for (size_t i = 0; fine && ret->finding_count && i < p->metric_count; i++)
        fine = tables_gaps(p, number, ret->findings, ret->finding_count, p->metrics[i], r->arena, &gaps[i]);
    if (fine && ret->finding_count)
        fine = tables_findings(p, number, ret->findings, ret->finding_count, r->arena, all);
    if (fine)
        fine = tables_transfer(p, number, r->arena, &transfers, &ret->transfer_count);
    if (!fine)
        return error_memory(err, "a table");
    ret->transfers = transfers;
    if (ret->verdict_count && !tables_verdicts(p, number, ret->verdicts, ret->verdict_count, r->arena, &all[1]))
        return error_memory(err, "a table");
    ret->verdict = ret->verdict_count ? &all[1] : NULL;
    ret->attacks = attacks;
    ret->attack_count = p->grid_count;
    ret->gaps = gaps;
    ret->gap_count = ret->finding_count ? p->metric_count : 0;
    ret->comparisons = ret->finding_count ? all : NULL;
    for (size_t i = 0; st == BIOFT_OK && i < ret->attack_count; i++) {
        st = recipe_attack(p, &p->grids[i], r->arena, &attacks[i].about, err);
        if (st == BIOFT_OK)
            st = save_table(r, &attacks[i], err);
    }
    for (size_t i = 0; st == BIOFT_OK && i < ret->transfer_count; i++)
        st = save_table(r, &transfers[i], err);
    for (size_t i = 0; st == BIOFT_OK && i < ret->gap_count; i++)
        st = save_table(r, &gaps[i], err);
    if (st != BIOFT_OK)
        return st;
    if (ret->comparisons)
        st = save_table(r, all, err);
    if (st != BIOFT_OK)
        return st;
    if (ret->verdict)
        st = save_table(r, &all[1], err);
    if (st != BIOFT_OK)
        return st;
    return save_table(r, &ret->headline.table, err);
}

static bioft_status panel_plots(struct report *r, size_t number, struct page_panel *ret, struct error *err)
{
    bioft_status st = plots_read(ret->panel, number, r->arena, &ret->plots, err);
    const size_t more = ret->plots.robustness_count + ret->plots.training_count;

    if (st != BIOFT_OK)
        return st;
    if (!mem_grow(&r->scripts, &r->script_room, r->script_count + more, sizeof *r->scripts))
        return error_memory(err, "a plot");
    for (size_t i = 0; st == BIOFT_OK && i < ret->plots.robustness_count; i++)
        st = save_chart(r, &ret->plots.robustness[i], err);
    for (size_t i = 0; st == BIOFT_OK && i < ret->plots.training_count; i++)
        st = save_chart(r, &ret->plots.training[i], err);
    return st;
}

static bioft_status panel_part(struct report *r, size_t number, struct page_panel *ret, struct error *err)
{
    struct panel *p = &r->study.panels[number];
    struct finding *findings;
    struct verdict *verdicts;

    *ret = (struct page_panel){ .panel = p,
                                .title = panel_title(&r->study, p, r->arena),
                                .strips = arena_array(r->arena, MOST_STRIPS, sizeof *ret->strips) };
    if (!ret->title || !ret->strips)
        return error_memory(err, "a report");
    bioft_status st = findings_read(p, r->arena, &findings, &ret->finding_count, err);
    if (st != BIOFT_OK)
        return st;
    ret->findings = findings;
    st = verdicts_read(&r->study, p, r->arena, &verdicts, &ret->verdict_count, err);
    if (st != BIOFT_OK)
        return st;
    ret->verdicts = verdicts;
    st = headline_read(
        &(struct headline_params){ &r->study, number, findings, ret->finding_count, verdicts, ret->verdict_count },
        r->arena, &ret->headline, err);
    if (st != BIOFT_OK)
        return st;
    st = recipe_training(p, r->arena, &ret->recipe, err);
    if (st != BIOFT_OK)
        return st;
    st = panel_tables(r, number, ret, err);
    for (size_t i = 0; st == BIOFT_OK && r->keep && i < r->study.folder_count; i++)
        st = verdicts_keep(r->study.folders[i], verdicts, ret->verdict_count, err);
    if (st != BIOFT_OK)
        return st;
    st = panel_plots(r, number, ret, err);
    if (st != BIOFT_OK)
        return st;
    return images_write(p, number, r->plots, MOST_STRIPS, r->arena, ret->strips, &ret->strip_count, err);
}

/* A clean table for each metric that any panel has. */
static bioft_status clean_tables(const struct report *r, const struct table **ret, size_t *ret_count, struct error *err)
{
    const struct study *s = &r->study;
    size_t most = 0, n = 0;

    for (size_t i = 0; i < s->count; i++)
        most += s->panels[i].metric_count;
    struct table *list = arena_array(r->arena, most, sizeof *list);
    const char **metrics = arena_array(r->arena, most, sizeof *metrics);
    bioft_status st = list && metrics ? BIOFT_OK : error_memory(err, "a table");
    for (size_t i = 0; st == BIOFT_OK && i < s->count; i++)
        for (size_t k = 0; st == BIOFT_OK && k < s->panels[i].metric_count; k++) {
            size_t at = 0;
            while (at < n && strcmp(metrics[at], s->panels[i].metrics[k]) != 0)
                at++;
            if (at < n)
                continue;
            metrics[n] = s->panels[i].metrics[k];
            st = tables_clean(s, metrics[n], r->arena, &list[n]) ? save_table(r, &list[n], err)
                                                                 : error_memory(err, "a table");
            n++;
        }
    *ret = list;
    *ret_count = n;
    return st;
}

static bioft_status write_all(struct report *r, const struct report_order *order, struct error *err)
{
    struct page_panel *panels = arena_array(r->arena, r->study.count, sizeof *panels);
    struct page page = { .study = &r->study, .folder = r->out, .panels = panels, .panel_count = r->study.count };
    struct text html = { 0 };

    bioft_status st = panels ? file_make_folder(r->tables, err) : error_memory(err, "a report");
    if (st == BIOFT_OK)
        st = file_make_folder(r->plots, err);
    if (st == BIOFT_OK)
        st = clean_tables(r, &page.clean, &page.clean_count, err);
    if (st == BIOFT_OK)
        st = differences_read(&r->study, r->arena, &page.differences, err);
    if (st == BIOFT_OK && page.differences.rows)
        st = save_table(r, &page.differences, err);
    for (size_t i = 0; st == BIOFT_OK && i < r->study.count; i++)
        st = panel_part(r, i, &panels[i], err);
    if (st == BIOFT_OK && order->draw && r->script_count)
        order->draw(r->plots, r->scripts, r->script_count);
    if (st == BIOFT_OK)
        st = page_build(&page, &html, err);
    if (st == BIOFT_OK)
        st = write_text(r, r->out, "report", ".html", &html, err);
    text_free(&html);
    return st;
}

bioft_status report_write(const struct report_order *order, struct arena *arena, struct error *err)
{
    struct report r = { .out = order->out,
                        .keep = order->keep,
                        .arena = arena,
                        .tables = arena_printf(arena, "%s/tables", order->out),
                        .plots = arena_printf(arena, "%s/plots", order->out) };

    bioft_status st = r.tables && r.plots
                          ? study_read(order->folders, order->count, order->baseline, arena, &r.study, err)
                          : error_memory(err, "a report");
    r.study.published = order->published;
    if (st == BIOFT_OK)
        st = write_all(&r, order, err);
    free(r.scripts);
    return st;
}
