/* Indicators of failed attacks (Pintor et al. 2022; Athalye, Carlini and Wagner 2018; Carlini et al. 2019), from the
 * columns of results.csv. */
#include "report/indicators.h"

#include "base/file.h"
#include "base/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 256 << 20 };
static const double still_rising = 0.05;     /* of the survivors */
static const double black_box_below = 0.002; /* in accuracy; of transferred images too */
static const double differences_off = 0.05;  /* of the images looked at */

bioft_status indicators_open(const char *folder, struct arena *arena, struct csv *ret, struct error *err)
{
    char *path = path_join(folder, "results.csv");
    bioft_status st = path ? csv_load(path, MAX_FILE, arena, ret, err) : error_memory(err, "a path");

    free(path);
    return st;
}

/* NAN: empty, or no such column. */
static double number(const struct csv *c, size_t row, const char *column)
{
    const char *s = csv_cell(c, row, column);
    double v;
    return *s && text_to_double(s, strlen(s), &v) ? v : (double)NAN;
}

static bool is_row(const struct csv *c, size_t row, const char *trial, const struct place *at)
{
    const char *attack = csv_cell(c, row, "attack");
    return strcmp(csv_cell(c, row, "trial"), trial) == 0 && *attack && strcmp(attack, ATTACK_WORST) != 0 &&
           strcmp(csv_cell(c, row, "gradient"), GRADIENT_OF_RULE) != 0 &&
           strcmp(csv_cell(c, row, "metric"), at->metric) == 0 && strcmp(csv_cell(c, row, "norm"), at->norm) == 0;
}

/* Does the attack follow something in the place of the exact gradient? */
static bool is_stand_in(const struct csv *c, size_t row) { return strcmp(csv_cell(c, row, "gradient"), "exact") != 0; }

/* Is it the worst case over what does not follow the rule's own gradient? */
static bool is_worst(const struct csv *c, size_t row, const char *trial, const struct place *at)
{
    return strcmp(csv_cell(c, row, "trial"), trial) == 0 && strcmp(csv_cell(c, row, "attack"), ATTACK_WORST) == 0 &&
           strcmp(csv_cell(c, row, "gradient"), "exact") == 0 && strcmp(csv_cell(c, row, "metric"), at->metric) == 0 &&
           strcmp(csv_cell(c, row, "norm"), at->norm) == 0 && number(c, row, "epsilon") == at->epsilon;
}

/* What the attacks at one epsilon add up to. */
struct sums {
    double zero, silent, off;                /* the most of any attack; NAN: not measured by any */
    double rising;                           /* the least of those along gradients: one of them was done */
    double white, black, transfer, stand_in; /* the least that is left; NAN: no such attack */
    bool zero_known;
};

static double most(double a, double b) { return isnan(a) || b > a ? b : a; }

static double least(double a, double b) { return isnan(a) || b < a ? b : a; }

static void add_row(const struct csv *c, size_t row, struct sums *s)
{
    const double value = number(c, row, "value"), n = number(c, row, "n"), gradients = number(c, row, "gradients");
    const double rising = number(c, row, "rising");

    if (*csv_cell(c, row, "from")) { /* another network's gradients say nothing of this one's */
        s->transfer = least(s->transfer, value);
        return;
    }
    /* Stand-ins for the gradient (straight_through, smoothed) are no measure of the exact one, and can only add a doubt. */
    if (is_stand_in(c, row)) {
        s->stand_in = least(s->stand_in, value);
        return;
    }
    /* Where it is not known whether an attack asks for gradients it is taken for one that does. */
    if (gradients <= 0.0)
        s->black = least(s->black, value);
    else
        s->white = least(s->white, value);
    if (!(gradients <= 0.0)) {
        s->zero_known = s->zero_known && !isnan(number(c, row, "zero_gradient"));
        s->zero = most(s->zero, number(c, row, "zero_gradient"));
        if (!isnan(rising))
            s->rising = least(s->rising, value * n > 0.0 ? rising / (value * n) : 0.0);
    }
    s->silent = most(s->silent, number(c, row, "silent"));
    s->off = most(s->off, number(c, row, "differences_off"));
}

static const char *doubt_of(const struct sums *s, struct arena *arena)
{
    if (isnan(s->white))
        return "no attack along a gradient was made";
    if (isnan(s->zero) || !s->zero_known)
        return "zero gradients were not counted";
    if (s->zero > 0.0)
        return arena_printf(arena, "%.0f images had a gradient of zero or not a number", s->zero);
    if (isnan(s->silent))
        return "silent success was not counted";
    if (s->silent > 0.0)
        return arena_printf(arena, "%.0f adversarial images were found and not returned", s->silent);
    if (isnan(s->rising))
        return "no attack told its course, so whether it was done is not known";
    if (s->rising > still_rising)
        return arena_printf(arena, "%.1f%% of the survivors' attacks were still gaining", 100.0 * s->rising);
    if (isnan(s->off))
        return "the exact gradient was not checked against finite differences";
    if (s->off > differences_off)
        return arena_printf(arena, "differences contradict the exact gradient in %.1f%% of images", 100.0 * s->off);
    if (isnan(s->black))
        return "no attack without gradients was made";
    if (s->black < s->white - black_box_below)
        return arena_printf(arena, "an attack without gradients leaves %.3f, those with them %.3f", s->black, s->white);
    if (s->transfer < s->white - black_box_below)
        return arena_printf(arena, "images made on another network leave %.3f, those made on this one %.3f",
                            s->transfer, s->white);
    if (s->stand_in < s->white - black_box_below)
        return arena_printf(arena, "stand-ins for the gradient leave %.3f, the exact one %.3f", s->stand_in, s->white);
    return "";
}

/* At an L-infinity epsilon of 1 any image can become any other: what survives says that the attacks fail. */
static const char *unbounded_doubt(const struct csv *c, const char *trial, const struct place *at, struct arena *arena)
{
    const struct place linf = { .metric = at->metric, .norm = "linf" };
    double left = (double)NAN, epsilon = 0.0;

    for (size_t r = 1; r < c->rows; r++) {
        const double e = number(c, r, "epsilon");
        if (!is_row(c, r, trial, &linf) || is_stand_in(c, r) || !(e >= 1.0))
            continue;
        left = least(left, number(c, r, "value"));
        epsilon = e;
    }
    if (isnan(left))
        return "no attack was made at an L-infinity epsilon of 1, where nothing may survive";
    return left > 0.0 ? arena_printf(arena, "%.3f survive an L-infinity epsilon of %g", left, epsilon) : "";
}

bioft_status indicators_doubt(const struct csv *c, const char *trial, const struct place *at, struct arena *arena,
                              const char **ret, struct error *err)
{
    const double none = (double)NAN;
    struct sums s = { none, none, none, none, none, none, none, none, true };

    for (size_t r = 1; r < c->rows; r++)
        if (is_row(c, r, trial, at) && number(c, r, "epsilon") == at->epsilon)
            add_row(c, r, &s);
    for (size_t r = 1; r < c->rows; r++)
        if (is_worst(c, r, trial, at) && !isnan(number(c, r, "silent")))
            s.silent = number(c, r, "silent"); /* an image that another attack broke is not kept for robust */
    *ret = doubt_of(&s, arena);
    if (*ret && !**ret)
        *ret = unbounded_doubt(c, trial, at, arena);
    return *ret ? BIOFT_OK : error_memory(err, "indicators");
}
