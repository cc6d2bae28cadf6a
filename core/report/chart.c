/* Charts as SVG. */
#include "report/chart.h"

#include "report/colours.h"
#include "report/epsilon.h"
#include "report/table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* In units of a pixel on a phone, where a letter of 12 is 12 high. */
enum {
    WIDTH = 360,
    LEFT = 42,
    RIGHT = 350,
    TOP = 10,
    HIGH = 190, /* of the plot */
    LINE = 17,
    MOST_MARKERS = 24, /* a curve with more points has none */
    TITLE = 52         /* letters in a line of a title */
};
#define LETTER 6.7 /* about as wide as one of 12 is */
#define SOFT   "class=\"soft\" fill=\"#646b75\""
#define INK    "fill=\"#23272e\""
#define GRID   "class=\"grid\" stroke=\"#dcdcd8\" fill=\"none\""
#define DASHES " stroke-dasharray=\"5 3\""

struct axis {
    double low, high;
};
/* A chart being drawn. */
struct frame {
    const struct chart *c;
    struct axis x;
    double least;
    int top, bottom;
    bool upright; /* names along x stand on end */
};

double chart_place(const struct chart *c, double least, double x)
{
    if (!c->zero_and_log)
        return x;
    return x > 0.0 ? log10(x) : log10(least) - 0.6;
}

double chart_least_positive(const struct chart *c)
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
            const double at = chart_place(c, least, c->curves[i].x[k]);
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

static double across(const struct frame *f, double at)
{
    return LEFT + (at - f->x.low) / (f->x.high - f->x.low) * (RIGHT - LEFT);
}

static double down(const struct frame *f, double y)
{
    return f->bottom - (y - f->c->y_low) / (f->c->y_high - f->c->y_low) * (f->bottom - f->top);
}

/* Curves that coincide are drawn beside one another: a series' place among the others, in pixels. Lines of many points
 * stay where they are. */
static double aside(const struct frame *f, const struct curve *v)
{
    double before = 0.0, all = 0.0;

    for (size_t i = 0; i < f->c->count; i++) {
        if (f->c->curves[i].dashed || f->c->curves[i].count > MOST_MARKERS)
            continue;
        before += &f->c->curves[i] < v && !same_text(f->c->curves[i].name, v->name);
        all += 1.0;
    }
    if (all < 2.0 || v->count > MOST_MARKERS)
        return 0.0;
    /* The solid curve of a series comes before its dashed one: both have the same neighbours before them. */
    return (before - (all - 1.0) / 2.0) * fmin(1.6, 8.0 / all);
}

static double point_x(const struct frame *f, const struct curve *v, size_t k)
{
    return across(f, chart_place(f->c, f->least, v->x[k])) + aside(f, v);
}

static void label(struct text *t, double x, double y, const char *anchor, const char *style, const char *s)
{
    text_printf(t, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>", x, y, anchor, style);
    html_escape(t, s);
    text_add(t, "</text>");
}

/* A step of 1, 2 or 5 times a power of ten that gives about five. */
static double tick_step(double span)
{
    const double power = pow(10.0, floor(log10(span / 5.0))), part = span / 5.0 / power;
    return power * (part <= 1.0 ? 1.0 : part <= 2.0 ? 2.0 : part <= 5.0 ? 5.0 : 10.0);
}

static void y_ticks(const struct frame *f, struct text *t)
{
    const double step = tick_step(f->c->y_high - f->c->y_low);
    for (double y = ceil(f->c->y_low / step - 1e-9) * step; y <= f->c->y_high + step * 1e-6; y += step) {
        char s[TEXT_NUMBER];
        snprintf(s, sizeof s, "%.6g", fabs(y) < step * 1e-6 ? 0.0 : y);
        text_printf(t, "<path " GRID " d=\"M%d %.1fH%d\"/>", LEFT, down(f, y), RIGHT);
        label(t, LEFT - 5, down(f, y) + 4.0, "end", SOFT, s);
    }
}

static void x_tick(const struct frame *f, struct text *t, double at, const char *s)
{
    text_printf(t, "<path " GRID " d=\"M%.1f %dv4\"/>", at, f->bottom);
    if (!f->upright) {
        label(t, at, f->bottom + 16.0, "middle", SOFT, s);
        return;
    }
    text_printf(t, "<g transform=\"translate(%.1f %d) rotate(-90)\">", at + 4.0, f->bottom + 7);
    label(t, 0.0, 0.0, "end", SOFT, s);
    text_add(t, "</g>");
}

/* Every so many names, that their letters do not touch. */
static void x_names(const struct frame *f, struct text *t)
{
    const size_t n = f->c->x_name_count;
    const double step = n > 1 ? across(f, 1.0) - across(f, 0.0) : WIDTH;
    const size_t each = f->upright && step < 13.0 ? (size_t)(13.0 / step) + 1 : 1;
    for (size_t i = 0; i < n; i += each)
        x_tick(f, t, across(f, (double)i), f->c->x_names[i]);
}

/* The epsilons that occur, left out where they would touch the one before or the last one. */
static void x_epsilons(const struct frame *f, struct text *t)
{
    double values[256], free_from = -INFINITY;
    size_t n = 0;

    for (double last = -INFINITY;;) {
        double next = INFINITY;
        for (size_t i = 0; i < f->c->count; i++)
            for (size_t k = 0; k < f->c->curves[i].count; k++)
                if (f->c->curves[i].x[k] > last && f->c->curves[i].x[k] < next)
                    next = f->c->curves[i].x[k];
        if (!isfinite(next) || n == sizeof values / sizeof *values)
            break;
        values[n++] = last = next;
    }
    for (size_t i = 0; i < n; i++) {
        char s[TEXT_NUMBER], end[TEXT_NUMBER];
        const double at = across(f, chart_place(f->c, f->least, values[i]));
        const double wide = LETTER * (double)strlen(epsilon_text(s, values[i], 4)) / 2.0;
        const double last = across(f, chart_place(f->c, f->least, values[n - 1])) -
                            LETTER * (double)strlen(epsilon_text(end, values[n - 1], 4)) / 2.0;
        if (at - wide < free_from || (i + 1 < n && at + wide + 4.0 > last))
            continue;
        x_tick(f, t, fmin(at, WIDTH - wide - 1.0), s);
        free_from = at + wide + 4.0;
    }
}

static void x_ticks(const struct frame *f, struct text *t)
{
    if (f->c->x_names) {
        x_names(f, t);
    } else if (f->c->zero_and_log) {
        x_epsilons(f, t);
    } else {
        const double step = fmax(1.0, tick_step(f->x.high - f->x.low));
        for (double x = ceil(f->x.low / step) * step; x <= f->x.high; x += step) {
            char s[TEXT_NUMBER];
            snprintf(s, sizeof s, "%.6g", x);
            x_tick(f, t, fmin(across(f, x), WIDTH - LETTER * (double)strlen(s) / 2.0 - 1.0), s);
        }
    }
}

static void draw_band(const struct frame *f, const struct curve *v, struct text *t)
{
    bool begun = false;

    for (size_t k = 0; v->low && k < v->count; k++)
        if (isfinite(v->high[k]) && isfinite(v->low[k])) {
            text_printf(t, "%s%.1f %.1f", begun ? "L" : "<path class=\"band\" opacity=\".12\" d=\"M", point_x(f, v, k),
                        down(f, fmin(v->high[k], f->c->y_high)));
            begun = true;
        }
    for (size_t k = v->count; begun && k-- > 0;)
        if (isfinite(v->high[k]) && isfinite(v->low[k]))
            text_printf(t, "L%.1f %.1f", point_x(f, v, k), down(f, fmax(v->low[k], f->c->y_low)));
    if (begun)
        text_printf(t, "Z\" fill=\"%s\"/>", colours_literal(v->colour));
}

/* Filled on a solid curve, hollow on a dashed one. */
static void marker(double x, double y, const struct curve *v, struct text *t)
{
    static const char *const shapes[MARKERS] = { "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z", "m-2.7-2.7h5.4v5.4h-5.4z",
                                                 "m0-3.8l3.8 3.8l-3.8 3.8l-3.8-3.8z", "m0-3.6l3.6 6.2h-7.2z",
                                                 "m0 3.6l3.6-6.2h-7.2z" };
    const char *colour = colours_literal(v->colour);
    text_printf(t, "<path class=\"%s\" d=\"M%.1f %.1f%s\" stroke=\"%s\" fill=\"%s\"/>",
                v->dashed ? "mark hollow" : "mark", x, y, shapes[v->marker % MARKERS], colour,
                v->dashed ? "#fff" : colour);
}

/* "usf, exact gradient, epsilon (linf) 0.1: 0.132 [0.105, 0.164], n = 500" */
static void tell_point(const struct frame *f, const struct curve *v, size_t k, struct text *t)
{
    char s[TEXT_NUMBER];

    html_escape(t, v->name);
    text_add(t, v->what ? ", " : "");
    html_escape(t, v->what);
    text_add(t, ", ");
    if (f->c->x_names) {
        html_escape(t, (size_t)v->x[k] < f->c->x_name_count ? f->c->x_names[(size_t)v->x[k]] : "");
    } else {
        html_escape(t, f->c->x_label);
        text_printf(t, " %s", f->c->zero_and_log ? epsilon_text(s, v->x[k], 4) : text_number(s, v->x[k]));
    }
    text_printf(t, ": %.4g", v->y[k]);
    if (v->low && isfinite(v->low[k]) && isfinite(v->high[k]))
        text_printf(t, " [%.3f, %.3f]", v->low[k], v->high[k]);
    if (v->n)
        text_printf(t, ", n = %llu", (unsigned long long)v->n[k]);
}

static void draw_curve(const struct frame *f, const struct curve *v, struct text *t)
{
    text_printf(t, "<g class=\"curve c%u\" data-rule=\"", v->colour % COLOURS);
    html_escape(t, v->name);
    text_add(t, "\">");
    draw_band(f, v, t);
    text_printf(
        t, "<path class=\"line\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" stroke-linejoin=\"round\"%s d=\"",
        colours_literal(v->colour), v->dashed ? DASHES : "");
    for (size_t k = 0; k < v->count; k++)
        text_printf(t, "%c%.1f %.1f", k ? 'L' : 'M', point_x(f, v, k), down(f, v->y[k]));
    text_add(t, "\"/>");
    for (size_t k = 0; k < v->count; k++) {
        const double x = point_x(f, v, k), y = down(f, v->y[k]);
        text_add(t, "<g class=\"point\">");
        if (v->count <= MOST_MARKERS)
            marker(x, y, v, t);
        text_printf(t, "<circle class=\"hit\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\" fill=\"none\"/><title>", x, y);
        tell_point(f, v, k, t);
        text_add(t, "</title></g>");
    }
    text_add(t, "</g>\n");
}

/* One entry of the legend at *x, *y, which move on; not drawn where t is NULL. */
static void entry(const struct curve *v, const char *s, bool mark, double *x, double *y, struct text *t)
{
    const double wide = 36.0 + LETTER * (double)strlen(s);

    if (*x + wide > WIDTH && *x > LEFT - 30) {
        *x = LEFT - 30;
        *y += LINE;
    }
    if (t) {
        text_printf(t, "<g class=\"%s%u\" data-rule=\"", mark ? "curve c" : "style s", mark ? v->colour % COLOURS : 0);
        html_escape(t, mark ? s : "");
        text_printf(t,
                    "\"><path class=\"line\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\"%s d=\"M%.1f %.1fh20\"/>",
                    mark ? colours_literal(v->colour) : "#646b75", v->dashed ? DASHES : "", *x, *y - 4.0);
        if (mark)
            marker(*x + 10.0, *y - 4.0, v, t);
        label(t, *x + 25.0, *y, "start", INK, s);
        text_add(t, "</g>");
    }
    *x += wide;
}

/* A line for each series, then what solid and dashed mean. Returns where it ends. */
static double legend(const struct chart *c, double y, struct text *t)
{
    double x = LEFT - 30;

    for (size_t i = 0; i < c->count; i++)
        if (!c->curves[i].dashed)
            entry(&c->curves[i], c->curves[i].name, true, &x, &y, t);
    if (c->solid && c->dashed) {
        entry(&(struct curve){ .dashed = false }, c->solid, false, &x, &y, t);
        entry(&(struct curve){ .dashed = true }, c->dashed, false, &x, &y, t);
    }
    return y;
}

/* Lines of a title, broken at spaces; not drawn where t is NULL. Returns their number. */
static int title(const char *s, struct text *t)
{
    int lines = 0;

    while (*s) {
        size_t n = strlen(s);
        if (n > TITLE) {
            n = TITLE;
            while (n > 0 && s[n] != ' ')
                n--;
            n = n ? n : strcspn(s, " ");
        }
        if (t) {
            struct text line = { 0 };
            text_add_n(&line, s, n);
            label(t, LEFT - 30, 16.0 + LINE * lines, "start", INK, line.data);
            text_free(&line);
        }
        lines++;
        s += n + (s[n] == ' ');
    }
    return lines;
}

static double widest_name(const struct chart *c)
{
    double ret = 0.0;
    for (size_t i = 0; i < c->x_name_count; i++)
        ret = fmax(ret, LETTER * (double)strlen(c->x_names[i]));
    return ret;
}

void chart_svg(const struct chart *c, bool alone, struct text *ret)
{
    const double least = chart_least_positive(c), wide = widest_name(c);
    const int top = TOP + (alone ? LINE * title(c->title, NULL) : 0);
    const struct frame f = { .c = c,
                             .x = x_axis(c, least),
                             .least = least,
                             .top = top,
                             .bottom = top + HIGH,
                             .upright = wide + 8.0 > (RIGHT - LEFT) / (double)(c->x_name_count ? c->x_name_count : 1) };
    const double below = f.bottom + (f.upright ? wide + 24.0 : 33.0); /* the axis' label */
    const double end = legend(c, below + 24.0, NULL) + 8.0;

    text_printf(ret, "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\"", WIDTH, end);
    if (alone)
        text_printf(ret, " width=\"%d\" height=\"%.0f\"", WIDTH, end);
    text_add(ret, " font-family=\"sans-serif\" font-size=\"12\" role=\"img\" aria-label=\"");
    html_escape(ret, c->title);
    text_add(ret, "\">");
    if (alone) {
        text_printf(ret, "<rect width=\"%d\" height=\"%.0f\" fill=\"#fff\"/>", WIDTH, end);
        title(c->title, ret);
    }
    y_ticks(&f, ret);
    x_ticks(&f, ret);
    label(ret, (LEFT + RIGHT) / 2.0, below, "middle", SOFT, c->x_label);
    text_printf(ret, "<g transform=\"translate(11 %d) rotate(-90)\">", (f.top + f.bottom) / 2);
    label(ret, 0.0, 0.0, "middle", SOFT, c->y_label);
    text_add(ret, "</g>\n");
    for (size_t i = 0; i < c->count; i++)
        draw_curve(&f, &c->curves[i], ret);
    legend(c, below + 24.0, ret);
    text_add(ret, "</svg>\n");
}
