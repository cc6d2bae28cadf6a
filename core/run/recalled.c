/* What earlier attacks' figures say of the network's gradients: they are the same for every attack on the same images. */
#include "run/entry.h"

#include <math.h>
#include <string.h>

/* Was the attack made on this network with the entry's images? */
static bool is_of(const struct figure *f, const struct entry *e)
{
    const struct figure *mine = &e->figures[0][0];
    bool same = f->attacked && f->epsilon > 0.0 && f->predictions && f->n == e->count && !*f->from &&
                strcmp(f->stage, mine->stage) == 0 && strcmp(f->split, mine->split) == 0;

    for (uint64_t i = 0; same && i < e->count; i++)
        same = f->predictions[i].sample == e->positions[i];
    return same;
}

bool entry_recall_gradients(const struct trial_run *r, const struct entry *e, struct gradients_found *ret)
{
    bool rule = false, exact = false;

    *ret = (struct gradients_found){ .cosine = (double)NAN, .signs = (double)NAN, .differs = (double)NAN };
    for (size_t g = 0; g < e->spec->gradient_count; g++) {
        rule = rule || e->spec->gradients[g] == GRADIENT_RULE;
        exact = exact || e->spec->gradients[g] == GRADIENT_EXACT;
    }
    for (size_t i = 0; i < r->figure_count; i++) {
        const struct indicators *k = &r->figures[i].indicators;
        if (!r->figures[i].attacked || !is_of(&r->figures[i], e))
            continue;
        ret->cosine = isnan(ret->cosine) ? k->cosine : ret->cosine;
        ret->signs = isnan(ret->signs) ? k->signs : ret->signs;
        ret->differs = isnan(ret->differs) ? k->differs : ret->differs;
    }
    return (!rule || !isnan(ret->cosine)) && (!exact || !isnan(ret->differs));
}

size_t entry_twin(const struct trial_run *r, const struct entry *e, size_t g)
{
    const struct attack_spec *s = e->spec;

    if ((r->feedback && !feedback_is_exact(r->feedback)) || s->gradients[g] > GRADIENT_EXACT)
        return g;
    for (size_t k = 0; k < s->gradient_count; k++)
        if (k != g && s->gradients[k] <= GRADIENT_EXACT)
            return k;
    return g;
}
