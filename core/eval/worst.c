/* The worst case over attacks, sample by sample. */
#include "eval/worst.h"

#include "base/text.h"
#include <math.h>
#include <string.h>

enum part { ALL, NOT_RULE, RULE, PARTS };
static const char *const gradients[PARTS] = { "", "exact", GRADIENT_OF_RULE };

struct making {
    const struct figure *figures;
    size_t count;
    struct figure *worst;
    size_t made;
    struct arena *arena;
};

static bool follows_rule(const struct figure *f) { return same_text(f->gradient, GRADIENT_OF_RULE); }

static bool usable(const struct figure *f) { return f->attacked && f->predictions; }

/* Attacks on the same network, by the same measure. */
static bool same_kind(const struct figure *a, const struct figure *b)
{
    return same_text(a->stage, b->stage) && same_text(a->split, b->split) && same_text(a->metric, b->metric) &&
           same_text(a->norm, b->norm);
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

static bool belongs(const struct figure *f, const struct figure *first, enum part part)
{
    return usable(f) && same_kind(f, first) && f->epsilon == first->epsilon &&
           (part == ALL || follows_rule(f) == (part == RULE)) && same_samples(f, first);
}

/* Does any figure of the kind, at whatever epsilon, stand in this part? */
static bool has_part(const struct making *m, const struct figure *first, enum part part)
{
    for (size_t i = 0; i < m->count; i++)
        if (usable(&m->figures[i]) && same_kind(&m->figures[i], first) &&
            follows_rule(&m->figures[i]) == (part == RULE))
            return true;
    return false;
}

/* The attacks that a worst case holds, each once, in their order. */
static const char *held(const struct making *m, const struct figure *first, enum part part)
{
    struct text names = { 0 };

    for (size_t i = 0; i < m->count; i++) {
        const struct figure *f = &m->figures[i];
        bool again = false;
        if (!belongs(f, first, part))
            continue;
        for (size_t k = 0; k < i && !again; k++)
            again = belongs(&m->figures[k], first, part) && same_text(m->figures[k].attack, f->attack) &&
                    same_text(m->figures[k].options, f->options);
        if (again)
            continue;
        text_add(&names, names.length ? "+" : "");
        text_add(&names, f->attack);
        if (f->options && *f->options)
            text_printf(&names, "[%s]", f->options);
    }
    const char *ret = names.failed ? NULL : arena_text(m->arena, names.data ? names.data : "");
    text_free(&names);
    return ret;
}

/* An image that is robust under every attack of the worst case: has one of them seen it fail? */
static bool add_records(struct making *m, const struct figure *first, enum part part, struct prediction *p)
{
    for (uint64_t k = 0; k < first->n; k++) {
        struct attack_record *r = p[k].attack && p[k].score > 0.0 ? arena_array(m->arena, 1, sizeof *r) : NULL;
        if (!p[k].attack || !(p[k].score > 0.0))
            continue;
        if (!r)
            return false;
        *r = *p[k].attack;
        for (size_t i = 0; i < m->count; i++) {
            const struct attack_record *o = belongs(&m->figures[i], first, part) ? m->figures[i].predictions[k].attack
                                                                                 : NULL;
            if (!o || m->figures[i].nearest)
                continue;
            r->found = r->found || o->found;
            r->traced = r->traced || o->traced;
        }
        p[k].attack = r;
    }
    return true;
}

static bioft_status make(struct making *m, const struct figure *first, enum part part, struct error *err)
{
    struct figure *w = &m->worst[m->made];
    struct prediction *p = arena_array(m->arena, first->n, sizeof *p);
    bool begun = false;

    *w = *first;
    w->attack = ATTACK_WORST;
    w->options = held(m, first, part);
    w->gradient = gradients[part];
    w->warnings = "";
    w->from = "";
    w->indicators = (struct indicators){
        .cosine = (double)NAN, .signs = (double)NAN, .differs = (double)NAN, .draws = ""
    };
    if (!p || !w->options)
        return error_memory(err, "the worst case");
    for (size_t i = 0; i < m->count; i++) {
        const struct figure *f = &m->figures[i];
        if (!belongs(f, first, part))
            continue;
        for (uint64_t k = 0; k < f->n; k++)
            if (!begun || f->predictions[k].score < p[k].score)
                p[k] = f->predictions[k];
        begun = true;
    }
    if (!begun)
        return BIOFT_OK;
    if (!add_records(m, first, part, p))
        return error_memory(err, "the worst case");
    m->made++;
    return figure_fill(w, p, first->n, err);
}

/* The same evaluation but for the metric. */
static bool same_cell(const struct figure *a, const struct figure *b)
{
    return same_text(a->stage, b->stage) && same_text(a->split, b->split) && same_text(a->norm, b->norm) &&
           same_text(a->options, b->options) && same_text(a->gradient, b->gradient) && a->epsilon == b->epsilon &&
           same_samples(a, b);
}

/* The metrics of a worst case one after another, as those of any evaluation. */
static bioft_status order(struct making *m, struct error *err)
{
    struct figure *ordered = arena_array(m->arena, m->made, sizeof *ordered);
    bool *placed = arena_array(m->arena, m->made, sizeof *placed);
    size_t n = 0;

    if (!ordered || !placed)
        return error_memory(err, "the worst case");
    for (size_t i = 0; i < m->made; i++)
        for (size_t k = i; k < m->made && !placed[i]; k++) {
            if (placed[k] || !same_cell(&m->worst[i], &m->worst[k]))
                continue;
            ordered[n++] = m->worst[k];
            placed[k] = k != i;
        }
    m->worst = ordered;
    return BIOFT_OK;
}

bioft_status worst_make(const struct figure *figures, size_t count, struct arena *arena, struct figure **ret,
                        size_t *ret_count, struct error *err)
{
    struct making m = { .figures = figures,
                        .count = count,
                        .arena = arena,
                        .worst = arena_array(arena, PARTS * count + 1, sizeof *m.worst) };
    bioft_status st = m.worst ? BIOFT_OK : error_memory(err, "the worst case");

    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        const struct figure *f = &figures[i];
        bool first = usable(f);
        for (size_t k = 0; k < i && first; k++)
            first = !belongs(&figures[k], f, ALL);
        if (!first)
            continue;
        const bool parts = has_part(&m, f, RULE) && has_part(&m, f, NOT_RULE);
        for (enum part part = ALL; st == BIOFT_OK && part < (parts ? PARTS : NOT_RULE); part++)
            st = make(&m, f, part, err);
    }
    if (st == BIOFT_OK)
        st = order(&m, err);
    *ret = m.worst;
    *ret_count = m.made;
    return st;
}
