/* only: survivors: what the attacks before broke is left out of an attack, and counted as broken in its figure. */
#include "run/entry.h"

#include <string.h>

/* Is `o` an earlier figure of this ball or a smaller one, whose images are in this one too, and of this gradient? */
static bool is_before(const struct figure *o, const struct figure *f)
{
    return o->attacked && o->predictions && o->epsilon > 0.0 && o->epsilon <= f->epsilon &&
           strcmp(o->norm, f->norm) == 0 && strcmp(o->gradient, f->gradient) == 0 && strcmp(o->stage, f->stage) == 0 &&
           strcmp(o->split, f->split) == 0;
}

bioft_status entry_find_broken(struct trial_run *r, struct entry *e, struct error *err)
{
    const struct attack_spec *s = e->spec;

    if (!s->survivors || e->target.codebook)
        return BIOFT_OK;
    e->broken = arena_array(r->arena, s->gradient_count * s->epsilon_count * e->count, sizeof(struct figure *));
    if (!e->broken)
        return error_memory(err, "attacked images");
    for (size_t cell = 0; cell < s->gradient_count * s->epsilon_count; cell++) {
        const struct figure *f = &e->figures[cell / s->epsilon_count][cell % s->epsilon_count];
        const struct figure **broken = e->broken + cell * e->count;
        for (size_t k = 0; f->epsilon > 0.0 && k < r->figure_count; k++) {
            const struct figure *o = &r->figures[k];
            uint64_t at = 0;
            if (!is_before(o, f))
                continue;
            for (uint64_t i = 0; i < o->n; i++) { /* both ascend */
                while (at < e->count && e->positions[at] < o->predictions[i].sample)
                    at++;
                if (at < e->count && e->positions[at] == o->predictions[i].sample && o->predictions[i].score <= 0.0 &&
                    !broken[at])
                    broken[at] = o;
            }
        }
    }
    return BIOFT_OK;
}

static const struct prediction *prediction_of(const struct figure *f, uint64_t sample)
{
    for (uint64_t i = 0; i < f->n; i++)
        if (f->predictions[i].sample == sample)
            return &f->predictions[i];
    return NULL;
}

bioft_status entry_masks(struct trial_run *r, const struct entry *e, const bool *const **ret, struct error *err)
{
    const size_t cells = e->spec->gradient_count * e->spec->epsilon_count;
    const bool **masks = arena_array(r->arena, cells, sizeof(bool *));
    bool *all = arena_array(r->arena, cells * e->count, sizeof *all);

    if (!masks || !all)
        return error_memory(err, "attacked images");
    for (size_t cell = 0; cell < cells; cell++) {
        masks[cell] = all + cell * e->count;
        for (uint64_t i = 0; i < e->count; i++)
            all[cell * e->count + i] = e->broken[cell * e->count + i] != NULL;
    }
    *ret = masks;
    return BIOFT_OK;
}

void entry_take_broken(const struct entry *e, size_t cell, struct prediction *p)
{
    for (uint64_t i = 0; i < e->count; i++) {
        const struct figure *by = e->broken[cell * e->count + i];
        const struct prediction *other = by ? prediction_of(by, p[i].sample) : NULL;
        struct attack_record *mine = p[i].attack;
        if (!other || !other->attack)
            continue;
        p[i] = *other;
        p[i].attack = mine;
        *mine = *other->attack;
        if (!*mine->part && mine->clean > 0.0)
            mine->part = by->attack;
        mine->queries = mine->gradients = mine->zero = mine->nonfinite = 0; /* this attack asked nothing */
        mine->found = mine->rising = mine->traced = false;
    }
}
