/* Charts as SVG, and as data and script for gnuplot. */
#include "report/chart.h"

#include "report/table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 480,
    PLOT_LEFT = 46,
    PLOT_RIGHT = 468,
    PLOT_TOP = 30,
    PLOT_BOTTOM = 236,
    LEGEND_LINE = 18
};

static const char *const colours[CHART_COLOURS] = { "#3b4252", "#0072b2", "#d55e00", "#009e73",
                                                    "#b5558f", "#a07800", "#4aa3d8", "#8a5a44" };

const char *chart_style(void)
{
    return ".chart text{font:12px system-ui,sans-serif;fill:var(--ink,#222)}"
           ".chart .soft{fill:var(--soft,#666)}.chart .grid{stroke:var(--line,#ddd);stroke-width:1}"
           ".chart .band{opacity:.13;stroke:none}.chart "
           ".line{fill:none;stroke-width:1.8;stroke-linejoin:round}"
           ".chart .c0{--c:var(--ink,#3b4252)}.chart .c1{--c:#0072b2}.chart .c2{--c:#d55e00}.chart "
           ".c3{--c:#009e73}"
           ".chart .c4{--c:#b5558f}.chart .c5{--c:#a07800}.chart .c6{--c:#4aa3d8}.chart "
           ".c7{--c:#8a5a44}"
           ".chart .line{stroke:var(--c)}.chart .band,.chart .dot{fill:var(--c)}"
           "@media (prefers-color-scheme:dark){.chart .c1{--c:#58a6e0}.chart "
           ".c2{--c:#f08a4b}.chart .c3{--c:#3cc79b}"
           ".chart .c4{--c:#d98cbc}.chart .c5{--c:#d9b23c}.chart .c6{--c:#8fd0f5}.chart "
           ".c7{--c:#c49a86}"
           ".chart .band{opacity:.2}}";
}

struct axis {
    double low, high;
};

/* Where a value stands along x: 0 is one step left of the smallest positive one's decade. */
static double place(const struct chart *c, double least, double x)
{
    if (!c->zero_and_log)
        return x;
    return x > 0.0 ? log10(x) : log10(least) - 0.6;
}

static double least_positive(const struct chart *c)
{
    double least = INFINITY;
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->curves[i].count; k++)
            if (c->curves[i].x[k] > 0.0 && c->curves[i].x[k] < least)
                least = c->curves[i].x[k];
    return isfinite(least) ? least : 1.0;
}

static struct axis x_axis(const struct chart *c, double least)
{
    struct axis a = { INFINITY, -INFINITY };
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->curves[i].count; k++) {
            const double at = place(c, least, c->curves[i].x[k]);
            a.low = fmin(a.low, at);
            a.high = fmax(a.high, at);
        }
    if (!(a.high > a.low)) {
        a.low = isfinite(a.low) ? a.low - 0.5 : 0.0;
        a.high = a.low + 1.0;
    }
    const double margin = (a.high - a.low) * 0.03;
    return (struct axis){ a.low - margin, a.high + margin };
}

static double across(struct axis a, double at)
{
    return PLOT_LEFT + (at - a.low) / (a.high - a.low) * (PLOT_RIGHT - PLOT_LEFT);
}

static double down(const struct chart *c, double y)
{
    return PLOT_BOTTOM - (y - c->y_low) / (c->y_high - c->y_low) * (PLOT_BOTTOM - PLOT_TOP);
}

static void label(struct text *t, double x, double y, const char *anchor, const char *class,
                  const char *s)
{
    text_printf(t, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>", x, y, anchor, class);
    html_escape(t, s);
    text_add(t, "</text>");
}

/* A step of 1, 2 or 5 times a power of ten that gives about five. */
static double tick_step(double span)
{
    const double power = pow(10.0, floor(log10(span / 5.0))), part = span / 5.0 / power;
    return power * (part <= 1.0 ? 1.0 : part <= 2.0 ? 2.0 : part <= 5.0 ? 5.0 : 10.0);
}

static void y_ticks(const struct chart *c, struct text *t)
{
    const double step = tick_step(c->y_high - c->y_low);
    for (double y = ceil(c->y_low / step - 1e-9) * step; y <= c->y_high + step * 1e-6; y += step) {
        char s[TEXT_NUMBER];
        snprintf(s, sizeof s, "%.6g", fabs(y) < step * 1e-6 ? 0.0 : y);
        text_printf(t, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", PLOT_LEFT, down(c, y),
                    PLOT_RIGHT);
        label(t, PLOT_LEFT - 6, down(c, y) + 4.0, "end", " class=\"soft\"", s);
    }
}

static void x_tick(struct text *t, double at, const char *s)
{
    text_printf(t, "<path class=\"grid\" d=\"M%.1f %dv4\"/>", at, PLOT_BOTTOM);
    label(t, at, PLOT_BOTTOM + 17.0, "middle", " class=\"soft\"", s);
}

/* The values that occur, the later ones left out where they would touch. */
static void x_ticks(const struct chart *c, struct axis a, double least, struct text *t)
{
    double last = -INFINITY;

    if (c->x_names) {
        const size_t each = c->x_name_count / 8 + 1;
        for (size_t i = 0; i < c->x_name_count; i += each)
            x_tick(t, across(a, (double)i), c->x_names[i]);
        return;
    }
    if (!c->zero_and_log) {
        const double step = fmax(1.0, tick_step(a.high - a.low));
        for (double x = ceil(a.low / step) * step; x <= a.high; x += step) {
            char s[TEXT_NUMBER];
            snprintf(s, sizeof s, "%.6g", x);
            x_tick(t, across(a, x), s);
        }
        return;
    }
    for (;;) {
        double next = INFINITY;
        char s[TEXT_NUMBER];
        for (size_t i = 0; i < c->count; i++)
            for (size_t k = 0; k < c->curves[i].count; k++)
                if (c->curves[i].x[k] > last && c->curves[i].x[k] < next)
                    next = c->curves[i].x[k];
        if (!isfinite(next))
            return;
        snprintf(s, sizeof s, "%.3g", next);
        const double at = across(a, place(c, least, next));
        if (!isfinite(last) || at - across(a, place(c, least, last)) > 7.0 * (double)strlen(s)) {
            x_tick(t, at, s);
            last = next;
        } else {
            last = nextafter(next, INFINITY);
        }
    }
}

static void draw_band(const struct chart *c, const struct curve *v, struct axis a, double least,
                      struct text *t)
{
    bool begun = false;
    for (size_t k = 0; v->low && k < v->count; k++)
        if (isfinite(v->high[k]) && isfinite(v->low[k])) {
            text_printf(t, "%s%.1f %.1f", begun ? "L" : "<path class=\"band\" d=\"M",
                        across(a, place(c, least, v->x[k])), down(c, fmin(v->high[k], c->y_high)));
            begun = true;
        }
    for (size_t k = v->count; begun && k-- > 0;)
        if (isfinite(v->high[k]) && isfinite(v->low[k]))
            text_printf(t, "L%.1f %.1f", across(a, place(c, least, v->x[k])),
                        down(c, fmax(v->low[k], c->y_low)));
    if (begun)
        text_add(t, "Z\"/>");
}

static void draw_curve(const struct chart *c, const struct curve *v, struct axis a, double least,
                       struct text *t)
{
    text_printf(t, "<g class=\"c%u\">", v->colour % CHART_COLOURS);
    draw_band(c, v, a, least, t);
    text_printf(t, "<path class=\"line\"%s d=\"", v->dashed ? " stroke-dasharray=\"5 4\"" : "");
    for (size_t k = 0; k < v->count; k++)
        text_printf(t, "%c%.1f %.1f", k ? 'L' : 'M', across(a, place(c, least, v->x[k])),
                    down(c, v->y[k]));
    text_add(t, "\"/>");
    for (size_t k = 0; !v->dashed && k < v->count; k++)
        text_printf(t, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.4\"/>",
                    across(a, place(c, least, v->x[k])), down(c, v->y[k]));
    text_add(t, "</g>\n");
}

/* Where the legend's entry i stands; the last one says how high the legend is. */
static void legend_place(const struct chart *c, size_t i, double *ret_x, double *ret_y)
{
    double x = PLOT_LEFT, y = PLOT_BOTTOM + 58.0;
    for (size_t k = 0; k <= i && k < c->count; k++) {
        const double wide =
            c->curves[k].name ? 34.0 + 6.8 * (double)strlen(c->curves[k].name) : 0.0;
        if (x + wide > PLOT_RIGHT && x > PLOT_LEFT) {
            x = PLOT_LEFT;
            y += LEGEND_LINE;
        }
        *ret_x = x;
        *ret_y = y;
        x += wide;
    }
}

static void legend(const struct chart *c, struct text *t)
{
    for (size_t i = 0; i < c->count; i++) {
        double x, y;
        if (!c->curves[i].name)
            continue;
        legend_place(c, i, &x, &y);
        text_printf(t, "<g class=\"c%u\"><path class=\"line\"%s d=\"M%.1f %.1fh18\"/>",
                    c->curves[i].colour % CHART_COLOURS,
                    c->curves[i].dashed ? " stroke-dasharray=\"5 4\"" : "", x, y - 4.0);
        label(t, x + 23.0, y, "start", "", c->curves[i].name);
        text_add(t, "</g>");
    }
}

void chart_svg(const struct chart *c, bool alone, struct text *ret)
{
    const double least = least_positive(c);
    const struct axis a = x_axis(c, least);
    double x = PLOT_LEFT, y = PLOT_BOTTOM + 40.0;

    if (c->count)
        legend_place(c, c->count - 1, &x, &y);
    text_printf(ret,
                "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
                "role=\"img\" "
                "aria-label=\"",
                WIDTH, y + 12.0);
    html_escape(ret, c->title);
    text_add(ret, "\">");
    if (alone)
        text_printf(
            ret,
            "<style>%s</style><rect width=\"100%%\" height=\"100%%\" fill=\"var(--paper,#fff)\"/>"
            "<style>@media "
            "(prefers-color-scheme:dark){.chart{--ink:#e6e6e3;--soft:#a3a5a8;--line:#33373c;"
            "--paper:#16181b}}</style>",
            chart_style());
    label(ret, PLOT_LEFT, 16.0, "start", "", c->title);
    y_ticks(c, ret);
    x_ticks(c, a, least, ret);
    label(ret, (PLOT_LEFT + PLOT_RIGHT) / 2.0, PLOT_BOTTOM + 35.0, "middle", " class=\"soft\"",
          c->x_label);
    text_printf(ret, "<g transform=\"translate(11 %d) rotate(-90)\">",
                (PLOT_TOP + PLOT_BOTTOM) / 2);
    label(ret, 0.0, 0.0, "middle", " class=\"soft\"", c->y_label);
    text_add(ret, "</g>\n");
    for (size_t i = 0; i < c->count; i++)
        draw_curve(c, &c->curves[i], a, least, ret);
    legend(c, ret);
    text_add(ret, "</svg>\n");
}

void chart_data(const struct chart *c, struct text *ret)
{
    const double least = least_positive(c);

    text_add(ret, "# x as drawn, value, low, high, x\n");
    for (size_t i = 0; i < c->count; i++) {
        const struct curve *v = &c->curves[i];
        text_printf(ret, "%s# %s\n", i ? "\n\n" : "", v->name ? v->name : "");
        for (size_t k = 0; k < v->count; k++) {
            const bool band = v->low && isfinite(v->low[k]) && isfinite(v->high[k]);
            const double values[] = { place(c, least, v->x[k]), v->y[k], band ? v->low[k] : v->y[k],
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

static void gnuplot_ticks(const struct chart *c, double least, struct text *t)
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
        text_printf(t, "%s'%.3g' %.6f", any ? ", " : "", c->curves[0].x[k],
                    place(c, least, c->curves[0].x[k]));
        any = true;
    }
    text_add(t, ")\n");
}

void chart_gnuplot(const struct chart *c, struct text *ret)
{
    text_printf(ret,
                "# gnuplot %s.gp\nreset\nset terminal pngcairo size 1200,900 font 'sans,18' "
                "noenhanced\nset output '%s.png'\n"
                "set title ",
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
    gnuplot_ticks(c, least_positive(c), ret);
    text_add(ret, "plot ");
    for (size_t i = 0; i < c->count; i++) {
        const char *colour = colours[c->curves[i].colour % CHART_COLOURS];
        if (c->curves[i].low)
            text_printf(ret,
                        "%s'%s.dat' index %zu using 1:3:4 with filledcurves lc rgb '%s' fs "
                        "transparent solid 0.12 "
                        "notitle, \\\n    ",
                        i ? ", \\\n    " : "", c->name, i, colour);
        else if (i)
            text_add(ret, ", \\\n    ");
        text_printf(
            ret,
            "'%s.dat' index %zu using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt %d lc rgb '%s' ",
            c->name, i, c->curves[i].dashed ? 2 : 1, colour);
        if (c->curves[i].name) {
            text_add(ret, "title ");
            quoted(ret, c->curves[i].name);
        } else {
            text_add(ret, "notitle");
        }
    }
    text_add(ret, c->count ? "\n" : "0 notitle\n");
}
