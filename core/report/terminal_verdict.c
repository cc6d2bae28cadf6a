/* The last lines of a run: the verdict on each rule. */
#include "report/terminal.h"

#include "base/text.h"
#include <stdbool.h>
#include <string.h>

/* Worst cases with a verdict; a metric with another convention is in the files. */
static bool judged(const struct figure *f)
{
    return f->attacked && f->verdict && *f->verdict && !strchr(f->metric, '/');
}

/* Is it the first of its epsilon, norm and metric in the trial? */
static bool is_first(const struct trial_figures *t, size_t at)
{
    const struct figure *f = &t->figures[at];
    for (size_t k = 0; k < at; k++)
        if (judged(&t->figures[k]) && t->figures[k].epsilon == f->epsilon && same_text(t->figures[k].norm, f->norm) &&
            same_text(t->figures[k].metric, f->metric))
            return false;
    return true;
}

static bool alike(const struct figure *a, const struct figure *b)
{
    return same_text(a->verdict, b->verdict) && same_text(a->norm, b->norm) && same_text(a->metric, b->metric);
}

/* One word with the epsilons at which it is said, and the reason at the last of them. */
static void add_word(const struct trial_figures *t, size_t at, struct text *ret)
{
    const struct figure *first = &t->figures[at], *last = first;
    char number[TEXT_NUMBER];
    bool begun = false;

    text_printf(ret, "%s at %s ", first->verdict, first->norm);
    for (size_t k = at; k < t->count; k++) {
        const struct figure *f = &t->figures[k];
        if (!judged(f) || !alike(f, first) || !is_first(t, k))
            continue;
        text_printf(ret, "%s%s", begun ? ", " : "", text_number(number, f->epsilon));
        begun = true;
        last = f;
    }
    text_printf(ret, " (%s)", last->verdict_why);
}

void terminal_verdicts(const struct trial_figures *trials, size_t count, struct text *t)
{
    bool any = false;
    char label[TERMINAL_LABEL];

    for (size_t i = 0; i < count; i++) {
        bool begun = false;
        for (size_t k = 0; k < trials[i].count; k++) {
            const struct figure *f = &trials[i].figures[k];
            bool said = !judged(f) || !is_first(&trials[i], k);
            for (size_t j = 0; j < k && !said; j++)
                said = judged(&trials[i].figures[j]) && alike(&trials[i].figures[j], f);
            if (said)
                continue;
            if (!any)
                text_add(t,
                         "\nVerdict, from the worst case over attacks that do not follow the rule's own gradient:\n");
            any = true;
            if (begun)
                text_add(t, ";\n    ");
            else
                text_printf(t, "  %s (%s): ", terminal_label(trials, count, i, f, label), f->metric);
            begun = true;
            add_word(&trials[i], k, t);
        }
        text_add(t, begun ? "\n" : "");
    }
}
