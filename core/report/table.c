/* Tables for HTML, LaTeX and Markdown, and the paper's marks. */
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
    t->cells =
        mem_product(rows, columns, &cells) ? arena_array(arena, cells, sizeof *t->cells) : NULL;
    return t->cells != NULL;
}

struct cell *table_cell(struct table *t, size_t row, size_t column)
{
    return &t->cells[row * t->columns + column];
}

bool table_mark(struct table *t, size_t column, size_t first, size_t step, const double *values,
                size_t count, int digits)
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

/* A column of words stands left, one of numbers right: the first cell that is not empty says which
 * it is. */
static bool is_word(const struct table *t, size_t column)
{
    for (size_t r = 1; column > 0 && r < t->rows; r++) {
        const char *s = t->cells[r * t->columns + column].text;
        if (s && *s)
            return (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
    }
    return false;
}

static void html_cell(const struct table *t, size_t row, size_t column, struct text *ret)
{
    const struct cell *c = &t->cells[row * t->columns + column];
    const char *tag = row == 0 || column == 0 ? "th" : "td";
    const char *scope = row == 0 ? " scope=\"col\"" : column == 0 ? " scope=\"row\"" : "";

    const bool word = is_word(t, column);
    text_printf(ret, "<%s%s", tag, scope);
    if (word || c->published)
        text_printf(ret, " class=\"%s%s%s\"", word ? "word" : "", word && c->published ? " " : "",
                    c->published ? "published" : "");
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

void table_html(const struct table *t, struct text *ret)
{
    text_add(ret, "<figure class=\"table\">");
    if (t->caption) {
        text_add(ret, "<figcaption>");
        html_escape(ret, t->caption);
        text_add(ret, "</figcaption>");
    }
    text_add(ret, "<div class=\"scroll\"><table>");
    for (size_t r = 0; r < t->rows; r++) {
        text_add(ret, r == 0 ? "<thead><tr>" : r == 1 ? "<tbody><tr>" : "<tr>");
        for (size_t c = 0; c < t->columns; c++)
            html_cell(t, r, c, ret);
        text_add(ret, r == 0 ? "</tr></thead>\n" : "</tr>\n");
    }
    text_add(ret, t->rows > 1 ? "</tbody></table></div></figure>\n" : "</table></div></figure>\n");
}

static void latex_text(struct text *t, const char *s)
{
    for (; s && *s; s++) {
        if (strchr("&%$#_{}", *s))
            text_printf(t, "\\%c", *s);
        else if (*s == '\\' || *s == '~' || *s == '^')
            text_add(t, *s == '\\'  ? "\\textbackslash{}"
                        : *s == '~' ? "\\textasciitilde{}"
                                    : "\\textasciicircum{}");
        else
            text_add_n(t, s, 1);
    }
}

void table_latex(const struct table *t, struct text *ret)
{
    text_add(ret, "% needs \\usepackage{booktabs}\n\\begin{tabular}{l");
    for (size_t c = 1; c < t->columns; c++)
        text_add(ret, "r");
    text_add(ret, "}\n\\toprule\n");
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t c = 0; c < t->columns; c++) {
            const struct cell *cell = &t->cells[r * t->columns + c];
            text_add(ret, c ? " & " : "");
            text_add(ret, cell->mark == MARK_BEST     ? "\\textbf{"
                          : cell->mark == MARK_SECOND ? "\\underline{"
                                                      : "");
            latex_text(ret, cell->text);
            text_add(ret, cell->mark != MARK_NONE ? "}" : "");
            if (cell->note) {
                text_add(ret, " {\\scriptsize ");
                latex_text(ret, cell->note);
                text_add(ret, "}");
            }
        }
        text_add(ret, r == 0 ? " \\\\\n\\midrule\n" : " \\\\\n");
    }
    text_add(ret, "\\bottomrule\n\\end{tabular}\n");
}

static void markdown_text(struct text *t, const char *s)
{
    for (; s && *s; s++) {
        if (strchr("|*_<>`\\", *s))
            text_add(t, "\\");
        text_add_n(t, s, 1);
    }
}

void table_markdown(const struct table *t, struct text *ret)
{
    if (t->caption) {
        markdown_text(ret, t->caption);
        text_add(ret, "\n\n");
    }
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t c = 0; c < t->columns; c++) {
            const struct cell *cell = &t->cells[r * t->columns + c];
            text_add(ret, c ? " | " : "| ");
            text_add(ret, cell->mark == MARK_BEST ? "**" : cell->mark == MARK_SECOND ? "<u>" : "");
            markdown_text(ret, cell->text);
            text_add(ret, cell->mark == MARK_BEST ? "**" : cell->mark == MARK_SECOND ? "</u>" : "");
            if (cell->note) {
                text_add(ret, " ");
                markdown_text(ret, cell->note);
            }
        }
        text_add(ret, " |\n");
        for (size_t c = 0; r == 0 && c < t->columns; c++)
            text_add(ret, c == 0 ? "|---" : c + 1 < t->columns ? "|---:" : "|---:|\n");
        if (r == 0 && t->columns == 1)
            text_add(ret, "|\n");
    }
}
