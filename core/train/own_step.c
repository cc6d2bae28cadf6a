/* A training step that the rule runs itself: what "bioft.step/0" offers it, and what the host does
 * before and after. */
#include "train/own_step.h"

#include <math.h>
#include <string.h>

struct own { /* one step */
    struct step *s;
    bioft_batch batch;
    bioft_update update;
    uint64_t dropout_key;
    double value;       /* what the rule reports */
    bool asked;         /* for the loss */
    struct error error; /* the first failure of what the rule called */
};

/* Keeps the first failure: the rule only passes the status on. */
static bioft_status done(struct own *o, bioft_status status, const struct error *err)
{
    if (status != BIOFT_OK && o->error.status == BIOFT_OK) {
        o->error = *err;
        o->error.status = status;
    }
    return status;
}

static const bioft_layer *layer(const bioft_step *step, uint32_t index)
{
    const struct own *o = step->ctx;
    return feedback_layer(o->s->feedback, index);
}

static bioft_status block_forward(const bioft_step *step, uint32_t index, uint32_t n, const float *x, float *ret_h)
{
    struct own *o = step->ctx;
    struct error err = { 0 };
    return done(o, chain_forward(o->s->chain, index, n, x, o->dropout_key, ret_h, &err), &err);
}

static bioft_status block_backward(const bioft_step *step, uint32_t index, uint32_t n, const float *dh, float *ret_dx)
{
    struct own *o = step->ctx;
    struct error err = { 0 };
    return done(o, chain_backward(o->s->chain, index, n, dh, ret_dx, &err), &err);
}

static bioft_status loss(const bioft_step *step, const float *out, double *ret_value, float *ret_d_out)
{
    struct own *o = step->ctx;
    struct step *s = o->s;
    const size_t bytes = (size_t)o->batch.n * s->model->graph->view.outputs * sizeof(float);
    struct error err = { 0 };
    if (o->asked) {
        error_set(&err, BIOFT_ERR_INVALID, "it asked for the loss twice in one step");
        return done(o, err.status, &err);
    }
    memcpy(s->out, out, bytes);
    bioft_status st = step_loss(s, &o->batch, ret_value, &err);
    if (st != BIOFT_OK)
        return done(o, st, &err);
    o->asked = true;
    memcpy(ret_d_out, s->d_out, bytes);
    return BIOFT_OK;
}

static bioft_status update(const bioft_step *step, uint32_t index)
{
    struct own *o = step->ctx;
    struct error err = { 0 };
    uint32_t bad = BIOFT_NONE;
    bioft_status st = chain_update(o->s->chain, index, &o->update, &bad, &err);
    if (st == BIOFT_OK)
        st = step_finite(o->s, o->batch.step, bad, 0.0, &err);
    return done(o, st, &err);
}

static bioft_status train(struct own *o, struct error *err)
{
    struct step *s = o->s;
    struct instance *rule = feedback_instance(s->feedback, 0);
    const bioft_step api = {
        .struct_size = sizeof(api),
        .layers = s->model->graph->view.layer_count,
        .batch = &o->batch,
        .ctx = o,
        .layer = layer,
        .block_forward = block_forward,
        .block_backward = block_backward,
        .loss = loss,
        .update = update,
    };
    chain_begin(s->chain);
    bioft_status st = feedback_own(s->feedback)->train(rule->self, &api, &o->value);
    if (o->error.status != BIOFT_OK) {
        *err = o->error;
        return error_prefix(err, "rule '%s'", rule->plugin->descriptor.name);
    }
    if (st != BIOFT_OK)
        return instance_error(rule, st, err);
    if (!o->asked)
        return error_set(err, BIOFT_ERR_INVALID, "rule '%s' ended its step without the loss",
                         rule->plugin->descriptor.name);
    return step_finite(s, o->batch.step, BIOFT_NONE, o->value, err);
}

bioft_status own_step_run(struct step *s, struct batches *batches, struct progress *at, struct error *err)
{
    struct own o = { .s = s, .dropout_key = step_dropout_key(s, at->step, 0) };
    bioft_status st = batches_next(batches, &o.batch, err);
    if (st == BIOFT_OK && o.batch.n == 0)
        st = error_set(err, BIOFT_ERR_INVALID, "the epoch has no batch left");
    if (st != BIOFT_OK)
        return st;
    o.batch.step = at->step;
    o.batch.epoch = at->epoch;
    o.update = step_update(s, at, 1);
    step_clear_loss(s);
    st = train(&o, err);
    if (st != BIOFT_OK)
        return st;
    step_update_loss(s, at, &o.update);
    st = chain_write_back(s->chain, chain_moments(s->stage->optimizer.kind, s->stage->optimizer.momentum), err);
    if (st == BIOFT_OK)
        st = feedback_step_end(s->feedback, at->step, err);
    if (st != BIOFT_OK)
        return st;
    step_count(s, &o.batch, o.value, at);
    at->step++;
    at->batch_in_epoch++;
    return BIOFT_OK;
}
