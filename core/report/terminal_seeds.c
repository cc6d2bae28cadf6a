/* Trials that differ in the seed alone, as one row of means. */
#include "report/terminal.h"

#include "eval/compare.h"
#include <math.h>
#include <string.h>

static bool same_series(const struct trial_figures *a, const struct trial_figures *b)
{
    return *a->label.identity && same_text(a->label.identity, b->label.identity);
}

static bool same_place(const struct figure *a, const struct figure *b)
{
    return a->attacked == b->attacked && a->epsilon == b->epsilon && same_text(a->stage, b->stage) &&
           same_text(a->split, b->split) && same_text(a->metric, b->metric) && same_text(a->attack, b->attack) &&
           same_text(a->options, b->options) && same_text(a->gradient, b->gradient) && same_text(a->norm, b->norm);
}

static const struct figure *find(const struct trial_figures *t, const struct figure *f)
{
    for (size_t k = 0; k < t->count; k++)
        if (same_place(&t->figures[k], f))
            return &t->figures[k];
    return NULL;
}

/* Mean and interval as the report has them: Student's, never narrower than the seeds' own in the mean. */
static bool average(const struct trial_figures *const *series, size_t seeds, struct figure *f, struct arena *arena)
{
    double *values = arena_array(arena, seeds, sizeof *values), low = 0.0, high = 0.0;
    size_t n = 0;

    for (size_t i = 0; values && i < seeds; i++) {
        const struct figure *o = find(series[i], f);
        if (!o)
            continue;
        values[n++] = o->value;
        low += o->ci_low;
        high += o->ci_high;
        if (same_text(o->masking, "masking"))
            f->masking = o->masking;
        if (o->warnings && strstr(o->warnings, "attack-too-weak"))
            f->warnings = o->warnings;
    }
    if (n < 2)
        return values;
    const struct comparison c = compare_seeds(values, n, 0.0, 1.0);
    f->value = c.difference;
    f->ci_low = fmin(low / (double)n, c.alike ? 1.0 : c.ci.low);
    f->ci_high = fmax(high / (double)n, c.alike ? 0.0 : c.ci.high);
    return true;
}

/* A trial's id without its number and the seed: "03-rule=fa,seed=2" is "rule=fa". */
static const char *id_without_seed(const char *id, struct arena *arena)
{
    const char *at = strchr(id, '-');
    struct text t = { 0 };

    for (at = at ? at + 1 : id; *at;) {
        const size_t n = strcspn(at, ",");
        if (strncmp(at, "seed=", 5) != 0) {
            text_add(&t, t.length ? "," : "");
            text_add_n(&t, at, n);
        }
        at += n + (at[n] == ',');
    }
    const char *ret = t.failed ? NULL : arena_text(arena, t.length ? t.data : id);
    text_free(&t);
    return ret;
}

static bool merge(const struct trial_figures *const *series, size_t seeds, struct arena *arena,
                  struct trial_figures *ret)
{
    *ret = *series[0];
    ret->seeds = seeds;
    if (seeds < 2)
        return true;
    ret->label.id = id_without_seed(ret->label.id, arena);
    ret->figures = arena_array(arena, ret->count, sizeof *ret->figures);
    if (!ret->label.id || !ret->figures)
        return false;
    for (size_t k = 0; k < ret->count; k++) {
        ret->figures[k] = series[0]->figures[k];
        if (!average(series, seeds, &ret->figures[k], arena))
            return false;
    }
    return true;
}

bool terminal_series(const struct trial_figures *trials, size_t count, struct arena *arena, struct trial_figures **ret,
                     size_t *ret_count)
{
    const struct trial_figures **series = arena_array(arena, count, sizeof *series);

    *ret = arena_array(arena, count, sizeof **ret);
    *ret_count = 0;
    if (!*ret || !series)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t seeds = 0;
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again = same_series(&trials[k], &trials[i]);
        for (size_t k = i; k < count && !again; k++)
            if (k == i || same_series(&trials[k], &trials[i]))
                series[seeds++] = &trials[k];
        if (!again && !merge(series, seeds, arena, &(*ret)[(*ret_count)++]))
            return false;
    }
    return true;
}
