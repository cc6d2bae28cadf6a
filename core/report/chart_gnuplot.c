/* A chart as data and script for gnuplot. */
#include "report/chart.h"

#include "report/colours.h"
#include "report/epsilon.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void chart_data(const struct chart *c, struct text *ret)
{
    const double least = chart_least_positive(c);

    text_add(ret, "# x as drawn, value, low, high, x\n");
    for (size_t i = 0; i < c->count; i++) {
        const struct curve *v = &c->curves[i];
        text_printf(ret, "%s# %s%s%s\n", i ? "\n\n" : "", v->name, v->what ? ", " : "", v->what ? v->what : "");
        for (size_t k = 0; k < v->count; k++) {
            const bool band = v->low && isfinite(v->low[k]) && isfinite(v->high[k]);
            const double values[] = { chart_place(c, least, v->x[k]), v->y[k], band ? v->low[k] : v->y[k],
                                      band ? v->high[k] : v->y[k], v->x[k] };
            for (size_t n = 0; n < 5; n++) {
                char s[TEXT_NUMBER];
                text_printf(ret, "%s%s", n ? " " : "", text_number(s, values[n]));
            }
            text_add(ret, "\n");
        }
    }
}

/* In gnuplot's single quotes a quote is written twice. */
static void quoted(struct text *t, const char *s)
{
    text_add(t, "'");
    for (; s && *s; s++)
        text_add(t, *s == '\'' ? "''" : *s == '\n' ? " " : (char[]){ *s, '\0' });
    text_add(t, "'");
}

static void ticks(const struct chart *c, double least, struct text *t)
{
    bool any = false;

    if (!c->zero_and_log && !c->x_names)
        return;
    text_add(t, "set xtics (");
    for (size_t i = 0; i < c->x_name_count; i++) {
        text_add(t, i ? ", " : "");
        quoted(t, c->x_names[i]);
        text_printf(t, " %zu", i);
    }
    for (size_t k = 0; c->zero_and_log && c->count && k < c->curves[0].count; k++) {
        char s[TEXT_NUMBER];
        text_printf(t, "%s'%s' %.6f", any ? ", " : "", epsilon_text(s, c->curves[0].x[k], 4),
                    chart_place(c, least, c->curves[0].x[k]));
        any = true;
    }
    text_add(t, ")\nset xtics rotate by -45 left\n");
}

static void draw(const struct chart *c, struct text *t)
{
    static const int points[MARKERS] = { 7, 5, 13, 9, 11 };
    bool any = false;

    text_add(t, "plot ");
    for (size_t i = 0; i < c->count; i++) {
        const struct curve *v = &c->curves[i];
        const char *colour = colours_literal(v->colour);
        if (v->low)
            text_printf(t,
                        "%s'%s.dat' index %zu using 1:3:4 with filledcurves lc rgb '%s' fs transparent solid 0.12 "
                        "notitle, \\\n    ",
                        any ? ", \\\n    " : "", c->name, i, colour);
        else if (any)
            text_add(t, ", \\\n    ");
        any = true;
        text_printf(t, "'%s.dat' index %zu using 1:2 with linespoints pt %d ps 0.8 lw 2 dt %d lc rgb '%s' ", c->name, i,
                    points[v->marker % MARKERS], v->dashed ? 2 : 1, colour);
        if (v->dashed) {
            text_add(t, "notitle");
        } else {
            text_add(t, "title ");
            quoted(t, v->name);
        }
    }
    if (c->solid && c->dashed) {
        text_printf(t, "%s1/0 with lines lw 2 dt 1 lc rgb '#444444' title ", any ? ", \\\n    " : "");
        quoted(t, c->solid);
        text_add(t, ", \\\n    1/0 with lines lw 2 dt 2 lc rgb '#444444' title ");
        quoted(t, c->dashed);
        any = true;
    }
    text_add(t, any ? "\n" : "0 notitle\n");
}

void chart_gnuplot(const struct chart *c, struct text *ret)
{
    text_printf(ret,
                "# gnuplot %s.gp\nreset\nset terminal pngcairo size 1200,900 font 'sans,18' noenhanced\n"
                "set output '%s.png'\nset title ",
                c->name, c->name);
    quoted(ret, c->title);
    text_add(ret, " noenhanced\nset xlabel ");
    quoted(ret, c->x_label);
    text_add(ret, "\nset ylabel ");
    quoted(ret, c->y_label);
    text_printf(ret,
                "\nset yrange [%g:%g]\nset offsets graph 0.03, graph 0.03, 0, 0\nset grid ytics lc "
                "rgb '#dddddd'\n"
                "set border 3\nset tics nomirror\nset key outside top center horizontal\n",
                c->y_low, c->y_high);
    ticks(c, chart_least_positive(c), ret);
    draw(c, ret);
    text_printf(ret,
                "set terminal pdfcairo size 12cm,9cm font 'sans,10' noenhanced\nset output '%s.pdf'\nreplot\n"
                "set output\n",
                c->name);
}
