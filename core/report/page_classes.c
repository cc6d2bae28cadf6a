/* Classes: accuracy of each, and the confusion matrix, from the predictions of the clean split. */
#include "report/page.h"

#include "report/class_names.h"
#include <stdlib.h>
#include <string.h>

enum { MATRIX = 20, WORST = 10 };

struct confusion {
    uint64_t *counts; /* [classes][classes], label by answer */
    size_t classes;
};

/* All seeds of a series together; classes 0: no predictions, or no classes in them. */
static bioft_status count_answers(const struct panel *p, const struct series *s, struct arena *arena,
                                  struct confusion *ret, struct error *err)
{
    bioft_status st = BIOFT_OK;

    *ret = (struct confusion){ 0 };
    for (size_t i = 0; st == BIOFT_OK && i < s->count; i++) {
        const struct figure *f = study_figure(&s->trials[i], p, &(struct place){ .metric = METRIC_ACCURACY });
        struct arena *own = arena_create();
        struct figure with;
        bool found = false;
        if (!own)
            return error_memory(err, "a confusion matrix");
        if (f)
            st = study_predictions(&s->trials[i], f, own, &with, &found, err);
        size_t classes = 0;
        for (uint64_t k = 0; found && k < with.n; k++) {
            const struct prediction *q = &with.predictions[k];
            const int32_t most = q->label > q->prediction ? q->label : q->prediction;
            if (q->label < 0 || q->prediction < 0 || most >= MOST_CLASSES)
                found = false;
            else if ((size_t)most >= classes)
                classes = (size_t)most + 1;
        }
        if (found && (i == 0 || ret->classes == 0)) {
            ret->classes = classes;
            ret->counts = arena_array(arena, classes * classes, sizeof *ret->counts);
            if (!ret->counts)
                st = error_memory(err, "a confusion matrix");
        }
        for (uint64_t k = 0; st == BIOFT_OK && found && classes <= ret->classes && k < with.n; k++)
            ret->counts[(size_t)with.predictions[k].label * ret->classes + (size_t)with.predictions[k].prediction]++;
        arena_destroy(own);
    }
    return st;
}

static uint64_t of_class(const struct confusion *c, size_t label)
{
    uint64_t n = 0;
    for (size_t k = 0; k < c->classes; k++)
        n += c->counts[label * c->classes + k];
    return n;
}

static double accuracy_of(const struct confusion *c, size_t label)
{
    const uint64_t n = of_class(c, label);
    return n ? (double)c->counts[label * c->classes + label] / (double)n : 0.0;
}

static void matrix(const struct confusion *c, const struct class_names *names, struct text *t)
{
    text_printf(t,
                "<figure class=\"table\"><figcaption>percent of each class (row) answered as the column's"
                "</figcaption><div class=\"scroll\"><table class=\"matrix%s\"><thead><tr>"
                "<th scope=\"col\">class</th>",
                names->long_ones ? " named" : "");
    for (size_t k = 0; k < c->classes; k++) {
        text_add(t, "<th scope=\"col\"><span>");
        html_escape(t, names->names[k]);
        text_add(t, "</span></th>");
    }
    text_add(t, "<th scope=\"col\">n</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < c->classes; i++) {
        const uint64_t n = of_class(c, i);
        text_add(t, "<tr><th scope=\"row\">");
        html_escape(t, names->names[i]);
        text_add(t, "</th>");
        for (size_t k = 0; k < c->classes; k++) {
            const double share = n ? (double)c->counts[i * c->classes + k] / (double)n : 0.0;
            text_printf(t, "<td style=\"background:rgba(var(--accent),%.2f)\">%.1f</td>", 0.5 * share, 100.0 * share);
        }
        text_printf(t, "<td>%llu</td></tr>\n", (unsigned long long)n);
    }
    text_add(t, "</tbody></table></div></figure>\n");
}

/* The classes in the order of their rows: all, or those that the first series knows worst. */
static size_t choose(const struct confusion *c, size_t *ret)
{
    size_t n = 0;

    if (c->classes <= MATRIX) {
        while (n < c->classes) {
            ret[n] = n;
            n++;
        }
        return n;
    }
    while (n < WORST) {
        size_t least = c->classes;
        for (size_t i = 0; i < c->classes; i++) {
            bool taken = of_class(c, i) == 0;
            for (size_t k = 0; k < n; k++)
                taken = taken || ret[k] == i;
            if (!taken && (least == c->classes || accuracy_of(c, i) < accuracy_of(c, least)))
                least = i;
        }
        if (least == c->classes)
            break;
        ret[n++] = least;
    }
    return n;
}

/* A row a class, a column a series. */
static bool by_class(const struct panel *p, const struct confusion *all, const size_t *rows, size_t count, bool worst,
                     const struct class_names *names, struct arena *arena, struct text *t)
{
    struct table table = { .name = "classes",
                           .caption = worst ? "accuracy in %, the ten classes that the first rule knows worst"
                                            : "accuracy in % of each class" };
    size_t column = 1, columns = 1;

    for (size_t s = 0; s < p->count; s++)
        columns += all[s].classes > 0;
    if (!table_create(&table, count + 1, columns, arena))
        return false;
    table_cell(&table, 0, 0)->text = "class";
    for (size_t k = 0; k < count; k++)
        table_cell(&table, k + 1, 0)->text = names->names[rows[k]];
    for (size_t s = 0; s < p->count; s++) {
        if (all[s].classes == 0)
            continue;
        table_cell(&table, 0, column)->text = p->series[s].name;
        for (size_t k = 0; k < count; k++)
            if (rows[k] < all[s].classes)
                table_cell(&table, k + 1, column)->text = arena_printf(arena, "%.1f",
                                                                       100.0 * accuracy_of(&all[s], rows[k]));
        column++;
    }
    table_html(&table, t);
    return true;
}

bioft_status page_classes(const struct panel *p, size_t number, struct text *ret, struct error *err)
{
    struct arena *arena = arena_create();
    struct confusion *all = arena ? arena_array(arena, p->count, sizeof *all) : NULL;
    struct class_names *names = all ? arena_array(arena, 1, sizeof *names) : NULL;
    size_t rows[MATRIX], count = 0, widest = 0;
    bioft_status st = names ? BIOFT_OK : error_memory(err, "a confusion matrix");

    for (size_t s = 0; st == BIOFT_OK && s < p->count; s++)
        st = count_answers(p, &p->series[s], arena, &all[s], err);
    for (size_t s = 0; st == BIOFT_OK && s < p->count; s++) {
        if (count == 0 && all[s].classes) {
            count = choose(&all[s], rows);
            st = class_names_read(&p->series[s].trials[0], arena, names, err);
        }
        widest = all[s].classes > widest ? all[s].classes : widest;
    }
    if (st == BIOFT_OK && count) {
        page_heading(ret, 3, "classes", number, "Classes");
        if (!by_class(p, all, rows, count, widest > MATRIX, names, arena, ret))
            st = error_memory(err, "a confusion matrix");
        for (size_t s = 0; st == BIOFT_OK && widest <= MATRIX && s < p->count; s++) {
            if (all[s].classes == 0)
                continue;
            text_add(ret, "<details><summary>Confusion matrix of ");
            html_escape(ret, p->series[s].name);
            text_add(ret, "</summary>\n");
            matrix(&all[s], names, ret);
            text_add(ret, "</details>\n");
        }
    }
    arena_destroy(arena);
    return st;
}
