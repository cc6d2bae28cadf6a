/* Does a plugin do all that its kind asks for, and nothing that this bioft does not know? */
#include "plugin/check.h"

static void need(struct faults *f, bool there, const char *callback)
{
    if (!there)
        fault(f, "callback %s is missing: every %s needs it", callback, kind_word(f->plugin->descriptor.kind));
}

static void known_flags(struct faults *f, uint32_t flags, uint32_t known)
{
    if (flags & ~known)
        fault(f, "unknown flag 0x%x of its %s", flags & ~known, kind_word(f->plugin->descriptor.kind));
}

static void check_rule(struct faults *f, const bioft_rule *r)
{
    known_flags(f, r->flags, 0);
    if (r->feedback && r->fill_feedback)
        fault(f, "has feedback and fill_feedback: the second replaces the first, give one of them");
    if (r->fill_draw && !r->fill_feedback)
        fault(f, "callback fill_feedback is missing: fill_draw gives other draws of what it writes");
    if (r->route && !r->local)
        fault(f, "callback local is missing: route without it writes nothing");
    if (r->local && !r->route)
        fault(f, "callback route is missing: local is never called without it");
}

static void check_backbone(struct faults *f, const bioft_backbone *b)
{
    known_flags(f, b->flags, 0);
    need(f, b->build, "build");
}

static void check_dataset(struct faults *f, const bioft_dataset *d)
{
    known_flags(f, d->flags, BIOFT_DATASET_MULTI_LABEL);
    need(f, d->describe, "describe");
    need(f, d->labels, "labels");
    need(f, d->name, "name");
    need(f, d->sample, "sample");
    if (!d->reader_open != !d->reader_close)
        fault(f, "reader_open and reader_close go together: give both or neither");
}

static void check_attack(struct faults *f, const bioft_attack *a)
{
    known_flags(f, a->flags,
                BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CODES | BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_BATCH_COUPLED |
                    BIOFT_ATTACK_TARGETED | BIOFT_ATTACK_MINIMUM);
    if (a->flags & BIOFT_ATTACK_MINIMUM && a->flags & BIOFT_ATTACK_CODES)
        fault(f, "seeks the nearest adversarial image, which is not defined for codes, and is for codes");
    need(f, a->run, "run");
    if (a->norm < BIOFT_LINF || a->norm > BIOFT_L0)
        fault(f, "norm %u is unknown to this bioft", a->norm);
    if (a->reserved != 0)
        fault(f, "reserved is %u, not 0, in its attack", a->reserved);
}

static void check_loss(struct faults *f, const bioft_loss *l)
{
    known_flags(f, l->flags, BIOFT_LOSS_CLASSES | BIOFT_LOSS_CODES | BIOFT_LOSS_MULTI_LABEL);
    need(f, l->value, "value");
}

static void check_engine(struct faults *f, const bioft_engine *e)
{
    if (e->draft != BIOFT_ENGINE_DRAFT)
        fault(f, "built for engine draft %u, this bioft has %u: rebuild the plugin", e->draft, BIOFT_ENGINE_DRAFT);
    need(f, e->score, "score");
    need(f, e->supports, "supports");
    need(f, e->model_create, "model_create");
    need(f, e->model_destroy, "model_destroy");
    need(f, e->read, "read");
    need(f, e->write, "write");
    need(f, e->set_feedback, "set_feedback");
    need(f, e->program_create, "program_create");
    need(f, e->program_destroy, "program_destroy");
    need(f, e->program_bytes, "program_bytes");
    need(f, e->forward, "forward");
    need(f, e->backward, "backward");
    need(f, e->update, "update");
    need(f, e->identity, "identity");
    need(f, e->layer, "layer");
}

void check_vtable(struct faults *f)
{
    const struct plugin *p = f->plugin;
    switch (p->descriptor.kind) {
    case BIOFT_KIND_RULE: check_rule(f, &p->api.rule); break;
    case BIOFT_KIND_BACKBONE: check_backbone(f, &p->api.backbone); break;
    case BIOFT_KIND_DATASET: check_dataset(f, &p->api.dataset); break;
    case BIOFT_KIND_ATTACK: check_attack(f, &p->api.attack); break;
    case BIOFT_KIND_LOSS: check_loss(f, &p->api.loss); break;
    default: check_engine(f, &p->api.engine);
    }
}
