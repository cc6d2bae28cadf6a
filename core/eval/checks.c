/* Sanity checks over a trial's figures: what makes a robustness figure suspect. */
#include "eval/checks.h"

#include "base/text.h"
#include "eval/compare.h"
#include "eval/worst.h"
#include <stdlib.h>
#include <string.h>

enum { SMALL_N = 100 };

/* The figure `at` minus the figure `other`. */
struct pair {
    struct figure *at, *other;
    struct comparison found;
    double adjusted;
};
/* All comparisons of one kind. */
struct family {
    struct pair *pairs;
    size_t count, capacity;
};
typedef bool is_pair(const struct figure *at, const struct figure *other);

static bool same_attack(const struct figure *a, const struct figure *b)
{
    return same_text(a->stage, b->stage) && same_text(a->split, b->split) && same_text(a->metric, b->metric) &&
           same_text(a->attack, b->attack) && same_text(a->options, b->options) && same_text(a->norm, b->norm);
}

/* Worst cases of the two gradients may hold attacks that have one of them only. */
static bool two_gradients(const struct figure *at, const struct figure *other)
{
    return same_attack(at, other) && at->epsilon == other->epsilon && at->epsilon > 0.0 &&
           same_text(at->gradient, GRADIENT_OF_RULE) && same_text(other->gradient, "exact");
}

static bool two_epsilons(const struct figure *at, const struct figure *other)
{
    return same_attack(at, other) && same_text(at->gradient, other->gradient) && other->epsilon < at->epsilon;
}

static bool warn(struct figure *f, const char *word, struct arena *arena)
{
    const bool more = f->warnings && *f->warnings;
    f->warnings = more ? arena_printf(arena, "%s;%s", f->warnings, word) : word;
    return f->warnings != NULL;
}

/* upward: only a figure above the other matters, so that one below has p = 1. */
static bioft_status gather(struct figure *all, size_t count, is_pair *wanted, bool upward, struct family *ret,
                           struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; st == BIOFT_OK && k < count; k++) {
            struct pair p = { .at = &all[i], .other = &all[k] };
            bool paired = true;
            if (!all[i].attacked || !all[k].attacked || !wanted(&all[i], &all[k]))
                continue;
            if (upward && p.at->value <= p.other->value)
                p.found.p = 1.0;
            else
                st = compare_figures(p.at, p.other, &p.found, &paired, err);
            if (st != BIOFT_OK || !paired)
                continue;
            if (!mem_grow(&ret->pairs, &ret->capacity, ret->count + 1, sizeof *ret->pairs))
                return error_memory(err, "comparisons");
            ret->pairs[ret->count++] = p;
        }
    return st;
}

/* Holm's correction over the pairs of one metric; *ret_family: how many there are. */
static bool correct(struct family *f, const char *metric, size_t *ret_family)
{
    double *p = mem_array(f->count, sizeof *p);
    size_t n = 0;

    for (size_t i = 0; p && i < f->count; i++)
        if (same_text(f->pairs[i].at->metric, metric))
            p[n++] = f->pairs[i].found.p;
    const bool fine = p && compare_holm(p, n);
    *ret_family = n;
    n = 0;
    for (size_t i = 0; fine && i < f->count; i++)
        if (same_text(f->pairs[i].at->metric, metric))
            f->pairs[i].adjusted = p[n++];
    free(p);
    return fine;
}

static bool correct_all(struct family *f)
{
    bool fine = true;

    for (size_t i = 0; fine && i < f->count; i++) {
        bool first = true;
        size_t ignored;
        for (size_t k = 0; k < i && first; k++)
            first = !same_text(f->pairs[k].at->metric, f->pairs[i].at->metric);
        if (first)
            fine = correct(f, f->pairs[i].at->metric, &ignored);
    }
    return fine;
}

static size_t family_size(const struct family *f, const char *metric)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += same_text(f->pairs[i].at->metric, metric);
    return n;
}

/* The outcome of one pair of gradients, kept in the rule's figure. */
static bool say_masking(const struct pair *p, size_t family, struct arena *arena)
{
    static const struct {
        const char *word, *rule, *exact; /* warnings of the two figures, or NULL */
    } outcomes[] = {
        [OUTCOME_UNDECIDED] = { "undecided", "gradients-undecided", NULL },
        [OUTCOME_MORE] = { "masking", "masking", NULL },
        [OUTCOME_LESS] = { "reversed", NULL, "exact-weaker-than-rule" },
        [OUTCOME_SAME] = { "none", NULL, NULL },
    };
    const enum outcome outcome = compare_outcome(&p->found, p->adjusted);

    p->at->masking = outcomes[outcome].word;
    p->at->masking_p = p->adjusted;
    p->at->masking_n = outcome == OUTCOME_UNDECIDED ? compare_needed(&p->found, family) : 0;
    return (!outcomes[outcome].rule || warn(p->at, outcomes[outcome].rule, arena)) &&
           (!outcomes[outcome].exact || warn(p->other, outcomes[outcome].exact, arena));
}

static bioft_status check_gradients(struct figure *all, size_t count, struct arena *arena, struct error *err)
{
    struct family f = { 0 };
    bioft_status st = gather(all, count, two_gradients, false, &f, err);
    bool fine = st != BIOFT_OK || correct_all(&f);

    for (size_t i = 0; st == BIOFT_OK && fine && i < f.count; i++)
        fine = say_masking(&f.pairs[i], family_size(&f, f.pairs[i].at->metric), arena);
    free(f.pairs);
    return fine ? st : error_memory(err, "comparisons");
}

static bioft_status check_epsilons(struct figure *all, size_t count, struct arena *arena, struct error *err)
{
    struct family f = { 0 };
    bioft_status st = gather(all, count, two_epsilons, true, &f, err);
    bool fine = st != BIOFT_OK || correct_all(&f);
    const struct figure *last = NULL; /* pairs of one figure stand together */

    for (size_t i = 0; st == BIOFT_OK && fine && i < f.count; i++) {
        const struct pair *p = &f.pairs[i];
        if (p->at == last || compare_outcome(&p->found, p->adjusted) != OUTCOME_MORE)
            continue;
        fine = warn(p->at, "rises-with-epsilon", arena);
        last = p->at;
    }
    free(f.pairs);
    return fine ? st : error_memory(err, "comparisons");
}

/* What a figure alone shows. */
static bool check_alone(struct figure *f, double class_share, struct arena *arena)
{
    const struct indicators *i = &f->indicators;
    const bool linf = f->attacked && same_text(f->norm, "linf"), counted = i->budget_unused >= 0;
    bool fine = true;

    if (linf && f->epsilon >= 0.5 && figure_counts(f) && f->value > class_share)
        fine = warn(f, "attack-too-weak", arena);
    if (fine && f->attacked &&
        (counted ? i->right > 0 && 2 * i->budget_unused > i->right
                 : linf && f->epsilon > 0.0 && f->delta_max < 0.5 * f->epsilon))
        fine = warn(f, "budget-unused", arena);
    if (fine && f->attacked && i->zero_survived > 0 && f->value - (double)i->zero_survived / (double)f->n < f->ci_low)
        fine = warn(f, "vanished-gradient", arena);
    return fine && (f->n >= SMALL_N || warn(f, "small-n", arena));
}

static bioft_status check(struct figure *all, size_t count, double class_share, struct arena *arena, struct error *err)
{
    bioft_status st = check_gradients(all, count, arena, err);

    if (st != BIOFT_OK)
        return st;
    st = check_epsilons(all, count, arena, err);
    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        if (!check_alone(&all[i], class_share, arena))
            st = error_memory(err, "warnings");
    return st;
}

bioft_status checks_run(struct figure *figures, size_t count, double class_share, struct arena *arena,
                        struct figure **ret_worst, size_t *ret_worst_count, struct error *err)
{
    bioft_status st = worst_make(figures, count, arena, ret_worst, ret_worst_count, err);

    if (st == BIOFT_OK)
        st = check(figures, count, class_share, arena, err);
    return st == BIOFT_OK ? check(*ret_worst, *ret_worst_count, class_share, arena, err) : st;
}
