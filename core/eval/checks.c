/* Sanity checks over a trial's figures: what makes a robustness figure suspect. */
#include "eval/checks.h"

#include "base/text.h"
#include <math.h>
#include <string.h>

enum { SMALL_N = 100 };

static bool same_place(const struct figure *a, const struct figure *b)
{
    return same_text(a->stage, b->stage) && same_text(a->split, b->split) && same_text(a->metric, b->metric);
}

static bool same_attack(const struct figure *a, const struct figure *b)
{
    return same_place(a, b) && same_text(a->attack, b->attack) && same_text(a->options, b->options);
}

static bool warn(struct figure *f, const char *word, struct arena *arena)
{
    const bool more = f->warnings && *f->warnings;
    f->warnings = more ? arena_printf(arena, "%s;%s", f->warnings, word) : word;
    return f->warnings != NULL;
}

/* The checks of one attacked figure against its fellows. */
static bool check(struct figure *f, const struct figure *all, size_t count, double class_share, struct arena *arena)
{
    bool rises = false, fine = true;

    for (size_t i = 0; i < count; i++) {
        const struct figure *o = &all[i];
        if (!o->attacked || !same_attack(o, f))
            continue;
        rises = rises || (same_text(o->gradient, f->gradient) && o->epsilon < f->epsilon && f->ci_low > o->ci_high);
        if (o->epsilon != f->epsilon)
            continue;
        if (same_text(f->gradient, "exact") && same_text(o->gradient, "rule") && f->value > o->value + 0.02)
            fine = fine && warn(f, "exact-weaker-than-rule", arena);
        if (same_text(f->gradient, "rule") && same_text(o->gradient, "exact") && f->ci_low > o->ci_high)
            fine = fine && warn(f, "masking", arena);
    }
    if (same_text(f->norm, "linf") && f->epsilon >= 0.5 && figure_counts(f) && f->value > class_share)
        fine = fine && warn(f, "attack-too-weak", arena);
    if (rises)
        fine = fine && warn(f, "rises-with-epsilon", arena);
    if (f->indicators.budget_unused >= 0 ? 2 * f->indicators.budget_unused > f->indicators.right && f->indicators.right > 0
        : same_text(f->norm, "linf") && f->epsilon > 0.0 && f->delta_max < 0.5 * f->epsilon)
        fine = fine && warn(f, "budget-unused", arena);
    if (f->indicators.zero_survived > 0 && f->value - (double)f->indicators.zero_survived / (double)f->n < f->ci_low)
        fine = fine && warn(f, "vanished-gradient", arena);
    return fine;
}

static bool same_samples(const struct figure *a, const struct figure *b)
{
    if (a->n != b->n)
        return false;
    for (uint64_t i = 0; i < a->n; i++)
        if (a->predictions[i].sample != b->predictions[i].sample)
            return false;
    return true;
}

/* Lets `o` worsen w's predictions, sample by sample: a sample counts only where every attack left it right. */
static void worsen(struct figure *w, const struct figure *o)
{
    for (uint64_t i = 0; i < w->n; i++)
        if (o->predictions[i].score < w->predictions[i].score)
            w->predictions[i] = o->predictions[i];
}

static bioft_status worst_case(const struct figure *figures, size_t count, struct arena *arena,
                               struct figure *worst, size_t *ret_count, struct error *err)
{
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        const struct figure *f = &figures[i];
        size_t k = 0;
        if (!f->attacked || !f->predictions)
            continue;
        while (k < made && !(same_place(&worst[k], f) && worst[k].epsilon == f->epsilon &&
                             same_text(worst[k].norm, f->norm) && same_samples(&worst[k], f)))
            k++;
        if (k < made) {
            worsen(&worst[k], f);
            continue;
        }
        struct prediction *copy = arena_array(arena, f->n, sizeof *copy);
        if (!copy)
            return error_memory(err, "the worst case");
        memcpy(copy, f->predictions, f->n * sizeof *copy);
        worst[made] = *f;
        worst[made].attack = "worst";
        worst[made].options = worst[made].gradient = worst[made].warnings = "";
        worst[made].indicators.cosine = worst[made].indicators.signs = worst[made].indicators.differs = (double)NAN;
        worst[made].indicators.draws = "";
        worst[made++].predictions = copy;
    }
    for (size_t k = 0; k < made; k++) {
        bioft_status st = figure_fill(&worst[k], worst[k].predictions, worst[k].n, err);
        if (st != BIOFT_OK)
            return st;
    }
    *ret_count = made;
    return BIOFT_OK;
}

bioft_status checks_run(struct figure *figures, size_t count, double class_share, struct arena *arena,
                        struct figure **ret_worst, size_t *ret_worst_count, struct error *err)
{
    struct figure *worst = arena_array(arena, count, sizeof *worst);
    size_t made = 0;
    if (!worst)
        return error_memory(err, "the worst case");
    bioft_status st = worst_case(figures, count, arena, worst, &made, err);
    if (st != BIOFT_OK)
        return st;

    for (size_t i = 0; i < count + made; i++) {
        struct figure *f = i < count ? &figures[i] : &worst[i - count];
        bool fine = !f->attacked || check(f, i < count ? figures : worst, i < count ? count : made, class_share, arena);
        if (fine && f->n < SMALL_N)
            fine = warn(f, "small-n", arena);
        if (!fine)
            return error_memory(err, "warnings");
    }
    *ret_worst = worst;
    *ret_worst_count = made;
    return BIOFT_OK;
}
