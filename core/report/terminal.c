/* The table at the end of a run, for people. */
#include "report/terminal.h"

#include "base/memory.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_EPSILON = 64, LABEL = 22, GRADIENT = 10, DIGITS = 4, CELL = 8 };

static bool warned(const struct figure *f, const char *word) { return f->warnings && strstr(f->warnings, word); }

static bool masks(const struct figure *f) { return same_text(f->masking, "masking"); }

const char *terminal_label(const struct trial_figures *trials, size_t count, size_t i, const struct figure *f,
                           char ret[TERMINAL_LABEL])
{
    const char *name = f->rule;

    for (size_t k = 0; k < count; k++)
        for (size_t j = 0; k != i && j < trials[k].count; j++)
            if (same_text(trials[k].figures[j].stage, f->stage) && same_text(trials[k].figures[j].rule, f->rule))
                name = trials[i].label.id;
    if (trials[i].seeds > 1)
        snprintf(ret, TERMINAL_LABEL, "%s, %zu seeds", name, trials[i].seeds);
    else
        snprintf(ret, TERMINAL_LABEL, "%s", name);
    return ret;
}

static bool last_stage(const struct trial_figures *t, const struct figure *f)
{
    const struct figure *last = NULL;
    for (size_t k = 0; k < t->count; k++)
        if (!t->figures[k].attacked)
            last = &t->figures[k];
    return last && same_text(last->stage, f->stage);
}

/* The table has one number of each kind; a metric with another convention is in the files. */
static bool shown(const struct figure *f) { return !strchr(f->metric, '/'); }

/* The same kind of number under the same attack. */
static bool comparable(const struct figure *a, const struct figure *b)
{
    return same_text(a->metric, b->metric) && same_text(a->attack, b->attack) && same_text(a->options, b->options) &&
           same_text(a->norm, b->norm);
}

static void clean_table(const struct trial_figures *trials, size_t count, const struct figure *head, struct text *t)
{
    char label[TERMINAL_LABEL];

    text_printf(t, "clean %-*s %-16s %-8s %s [95%% interval]\n", LABEL - 6, head->metric, "dataset", "n", head->metric);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < trials[i].count; k++) {
            const struct figure *f = &trials[i].figures[k];
            if (f->attacked || !last_stage(&trials[i], f) || !same_text(f->metric, head->metric))
                continue;
            text_printf(t, "  %-*s %-16s %-8llu %.4f [%.4f, %.4f]\n", LABEL - 2,
                        terminal_label(trials, count, i, f, label), f->dataset, (unsigned long long)f->n, f->value,
                        f->ci_low, f->ci_high);
        }
}

/* A table for each metric of the last stages. */
static void clean_tables(const struct trial_figures *trials, size_t count, struct text *t)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < trials[i].count; k++) {
            const struct figure *f = &trials[i].figures[k];
            bool first = !f->attacked && shown(f) && last_stage(&trials[i], f);
            for (size_t a = 0; first && a <= i; a++)
                for (size_t j = 0; j < (a == i ? k : trials[a].count); j++) {
                    const struct figure *o = &trials[a].figures[j];
                    if (!o->attacked && last_stage(&trials[a], o) && same_text(o->metric, f->metric))
                        first = false;
                }
            if (first)
                clean_table(trials, count, f, t);
        }
}

/* The grid of epsilons of one attack, in the order they appear. */
static size_t grid(const struct trial_figures *trials, size_t count, const struct figure *attack, double *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < trials[i].count; k++) {
            const struct figure *f = &trials[i].figures[k];
            size_t e = 0;
            if (!f->attacked || !comparable(f, attack))
                continue;
            while (e < n && ret[e] != f->epsilon)
                e++;
            if (e == n && n < MAX_EPSILON)
                ret[n++] = f->epsilon;
        }
    return n;
}

/* One row: a trial under one attack and gradient. */
static void attack_row(const struct trial_figures *trials, size_t count, size_t i, const struct figure *head,
                       const double *epsilon, size_t n, int width, struct text *t)
{
    char label[TERMINAL_LABEL];

    text_printf(t, "  %-*s %-*s", LABEL - 2, terminal_label(trials, count, i, head, label), GRADIENT,
                gradient_title(head->gradient));
    for (size_t e = 0; e < n; e++) {
        const struct figure *found = NULL;
        for (size_t k = 0; k < trials[i].count && !found; k++) {
            const struct figure *f = &trials[i].figures[k];
            if (f->attacked && comparable(f, head) && same_text(f->gradient, head->gradient) &&
                f->epsilon == epsilon[e])
                found = f;
        }
        if (found)
            text_printf(t, "%*.3f%s", width, found->value,
                        warned(found, "attack-too-weak") ? "!"
                        : masks(found)                   ? "*"
                                                         : " ");
        else
            text_printf(t, "%*s ", width, "");
    }
    text_add(t, "\n");
}

/* Is this the first figure of its (metric, attack, options[, gradient]) in trials[0..i]? */
static bool first_of(const struct trial_figures *trials, size_t from, size_t i, size_t k, bool gradient)
{
    const struct figure *f = &trials[i].figures[k];
    for (size_t a = from; a <= i; a++)
        for (size_t j = 0; j < (a == i ? k : trials[a].count); j++) {
            const struct figure *o = &trials[a].figures[j];
            if (o->attacked && comparable(o, f) && (!gradient || same_text(o->gradient, f->gradient)))
                return false;
        }
    return true;
}

static void attack_table(const struct trial_figures *trials, size_t count, const struct figure *head, struct text *t)
{
    double epsilon[MAX_EPSILON] = { 0 };
    const size_t n = grid(trials, count, head, epsilon);
    const int digits = text_digits(epsilon, n, DIGITS), width = CELL + digits - DIGITS;

    text_printf(t, "\nrobust %s, %s%s%s, n = %llu, by epsilon\n", head->metric, head->attack,
                head->options && *head->options ? " " : "", head->options ? head->options : "",
                (unsigned long long)head->n);
    text_printf(t, "  %-*s %-*s", LABEL - 2, "", GRADIENT, "gradient");
    for (size_t e = 0; e < n; e++)
        text_printf(t, "%*.*g ", width, digits, epsilon[e]);
    text_add(t, "\n");
    for (size_t i = 0; i < count; i++)
        for (int own = 0; own < 2; own++) /* the rule's own gradient comes last */
            for (size_t k = 0; k < trials[i].count; k++) {
                const struct figure *f = &trials[i].figures[k];
                if (f->attacked && comparable(f, head) && same_text(f->gradient, GRADIENT_OF_RULE) == (own == 1) &&
                    first_of(trials, i, i, k, true))
                    attack_row(trials, count, i, f, epsilon, n, width, t);
            }
}

/* What the comparisons of the two gradients come to over all trials. */
struct gradients {
    size_t pairs, masking, reversed, undecided;
    const struct figure *furthest, *exact; /* of those that mask */
    const struct trial_figures *trial;
    uint64_t n, needed; /* of the undecided one that needs most; needed 0: no number */
    bool unknown;       /* one of them has none */
};

static const struct figure *exact_beside(const struct trial_figures *t, const struct figure *rule)
{
    for (size_t k = 0; k < t->count; k++) {
        const struct figure *f = &t->figures[k];
        if (f->attacked && same_text(f->gradient, "exact") && comparable(f, rule) && f->epsilon == rule->epsilon)
            return f;
    }
    return NULL;
}

static void add_pair(const struct trial_figures *t, const struct figure *f, struct gradients *g)
{
    const struct figure *exact = exact_beside(t, f);

    g->pairs++;
    g->reversed += same_text(f->masking, "reversed");
    if (same_text(f->masking, "undecided")) {
        g->undecided++;
        g->unknown = g->unknown || f->masking_n == 0;
        g->needed = f->masking_n > g->needed ? f->masking_n : g->needed;
        g->n = f->n > g->n ? f->n : g->n;
    }
    if (!same_text(f->masking, "masking") || !exact)
        return;
    g->masking++;
    if (!g->furthest || f->value - exact->value > g->furthest->value - g->exact->value) {
        g->furthest = f;
        g->exact = exact;
        g->trial = t;
    }
}

static void two_gradients(const struct trial_figures *trials, size_t count, struct text *t)
{
    struct gradients g = { 0 };
    char number[TEXT_NUMBER], label[TERMINAL_LABEL];

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < trials[i].count; k++) {
            const struct figure *f = &trials[i].figures[k];
            if (f->attacked && shown(f) && f->masking && *f->masking && !same_text(f->attack, ATTACK_WORST))
                add_pair(&trials[i], f, &g);
        }
    if (!g.pairs)
        return;
    text_printf(t,
                "\nThe two gradients on the same images, %zu comparisons (exact McNemar or permutation test, Holm): "
                "%zu masking, %zu within 2 points, %zu undecided, %zu where the exact one is the weaker.\n",
                g.pairs, g.masking, g.pairs - g.masking - g.undecided - g.reversed, g.undecided, g.reversed);
    if (g.masking)
        text_printf(t,
                    "The exact gradient leaves %s %.3f (%s at epsilon %s), the rule's own gradient %.3f: masking, "
                    "not robustness.\n",
                    terminal_label(trials, count, (size_t)(g.trial - trials), g.exact, label), g.exact->value,
                    g.exact->attack, text_number(number, g.exact->epsilon), g.furthest->value);
    if (g.undecided && g.unknown)
        text_printf(t, "Undecided: n = %llu is too small to tell, and no number of images that would is known.\n",
                    (unsigned long long)g.n);
    else if (g.undecided)
        text_printf(t, "Undecided: n = %llu is too small to tell; about %llu images would.\n", (unsigned long long)g.n,
                    (unsigned long long)g.needed);
    if (!g.masking && !g.undecided && !g.reversed)
        text_add(t, "No masking: the two differ by less than 2 points everywhere.\n");
}

/* What the marks and the column of epsilon 0 are. */
static void explain(const struct trial_figures *rows, size_t count, struct text *t)
{
    bool weak = false, masked = false, zero = false;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < rows[i].count; k++) {
            const struct figure *f = &rows[i].figures[k];
            weak = weak || warned(f, "attack-too-weak");
            masked = masked || masks(f);
            zero = zero || (f->attacked && f->epsilon == 0.0);
        }
    if (zero)
        text_add(t,
                 "  epsilon 0: no attack, the attacked images alone; the clean figures above are of the whole split\n");
    if (masked)
        text_add(t, "  * masking: the rule's own gradient; the exact one leaves clearly less, so this figure is not "
                    "evidence of robustness\n");
    if (weak)
        text_add(t, "  ! attack too weak: at epsilon 0.5 every image can become the same grey one, so no network can "
                    "keep more than the largest class's share\n");
}

bool terminal_table(const struct trial_figures *trials, size_t count, struct text *t)
{
    struct arena *arena = arena_create();
    struct trial_figures *rows;
    size_t n;
    bool attacks = false;

    if (!arena || !terminal_series(trials, count, arena, &rows, &n)) {
        arena_destroy(arena);
        return false;
    }
    clean_tables(rows, n, t);
    for (int single = 0; single < 2; single++) /* worst cases come first */
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < rows[i].count; k++) {
                const struct figure *f = &rows[i].figures[k];
                attacks = attacks || f->attacked;
                if (f->attacked && shown(f) && same_text(f->attack, ATTACK_WORST) == (single == 0) &&
                    first_of(rows, 0, i, k, false))
                    attack_table(rows, n, f, t);
            }
    explain(rows, n, t);
    if (attacks)
        two_gradients(trials, count, t);
    terminal_verdicts(rows, n, t);
    arena_destroy(arena);
    return true;
}
