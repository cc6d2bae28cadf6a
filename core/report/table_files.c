/* Tables as files: LaTeX, Markdown, CSV. */
#include "report/table.h"

#include "formats/csv.h"
#include <string.h>

/* What ASCII cannot say, and what OT1 fonts have something else for. */
static const struct {
    const char *from, *to;
} symbols[] = {
    { "<", "\\textless{}" },
    { ">", "\\textgreater{}" },
    { "|", "\\textbar{}" },
    { "\"", "''" },
    { "\\", "\\textbackslash{}" },
    { "~", "\\textasciitilde{}" },
    { "^", "\\textasciicircum{}" },
    { "&", "\\&" },
    { "%", "\\%" },
    { "$", "\\$" },
    { "#", "\\#" },
    { "_", "\\_" },
    { "{", "\\{" },
    { "}", "\\}" },
    { "\xce\xb5", "$\\varepsilon$" },
    { "\xe2\x88\x92", "$-$" },
    { "\xe2\x86\x92", "$\\to$" },
    { "\xc2\xb1", "$\\pm$" },
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void latex_text(struct text *t, const char *text)
{
    for (const char *s = text; s && *s;) {
        size_t i = 0, length = 1;
        const bool minus = *s == '-' && is_digit(s[1]) && (s == text || s[-1] == ' ' || s[-1] == '[');
        while (i < sizeof symbols / sizeof *symbols && strncmp(s, symbols[i].from, strlen(symbols[i].from)) != 0)
            i++;
        if (minus)
            text_add(t, "$-$");
        else if (i < sizeof symbols / sizeof *symbols)
            length = (text_add(t, symbols[i].to), strlen(symbols[i].from));
        else
            text_add_n(t, s, 1);
        s += length;
    }
}

static void latex_cell(const struct cell *c, struct text *ret)
{
    const char *note = c->note ? c->note : c->more;

    text_add(ret, c->mark == MARK_BEST ? "\\textbf{" : c->mark == MARK_SECOND ? "\\underline{" : "");
    latex_text(ret, c->text);
    text_add(ret, c->mark != MARK_NONE ? "}" : "");
    if (note) {
        text_add(ret, "\\bioftnote{");
        latex_text(ret, note);
        text_add(ret, "}");
    }
}

/* In a box that is scaled down where it is wider than the column. Intervals are printed where the document says so. */
void table_latex(const struct table *t, struct text *ret)
{
    text_add(ret, "% needs \\usepackage{array,booktabs,graphicx}; with intervals and n:\n"
                  "% \\newcommand{\\bioftnote}[1]{ {\\scriptsize #1}} in the preamble\n");
    if (t->caption) {
        text_add(ret, "% ");
        for (const char *s = t->caption; *s; s++)
            text_add_n(ret, *s == '\n' ? " " : s, 1);
        text_add(ret, "\n");
    }
    text_add(ret, "\\providecommand{\\bioftnote}[1]{}%\n{\\footnotesize\\setlength{\\tabcolsep}{3pt}%\n"
                  "\\sbox0{\\begin{tabular}{@{}l");
    for (size_t c = 1; c < t->columns; c++)
        text_add(ret, table_is_long(t, c) ? ">{\\raggedright\\arraybackslash}p{4cm}" : table_is_word(t, c) ? "l" : "r");
    text_add(ret, "@{}}\n\\toprule\n");
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t c = 0; c < t->columns; c++) {
            text_add(ret, c ? " & " : "");
            latex_cell(&t->cells[r * t->columns + c], ret);
        }
        text_add(ret, r == 0 ? " \\\\\n\\midrule\n" : " \\\\\n");
    }
    text_add(ret, "\\bottomrule\n\\end{tabular}}%\n"
                  "\\ifdim\\wd0>\\linewidth\\resizebox{\\linewidth}{!}{\\usebox0}\\else\\usebox0\\fi}\n");
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

static bool has_notes(const struct table *t, size_t column)
{
    for (size_t r = 1; r < t->rows; r++)
        if (t->cells[r * t->columns + column].note || t->cells[r * t->columns + column].more)
            return true;
    return false;
}

void table_csv(const struct table *t, struct text *ret)
{
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t c = 0; c < t->columns; c++) {
            const struct cell *cell = &t->cells[r * t->columns + c];
            csv_text(ret, cell->text);
            if (!has_notes(t, c))
                continue;
            struct text head = { 0 };
            text_printf(&head, "%s [95%%]", cell->text ? cell->text : "");
            ret->failed = ret->failed || head.failed;
            csv_text(ret, r == 0 ? head.data : cell->note ? cell->note : cell->more);
            text_free(&head);
        }
        csv_end_line(ret);
    }
}
