/* What an attack needs of the data that it is to attack. */
#include "run/attack_fits.h"

#include "attack/deterministic.h"

bioft_status attack_fits(const struct attack_spec *s, const struct dataset *d, struct error *err)
{
    const bioft_attack *a = &s->choice.plugin->api.attack;
    const struct split *split;
    bioft_status st = dataset_need(d, s->split, &split, err);

    if (st != BIOFT_OK)
        return error_prefix(err, "attack '%s'", s->name);
    if (s->target == TARGET_CLASS && s->target_class >= d->classes)
        return error_set(err, BIOFT_ERR_INVALID, "attack '%s': target %u is not a class: classes are 0 to %u", s->name,
                         s->target_class, d->classes - 1);
    if (d->multi_label && a->flags & BIOFT_ATTACK_CLASSES)
        return error_set(err, BIOFT_ERR_INVALID,
                         "attack '%s' needs exactly one label an image; '%s' has sets of labels", s->name, d->name);
    return attack_check_restarts(s, err);
}
