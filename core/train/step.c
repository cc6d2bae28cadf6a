/* One step of training: forward, loss, backward with the rule's feedback, optimizer, the rule's own
 * updates. */
#include "train/step.h"

#include "train/optimizer.h"
#include <math.h>
#include <string.h>

/* Dropout's masks: one set a batch, whatever was resumed. */
uint64_t step_dropout_key(const struct step *s, uint64_t step, uint32_t batch)
{
    return s->stage_number << 40 | (step * s->stage->accumulate + batch);
}

void step_clear_loss(struct step *s)
{
    struct instance *loss = s->loss;
    for (size_t i = 0; i < loss->array_count; i++)
        if (loss->arrays[i].gradient)
            memset(loss->arrays[i].gradient, 0, loss->arrays[i].count * sizeof(float));
}

bioft_status step_loss(struct step *s, const bioft_batch *batch, double *ret, struct error *err)
{
    bioft_status st = s->loss->plugin->api.loss.value(s->loss->self, s->out, batch, ret, s->d_out);
    return st == BIOFT_OK ? st : instance_error(s->loss, st, err);
}

void step_count(const struct step *s, const bioft_batch *batch, double loss, struct progress *at)
{
    const uint32_t outputs = s->model->graph->view.outputs;
    at->loss_sum += loss * batch->n;
    at->seen += batch->n;
    for (uint32_t i = 0; s->classes && i < batch->n; i++) {
        const float *out = s->out + (size_t)i * outputs;
        uint32_t best = 0;
        for (uint32_t c = 1; c < outputs; c++)
            if (out[c] > out[best])
                best = c;
        at->correct += (int32_t)best == batch->label[i];
    }
}

/* The rule's backward pass; before it, where alignment is measured, the true one. */
static bioft_status backward(struct step *s, const bioft_batch *batch, uint32_t nth, const bioft_hooks **ret_hooks,
                             struct error *err)
{
    struct alignment *measured = nth == 0 ? s->alignment : NULL;
    bioft_status st = measured ? alignment_exact(measured, s->program, s->d_out, err) : BIOFT_OK;
    if (st != BIOFT_OK)
        return st;
    *ret_hooks = feedback_hooks(s->feedback, batch, s->d_out, measured ? alignment_observe : NULL, measured,
                                batch->step);
    st = program_backward(s->program, s->d_out, nth > 0 ? BIOFT_ACCUMULATE : 0, NULL, *ret_hooks, err);
    if (st != BIOFT_OK)
        return feedback_error(s->feedback, st, err);
    return measured ? alignment_weights(measured, feedback_routes(s->feedback, false), err) : BIOFT_OK;
}

bioft_update step_update(struct step *s, const struct progress *at, uint32_t batches)
{
    const struct optimizer_spec *o = &s->stage->optimizer;
    const double factor = schedule_factor(&s->stage->schedule, at->epoch, at->step, s->steps);
    for (uint32_t i = 0; i < s->model->graph->view.parameter_count; i++)
        s->lr[i] = s->base_lr[i] < 0.0 ? s->base_lr[i] : s->base_lr[i] * factor;
    return (bioft_update){
        .struct_size = sizeof(bioft_update),
        .kind = o->kind,
        .t = at->step + 1,
        .lr = s->lr,
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .eps = o->eps,
        .weight_decay = o->weight_decay,
        .momentum = o->momentum,
        .gradient_scale = 1.0 / batches,
    };
}

bioft_status step_finite(const struct step *s, uint64_t step, uint32_t bad, double loss, struct error *err)
{
    if (bad == BIOFT_NONE && isfinite(loss))
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_INVALID, "step %llu: %s is not finite (loss %g): try a lower lr",
                     (unsigned long long)step + 1,
                     bad != BIOFT_NONE ? s->model->graph->parameters[bad].name : "the loss", loss);
}

void step_update_loss(struct step *s, const struct progress *at, const bioft_update *u)
{
    const double lr = s->stage->optimizer.loss_lr * schedule_factor(&s->stage->schedule, at->epoch, at->step, s->steps);
    for (size_t i = 0; i < s->loss->array_count; i++) {
        struct named_array *a = &s->loss->arrays[i];
        if (a->gradient)
            optimizer_step(u, lr, a->value, a->gradient, a->moment1, a->moment2, a->count);
    }
}

/* Gradients of several batches are to be the mean over their samples, and a batch may be smaller than the one before it,
 * as an epoch's last is. Losses are means over their batch; so each batch counts as much as it has samples of the first
 * one's, and the sum is divided by the samples of all. Equal batches are multiplied by 1. */
struct window {
    uint32_t batches, first, last; /* samples of the first and of the last batch */
    uint64_t samples;
};

/* What the loss plugin has added up so far is of a unit that changes with the batch's size. */
static void weigh_loss(struct step *s, const struct window *w, uint32_t n)
{
    const float factor = (float)w->last / (float)n;
    for (size_t i = 0; w->batches > 0 && w->last != n && i < s->loss->array_count; i++) {
        struct named_array *a = &s->loss->arrays[i];
        for (size_t k = 0; a->gradient && k < a->count; k++)
            a->gradient[k] *= factor;
    }
}

static void weigh_outputs(struct step *s, const struct window *w, uint32_t n)
{
    const float factor = (float)n / (float)w->first;
    const size_t count = (size_t)n * s->model->graph->view.outputs;
    for (size_t i = 0; n != w->first && i < count; i++)
        s->d_out[i] *= factor;
}

static void window_add(struct window *w, uint32_t n)
{
    w->batches++;
    w->last = n;
    w->samples += n;
}

/* The network's parameters, then the loss's own. */
static bioft_status update(struct step *s, const struct progress *at, const struct window *w, double loss,
                           const bioft_hooks *hooks, struct error *err)
{
    bioft_update u = step_update(s, at, w->batches);
    u.gradient_scale = (double)w->first / (double)w->samples;
    uint32_t bad = BIOFT_NONE;
    bioft_status st = model_update(s->model, &u, hooks, &bad, err);
    if (st != BIOFT_OK)
        return feedback_error(s->feedback, st, err);
    st = step_finite(s, at->step, bad, loss, err);
    u.gradient_scale = (double)w->last / (double)w->samples;
    if (st == BIOFT_OK)
        step_update_loss(s, at, &u);
    return st;
}

bioft_status step_run(struct step *s, struct batches *batches, struct progress *at, struct error *err)
{
    const bioft_hooks *hooks = NULL;
    struct window window = { 0 };
    double loss = 0.0;
    uint32_t nth = 0;
    bioft_status st = BIOFT_OK;
    step_clear_loss(s);
    while (st == BIOFT_OK && nth < s->stage->accumulate) {
        bioft_batch batch;
        st = batches_next(batches, &batch, err);
        if (st != BIOFT_OK || batch.n == 0)
            break;
        batch.step = at->step;
        batch.epoch = at->epoch;
        st = program_forward(s->program, batch.n, batch.x, step_dropout_key(s, at->step, nth), s->out, err);
        if (nth == 0)
            window.first = batch.n;
        weigh_loss(s, &window, batch.n);
        if (st == BIOFT_OK)
            st = step_loss(s, &batch, &loss, err);
        weigh_outputs(s, &window, batch.n);
        if (st == BIOFT_OK)
            st = backward(s, &batch, nth, &hooks, err);
        if (st == BIOFT_OK)
            step_count(s, &batch, loss, at);
        window_add(&window, batch.n);
        nth++;
    }
    if (st == BIOFT_OK && nth == 0)
        st = error_set(err, BIOFT_ERR_INVALID, "the epoch has no batch left");
    if (st == BIOFT_OK)
        st = update(s, at, &window, loss, hooks, err);
    if (st == BIOFT_OK)
        st = feedback_step_end(s->feedback, at->step, err);
    if (st == BIOFT_OK)
        st = feedback_refresh(s->feedback, at->step + 1, err);
    if (st != BIOFT_OK)
        return st;
    at->step++;
    at->batch_in_epoch += nth;
    return BIOFT_OK;
}
