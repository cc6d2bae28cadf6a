/* Tables for HTML, and the paper's marks. */
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t equal_to(const double *values, size_t count, double value)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += values[i] == value;
    return n;
}

void marks_set(const double *values, size_t count, enum mark *ret)
{
    double best = -INFINITY, second = -INFINITY;

    for (size_t i = 0; i < count; i++) {
        ret[i] = MARK_NONE;
        if (values[i] > best) {
            second = best;
            best = values[i];
        } else if (values[i] < best && values[i] > second) {
            second = values[i];
        }
    }
    const size_t firsts = equal_to(values, count, best);
    const bool mark_second = firsts == 1 && equal_to(values, count, second) == 1;
    for (size_t i = 0; i < count; i++) {
        if (values[i] == best && firsts <= 2)
            ret[i] = firsts == 1 ? MARK_BEST : MARK_SECOND;
        if (values[i] == second && mark_second)
            ret[i] = MARK_SECOND;
    }
}

void marks_as_printed(double *values, size_t count, int digits, enum mark *ret)
{
    for (size_t i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof text, "%.*f", digits, values[i]);
        values[i] = isnan(values[i]) ? NAN : strtod(text, NULL);
    }
    marks_set(values, count, ret);
}

bool table_create(struct table *t, size_t rows, size_t columns, struct arena *arena)
{
    size_t cells;
    t->rows = rows;
    t->columns = columns;
    t->cells = mem_product(rows, columns, &cells) ? arena_array(arena, cells, sizeof *t->cells) : NULL;
    return t->cells != NULL;
}

struct cell *table_cell(struct table *t, size_t row, size_t column) { return &t->cells[row * t->columns + column]; }

bool table_mark(struct table *t, size_t column, size_t first, size_t step, const double *values, size_t count,
                int digits)
{
    double *printed = mem_array(count, sizeof *printed);
    enum mark *marks = mem_array(count, sizeof *marks);
    const bool fine = printed && marks;

    if (fine && count)
        memcpy(printed, values, count * sizeof *printed);
    if (fine)
        marks_as_printed(printed, count, digits, marks);
    for (size_t i = 0; fine && i < count; i++)
        table_cell(t, first + i * step, column)->mark = marks[i];
    free(printed);
    free(marks);
    return fine;
}

void html_escape(struct text *t, const char *s)
{
    for (; s && *s; s++) {
        switch (*s) {
        case '<': text_add(t, "&lt;"); break;
        case '>': text_add(t, "&gt;"); break;
        case '&': text_add(t, "&amp;"); break;
        case '"': text_add(t, "&quot;"); break;
        default: text_add_n(t, s, 1);
        }
    }
}

/* The first cell that is not empty says which it is. */
bool table_is_word(const struct table *t, size_t column)
{
    for (size_t r = 1; column > 0 && r < t->rows; r++) {
        const char *s = t->cells[r * t->columns + column].text;
        if (s && *s)
            return (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
    }
    return false;
}

bool table_is_long(const struct table *t, size_t column)
{
    enum { LONG = 28 };
    for (size_t r = 1; column > 0 && r < t->rows; r++) {
        const char *s = t->cells[r * t->columns + column].text;
        if (s && strlen(s) > LONG)
            return true;
    }
    return false;
}

static void html_cell(const struct table *t, size_t row, size_t column, struct text *ret)
{
    const struct cell *c = &t->cells[row * t->columns + column];
    const char *tag = row == 0 || column == 0 ? "th" : "td";
    const char *scope = row == 0 ? " scope=\"col\"" : column == 0 ? " scope=\"row\"" : "";
    const char *const classes[] = { table_is_word(t, column) ? "word" : "", table_is_long(t, column) ? "long" : "",
                                    c->published ? "published" : "", c->faint ? "faint" : "" };
    bool begun = false;

    text_printf(ret, "<%s%s", tag, scope);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (*classes[i]) {
            text_printf(ret, "%s%s", begun ? " " : " class=\"", classes[i]);
            begun = true;
        }
    text_add(ret, begun ? "\"" : "");
    if (c->more) {
        text_add(ret, " title=\"");
        html_escape(ret, c->more);
        text_add(ret, "\"");
    }
    text_add(ret, ">");
    if (c->mark == MARK_BEST)
        text_add(ret, "<b>");
    if (c->mark == MARK_SECOND)
        text_add(ret, "<u>");
    html_escape(ret, c->text);
    if (c->mark == MARK_BEST)
        text_add(ret, "</b>");
    if (c->mark == MARK_SECOND)
        text_add(ret, "</u>");
    if (c->note) {
        text_add(ret, "<small>");
        html_escape(ret, c->note);
        text_add(ret, "</small>");
    }
    text_printf(ret, "</%s>", tag);
}

/* A row of a rule can be hidden with the rule's curves. */
static void html_row(const struct table *t, size_t row, struct text *ret)
{
    const struct cell *first = &t->cells[row * t->columns];

    text_add(ret, "<tr");
    if (row > 0 && first->text && !first->faint && same_text(t->cells[0].text, "rule")) {
        text_add(ret, " data-rule=\"");
        html_escape(ret, first->text);
        text_add(ret, "\"");
    }
    text_add(ret, ">");
    for (size_t c = 0; c < t->columns; c++)
        html_cell(t, row, c, ret);
    text_add(ret, "</tr>");
}

void html_files(const char *folder, const char *name, const char *const *suffixes, struct text *ret)
{
    static const char *const names[][2] = { { "csv", "CSV" },  { "tex", "LaTeX" }, { "md", "Markdown" },
                                            { "svg", "SVG" },  { "pdf", "PDF" },   { "png", "PNG" },
                                            { "dat", "data" }, { "gp", "gnuplot" } };

    text_add(ret, "<p class=\"files\">");
    for (; *suffixes; suffixes++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strcmp(names[i][0], *suffixes) == 0) {
                text_printf(ret, "<a href=\"%s/", folder);
                html_escape(ret, name);
                text_printf(ret, ".%s\">%s</a>", *suffixes, names[i][1]);
            }
    text_add(ret, "</p>");
}

void table_html(const struct table *t, struct text *ret)
{
    static const char *const suffixes[] = { "csv", "tex", "md", NULL };

    text_add(ret, "<figure class=\"table\">");
    if (t->caption) {
        text_add(ret, "<figcaption>");
        html_escape(ret, t->caption);
        text_add(ret, t->about ? ". " : "");
        html_escape(ret, t->about);
        text_add(ret, "</figcaption>");
    }
    text_add(ret, "<div class=\"scroll\"><table>");
    for (size_t r = 0; r < t->rows; r++) {
        text_add(ret, r == 0 ? "<thead>" : r == 1 ? "<tbody>" : "");
        html_row(t, r, ret);
        text_add(ret, r == 0 ? "</thead>\n" : "\n");
    }
    text_add(ret, t->rows > 1 ? "</tbody></table></div>" : "</table></div>");
    if (t->file)
        html_files("tables", t->file, suffixes, ret);
    text_add(ret, "</figure>\n");
}
