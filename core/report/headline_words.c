/* The sentences on top of a task. */
#include "report/headline.h"

#include "report/epsilon.h"
#include "report/tables.h"
#include <math.h>
#include <string.h>

/* Which facts a sentence is about. */
typedef bool chosen(const struct headline *h, const struct fact *f);

static bool is_compared(const struct fact *f, enum outcome wanted)
{
    return f->against && !f->constant && compare_outcome(&f->against->found, f->against->adjusted) == wanted;
}

static bool as_good(const struct headline *h, const struct fact *f) { return (void)h, is_compared(f, OUTCOME_SAME); }
static bool is_better(const struct headline *h, const struct fact *f) { return (void)h, is_compared(f, OUTCOME_MORE); }
static bool is_worse(const struct headline *h, const struct fact *f) { return (void)h, is_compared(f, OUTCOME_LESS); }
static bool is_open(const struct headline *h, const struct fact *f)
{
    return (void)h, is_compared(f, OUTCOME_UNDECIDED);
}
static bool is_constant(const struct headline *h, const struct fact *f) { return (void)h, f->constant; }

static bool has_word(const struct fact *f, const char *word)
{
    return f->verdict && !f->constant && strcmp(f->verdict->word, word) == 0;
}

static bool masks(const struct headline *h, const struct fact *f) { return (void)h, has_word(f, VERDICT_MASKING); }
static bool is_robust(const struct headline *h, const struct fact *f) { return (void)h, has_word(f, VERDICT_ROBUST); }
static bool no_more(const struct headline *h, const struct fact *f) { return (void)h, has_word(f, VERDICT_NO_MORE); }
static bool undecided(const struct headline *h, const struct fact *f)
{
    return (void)h, has_word(f, VERDICT_UNDECIDED);
}
static bool judged(const struct headline *h, const struct fact *f)
{
    return f->verdict && !f->constant && f != h->baseline;
}

static size_t count_of(const struct headline *h, chosen *is)
{
    size_t n = 0;
    for (size_t i = 0; i < h->panel->count; i++)
        n += is(h, &h->facts[i]);
    return n;
}

/* "usf (93.4%), frsf (93.1%) and brsf (92.9%)" */
static size_t names(const struct headline *h, chosen *is, bool values, struct text *t)
{
    const size_t n = count_of(h, is);
    size_t at = 0;

    for (size_t i = 0; i < h->panel->count; i++) {
        const struct fact *f = &h->facts[i];
        if (!is(h, f))
            continue;
        text_printf(t, "%s%s", at == 0 ? "" : at + 1 == n ? " and " : ", ", f->series->name);
        if (values && f->measured)
            text_printf(t, " (%.1f%%)", 100.0 * f->clean.value);
        at++;
    }
    return n;
}

/* The number of images that would decide the hardest of them; 0: none known. */
static uint64_t needed(const struct headline *h, size_t comparisons)
{
    uint64_t most = 0;
    for (size_t i = 0; i < h->panel->count; i++) {
        const uint64_t n = is_open(h, &h->facts[i]) ? compare_needed(&h->facts[i].against->found, comparisons) : 0;
        most = n > most ? n : most;
    }
    return most;
}

static void accuracy(const struct headline *h, size_t comparisons, struct text *t)
{
    const bool counts = strcmp(h->metric, METRIC_ACCURACY) == 0;
    const char *metric = counts ? "accurate" : "good";
    const bool better = count_of(h, is_better) > 0, worse = count_of(h, is_worse) > 0;
    size_t n;

    if (count_of(h, is_constant)) {
        n = names(h, is_constant, false, t);
        text_printf(t, " %s: %s every image the same answer, which is right at chance level. ",
                    n == 1 ? "is a constant predictor" : "are constant predictors", n == 1 ? "it gives" : "each gives");
    }
    if (!h->baseline || !h->baseline->measured)
        return;
    const char *base = h->baseline->series->name;
    if (count_of(h, as_good)) {
        n = names(h, as_good, true, t);
        text_printf(t, " %s as %s as %s (%.1f%%), within 2 points. ", n == 1 ? "is" : "are", metric, base,
                    100.0 * h->baseline->clean.value);
    }
    if (worse) {
        n = names(h, is_worse, true, t);
        text_printf(t, " %s %s %s (%.1f%%). ", n == 1 ? "is" : "are", counts ? "less accurate than" : "below", base,
                    100.0 * h->baseline->clean.value);
    }
    if (better) {
        n = names(h, is_better, true, t);
        text_printf(t, " %s %s %s (%.1f%%). ", n == 1 ? "is" : "are", counts ? "more accurate than" : "above", base,
                    100.0 * h->baseline->clean.value);
    }
    if (count_of(h, is_open)) {
        const uint64_t images = needed(h, comparisons);
        text_printf(t, "Whether ");
        n = names(h, is_open, true, t);
        text_printf(t, " %s as %s as %s (%.1f%%) is undecided", n == 1 ? "is" : "are", metric, base,
                    100.0 * h->baseline->clean.value);
        if (images)
            text_printf(t, ": about %llu images would decide it", (unsigned long long)images);
        text_add(t, ". ");
    }
}

/* The rule's own gradient and the other one where they are furthest apart. */
static bool furthest(const struct headline *h, const struct fact *f, struct point *ret_own, struct point *ret_other,
                     double *ret_epsilon)
{
    const struct grid *g = h->grid;
    double most = 0.0;

    for (size_t e = 0; g && e < g->count; e++) {
        struct place at = { g->metric, g->attack, g->options, g->exact ? "exact" : "", g->epsilon[e], g->norm };
        struct point other, own;
        if (!study_point(h->panel, f->series, &at, &other))
            continue;
        at.gradient = GRADIENT_OF_RULE;
        at.options = h->own ? h->own->options : NULL;
        if (!study_point(h->panel, f->series, &at, &own) || !(own.value - other.value > most))
            continue;
        most = own.value - other.value;
        *ret_own = own;
        *ret_other = other;
        *ret_epsilon = g->epsilon[e];
    }
    return most > 0.0;
}

static void masking(const struct headline *h, struct text *t)
{
    struct point own, other, most_own = { 0 }, most_other = { 0 };
    const struct fact *most = NULL;
    double epsilon, at = 0.0;
    char s[TEXT_NUMBER];

    if (!count_of(h, masks))
        return;
    const size_t n = names(h, masks, false, t);
    text_printf(t,
                " only %s: under its own gradient a rule looks robust, under the exact gradient of the same network it "
                "is not",
                n == 1 ? "hides its gradient (masking)" : "hide their gradients (masking)");
    for (size_t i = 0; i < h->panel->count; i++)
        if (masks(h, &h->facts[i]) && furthest(h, &h->facts[i], &own, &other, &epsilon) &&
            (!most || own.value - other.value > most_own.value - most_other.value)) {
            most = &h->facts[i];
            most_own = own;
            most_other = other;
            at = epsilon;
        }
    if (most)
        text_printf(t, "; at epsilon %s %s keeps %.1f%% under its own and %.1f%% under the exact one",
                    epsilon_text(s, at, 4), most->series->name, 100.0 * most_own.value, 100.0 * most_other.value);
    text_add(t, ". ");
}

/* Rules with the same reason in one sentence. */
static void reasons(const struct headline *h, struct text *t)
{
    for (size_t i = 0; i < h->panel->count; i++) {
        const char *why = undecided(h, &h->facts[i]) ? h->facts[i].verdict->why : NULL;
        bool said = false, begun = false;
        for (size_t k = 0; why && k < i; k++)
            said = said || (undecided(h, &h->facts[k]) && strcmp(h->facts[k].verdict->why, why) == 0);
        if (!why || said)
            continue;
        text_add(t, "Undecided: ");
        for (size_t k = i; k < h->panel->count; k++)
            if (undecided(h, &h->facts[k]) && strcmp(h->facts[k].verdict->why, why) == 0) {
                text_printf(t, "%s%s", begun ? ", " : "", h->facts[k].series->name);
                begun = true;
            }
        text_printf(t, ", because %s. ", why);
    }
}

static void robustness(const struct headline *h, struct text *t)
{
    char s[TEXT_NUMBER];

    if (!count_of(h, judged)) {
        if (h->grid)
            text_add(t, "No verdict on robustness: it needs a baseline and the worst case over attacks. ");
        return;
    }
    if (!count_of(h, is_robust))
        text_add(t, "No rule is shown to be robust. ");
    for (size_t i = 0; i < h->panel->count; i++)
        if (is_robust(h, &h->facts[i]))
            text_printf(t, "%s is robust at epsilon %s: %s. ", h->facts[i].series->name,
                        epsilon_text(s, h->facts[i].verdict->place.epsilon, 4), h->facts[i].verdict->why);
    masking(h, t);
    if (count_of(h, no_more)) {
        const size_t n = names(h, no_more, false, t);
        text_printf(t, " %s no more robust than %s. ", n == 1 ? "is" : "are",
                    h->baseline ? h->baseline->series->name : "it");
    }
    reasons(h, t);
}

/* With few seeds the statement is about these networks. */
static void scope(const struct headline *h, struct text *t)
{
    size_t seeds = 0;
    for (size_t i = 0; i < h->panel->count; i++)
        seeds = h->panel->series[i].count > seeds ? h->panel->series[i].count : seeds;
    if (t->length && seeds < COMPARE_SEEDS)
        text_printf(t, "All of this is about these networks, %zu seed%s a rule; other seeds give others.", seeds,
                    seeds == 1 ? "" : "s");
}

bool headline_words(struct headline *h, size_t comparisons, struct arena *arena)
{
    struct text t = { 0 };

    accuracy(h, comparisons, &t);
    robustness(h, &t);
    scope(h, &t);
    h->text = t.failed ? NULL : arena_text(arena, t.data ? t.data : "");
    text_free(&t);
    return h->text;
}
