/* What a stage's rules are made of, shared by the files that build, refresh and hook them. */
#ifndef RULES_FEEDBACK_PRIVATE_H
#define RULES_FEEDBACK_PRIVATE_H

#include "rules/feedback.h"

struct layer_rule {          /* one layer and the rule it has */
    bioft_layer layer;       /* with its key: what the rule is given */
    uint32_t weight;         /* parameter of its W */
    size_t entry;            /* whose instance */
    bioft_feedback declared; /* depth 1; V = W where nothing is declared */
    bioft_route route;       /* depth 3: the rule's own */
};

struct feedback {
    struct model *model;
    struct instance **instances; /* [count], by entry */
    size_t count;
    const bioft_own_step *own; /* of the only instance, or NULL */
    struct layer_rule *layers; /* [layer_count] */
    uint32_t layer_count;
    bioft_route *routes, *observed; /* [layer_count]: the rules'; with dy as well */
    float *w, *v;                   /* room for the largest layer */
    uint64_t rank;                  /* of the stage among those with these rules */
    bool declared_once;             /* the model knows of what is never redrawn */

    bioft_hooks hooks; /* of the pass in progress, and its subject */
    const bioft_batch *batch;
    const float *d_out;
    feedback_observer *observer;
    void *observer_ctx;
    uint64_t step;
    struct error error; /* of a rule's callback inside the engine */
};

static inline const bioft_rule *rule_of(const struct feedback *f, const struct layer_rule *l)
{
    return &f->instances[l->entry]->plugin->api.rule;
}
static inline void *self_of(const struct feedback *f, const struct layer_rule *l)
{
    return f->instances[l->entry]->self;
}
/* After a rule's callback on a layer failed: "layer 'conv1': rule 'usf': TEXT". */
bioft_status layer_error(const struct feedback *f, const struct layer_rule *l, bioft_status status, struct error *err);

/* Which entry each layer has, into layers[].entry. */
bioft_status feedback_match(struct feedback *f, const struct rule_spec *rules, size_t count, struct error *err);
/* Depth 1 and 3 of a layer's rule, asked and checked. */
bioft_status feedback_ask(struct feedback *f, struct layer_rule *l, struct error *err);
/* Does instance `index` run the training step itself, and may it here? Then f->own is set. */
bioft_status feedback_take_own(struct feedback *f, size_t index, size_t count, struct error *err);
/* "bioft.layer/1" on an engine; ctx: struct engine. */
extern const bioft_layer_ops layer_operations;

#endif
