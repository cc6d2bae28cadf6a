/* A rule that runs the training step itself ("bioft.step/0"): is it one, and may it here? */
#include "rules/chain.h"
#include "rules/feedback_private.h"

bioft_status feedback_take_own(struct feedback *f, size_t index, size_t count, struct error *err)
{
    const struct instance *i = f->instances[index];
    const bioft_plugin *d = &i->plugin->descriptor;
    const bioft_rule *rule = &i->plugin->api.rule;
    const bioft_own_step *own = d->extension ? d->extension(i->self, "bioft.step/0") : NULL;
    if (!own)
        return BIOFT_OK;
    if (!BIOFT_HAS(own, bioft_own_step, train) || !own->train || own->flags != 0)
        return error_set(err, BIOFT_ERR_INVALID, "rule '%s': its bioft.step/0 has no train(), or unknown flags",
                         d->name);
    if (rule->feedback || rule->fill_feedback || rule->after_update || rule->route)
        return error_set(err, BIOFT_ERR_INVALID,
                         "rule '%s' runs the training step itself, where feedback, routes and "
                         "after_update have no part, and yet it has some",
                         d->name);
    if (BIOFT_HAS(own, bioft_own_step, predict) && own->predict)
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "rule '%s' answers otherwise than by the network's output, which is what "
                         "this bioft evaluates and attacks",
                         d->name);
    if (count > 1)
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "rule '%s' runs the training step of all layers itself: it must be the "
                         "stage's only rule",
                         d->name);
    bioft_status st = chain_check(f->model->graph, err);
    if (st != BIOFT_OK)
        return error_prefix(err,
                            "rule '%s' runs the training step itself, layer by layer, and "
                            "cannot here",
                            d->name);
    f->own = own;
    return BIOFT_OK;
}

const bioft_own_step *feedback_own(const struct feedback *f) { return f->own; }

const bioft_layer *feedback_layer(const struct feedback *f, uint32_t index)
{
    return index < f->layer_count ? &f->layers[index].layer : NULL;
}
