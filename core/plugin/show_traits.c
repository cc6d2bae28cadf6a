/* What a plugin's flags, norm and optional callbacks say, in words. */
#include "plugin/show.h"

struct trait {
    bool there;
    const char *text;
};

static void each_of(const struct trait *traits, size_t count, void (*each)(void *ctx, const char *trait), void *ctx)
{
    for (size_t i = 0; i < count; i++)
        if (traits[i].there)
            each(ctx, traits[i].text);
}

static void rule_traits(const bioft_rule *r, void (*each)(void *ctx, const char *trait), void *ctx)
{
    const struct trait traits[] = {
        { !r->feedback && !r->fill_feedback, "no feedback of its own: V = W" },
        { r->feedback != NULL, "declares feedback (depth 1)" },
        { r->fill_feedback != NULL, "writes feedback (depth 2)" },
        { r->fill_draw != NULL, "has other draws of it" },
        { r->after_update != NULL, "sees each update and may change W (depth 2)" },
        { r->route != NULL, "own route through a layer (depth 3)" },
        { r->step_end != NULL, "acts after each step" },
    };
    each_of(traits, sizeof traits / sizeof *traits, each, ctx);
}

static void dataset_traits(const bioft_dataset *d, void (*each)(void *ctx, const char *trait), void *ctx)
{
    const struct trait traits[] = {
        { d->flags & BIOFT_DATASET_MULTI_LABEL, "multi-label" },
        { !(d->flags & BIOFT_DATASET_MULTI_LABEL) && d->multi_label, "multi-label where its files say so" },
        { d->reader_open != NULL, "a reader per thread" },
    };
    each_of(traits, sizeof traits / sizeof *traits, each, ctx);
}

static void attack_traits(const bioft_attack *a, void (*each)(void *ctx, const char *trait), void *ctx)
{
    const struct trait traits[] = {
        { a->norm == BIOFT_LINF, "norm: L-infinity" },
        { a->norm == BIOFT_L2, "norm: L2" },
        { a->norm == BIOFT_L1, "norm: L1" },
        { a->norm == BIOFT_L0, "norm: L0" },
        { a->ball != NULL, "other norms by its options" },
        { a->flags & BIOFT_ATTACK_MINIMUM, "seeks the nearest adversarial image" },
        { a->flags & BIOFT_ATTACK_GRADIENT, "needs a gradient" },
        { !(a->flags & BIOFT_ATTACK_GRADIENT), "needs no gradient" },
        { a->flags & BIOFT_ATTACK_CODES, "retrieval only" },
        { a->flags & BIOFT_ATTACK_CLASSES, "classifiers only" },
        { a->flags & BIOFT_ATTACK_BATCH_COUPLED, "images of a batch are coupled" },
        { a->flags & BIOFT_ATTACK_TARGETED, "can be targeted" },
    };
    each_of(traits, sizeof traits / sizeof *traits, each, ctx);
}

static void loss_traits(const bioft_loss *l, void (*each)(void *ctx, const char *trait), void *ctx)
{
    const struct trait traits[] = {
        { l->flags & BIOFT_LOSS_CLASSES, "for classes" },
        { l->flags & BIOFT_LOSS_CODES, "for codes" },
        { l->flags & BIOFT_LOSS_MULTI_LABEL, "takes several labels" },
    };
    each_of(traits, sizeof traits / sizeof *traits, each, ctx);
}

static void engine_traits(const bioft_engine *e, void (*each)(void *ctx, const char *trait), void *ctx)
{
    const struct trait traits[] = { { e->profile != NULL, "measures its time by node" } };
    each_of(traits, sizeof traits / sizeof *traits, each, ctx);
}

void plugin_traits(const struct plugin *p, void (*each)(void *ctx, const char *trait), void *ctx)
{
    switch (p->descriptor.kind) {
    case BIOFT_KIND_RULE: rule_traits(&p->api.rule, each, ctx); break;
    case BIOFT_KIND_DATASET: dataset_traits(&p->api.dataset, each, ctx); break;
    case BIOFT_KIND_ATTACK: attack_traits(&p->api.attack, each, ctx); break;
    case BIOFT_KIND_LOSS: loss_traits(&p->api.loss, each, ctx); break;
    case BIOFT_KIND_ENGINE: engine_traits(&p->api.engine, each, ctx); break;
    default: break; /* a backbone says all in its options */
    }
}
