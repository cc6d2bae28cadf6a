/* Before a stage's first step: data, loss, rule, optimizer and room, each checked against the
 * others. */
#include "base/memory.h"
#include "train/rank.h"
#include "train/stage_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t stage_usable(const struct stage_spec *s, const struct graph *g, uint64_t count)
{
    bool single = false; /* some batchnorm has one value a channel */
    for (uint32_t i = 0; i < g->view.node_count; i++)
        if (g->nodes[i].op == BIOFT_OP_BATCHNORM && g->nodes[i].height * g->nodes[i].width == 1)
            single = true;
    if (!single || s->batchnorm_frozen)
        return count;
    if (s->batch_size == 1)
        return 0;
    return count % s->batch_size == 1 ? count - 1 : count;
}

uint64_t stage_steps(const struct stage_spec *s, uint64_t count, uint64_t *ret_epochs, uint64_t *ret_steps_per_epoch)
{
    const uint64_t batches = count / s->batch_size + (count % s->batch_size != 0);
    const uint64_t per_epoch = batches / s->accumulate + (batches % s->accumulate != 0);
    uint64_t steps = s->steps, epochs = 0;
    if (steps == 0 && s->epochs > 0.0) {
        const double exact = s->epochs * (double)per_epoch;
        steps = (uint64_t)ceil(exact - 1e-9 * exact); /* 1.1 * 10 is 11, not 12 */
    }
    if (per_epoch > 0)
        epochs = steps / per_epoch + (steps % per_epoch != 0);
    if (ret_epochs)
        *ret_epochs = epochs;
    if (ret_steps_per_epoch)
        *ret_steps_per_epoch = per_epoch;
    return steps;
}

bioft_status stage_split(const struct stage_spec *s, const struct dataset *d, const struct split **ret,
                         struct error *err)
{
    const bool trains = s->steps > 0 || s->epochs > 0.0;
    return dataset_need(d, trains || dataset_split(d, "train") ? "train" : "test", ret, err);
}

static bioft_status open_data(struct run *r, struct error *err)
{
    const struct stage_params *p = r->p;
    const struct stage_spec *s = p->stage;
    bioft_status st = stage_split(s, p->dataset, &r->split, err);
    if (st != BIOFT_OK)
        return st;
    r->usable = stage_usable(s, p->model->graph, r->split->count);
    r->steps = stage_steps(s, r->usable, &r->epochs, &r->steps_per_epoch);
    if ((s->steps > 0 || s->epochs > 0.0) && r->usable == 0)
        return error_set(err, BIOFT_ERR_INVALID, "%s",
                         r->split->count == 0 ? "the training split is empty"
                                              : "every batch would leave batchnorm one value a channel: use a "
                                                "larger batch_size, or batchnorm: frozen");
    if (r->steps > 0 && r->usable < r->split->count)
        log_write(p->log, LOG_INFO,
                  "stage '%s': one of %llu training images is left out of each epoch: a last batch "
                  "of one would leave batchnorm one value a channel",
                  s->name, (unsigned long long)r->split->count);
    r->order = mem_array(r->split->count, sizeof(*r->order));
    if (!r->order)
        return error_memory(err, "the order of an epoch");
    return BIOFT_OK;
}

static bioft_status open_loss(struct run *r, struct error *err)
{
    const struct stage_params *p = r->p;
    const struct plugin *plugin = p->stage->loss.plugin;
    const uint32_t takes = plugin->api.loss.flags, outputs = p->model->graph->view.outputs;
    const char *name = plugin->descriptor.name;
    const bool bits = trial_head(p->trial, p->stage_number)->bits > 0;
    const bool several = p->dataset->multi_label;
    if (!(takes & (bits ? BIOFT_LOSS_CODES : BIOFT_LOSS_CLASSES)))
        return error_set(err, BIOFT_ERR_INVALID, "loss '%s' is not for %s", name,
                         bits ? "codes: the head has bits" : "classes: the head has no bits");
    if (several && !(takes & BIOFT_LOSS_MULTI_LABEL))
        return error_set(err, BIOFT_ERR_INVALID, "loss '%s' takes one class a sample, and '%s' has several", name,
                         p->dataset->name);
    const struct instance_params params = {
        .plugin = plugin,
        .values = p->stage->loss.values,
        .seed = rank_seed(p->trial->seed, rank_of_loss(p->trial, p->stage_number)),
        .pool = p->pool,
        .trainables = true,
    };
    bioft_status st = instance_create(&params, &r->step.loss, err);
    if (st != BIOFT_OK || !plugin->api.loss.attach)
        return st;
    const bioft_task task = {
        .struct_size = sizeof(task),
        .outputs = outputs,
        .classes = p->dataset->classes,
        .multi_label = several,
        .train_count = r->split->count,
        .total_steps = r->steps,
    };
    st = plugin->api.loss.attach(r->step.loss->self, &task);
    r->step.classes = !bits && !several;
    return st == BIOFT_OK ? st : instance_error(r->step.loss, st, err);
}

static bool frozen(const struct stage_spec *s, const char *name)
{
    for (size_t i = 0; i < s->freeze_count; i++)
        if (text_match(s->freeze[i], name))
            return true;
    return false;
}

/* A pattern that freezes nothing is a mistake. */
static bioft_status check_frozen(const struct run *r, struct error *err)
{
    const struct graph *g = r->p->model->graph;
    const struct stage_spec *s = r->p->stage;
    const char **names = mem_array(g->view.parameter_count, sizeof(*names));
    bioft_status st = names ? BIOFT_OK : error_memory(err, "freeze");
    for (uint32_t i = 0; names && i < g->view.parameter_count; i++)
        names[i] = g->parameters[i].name;
    for (size_t f = 0; st == BIOFT_OK && f < s->freeze_count; f++) {
        bool any = false;
        for (uint32_t i = 0; i < g->view.parameter_count; i++)
            any = any || text_match(s->freeze[f], names[i]);
        if (any)
            continue;
        const char *nearest = text_nearest(s->freeze[f], names, g->view.parameter_count);
        st = error_set(err, BIOFT_ERR_INVALID, "freeze: the pattern '%s' matches no parameter; %s%s%s", s->freeze[f],
                       nearest ? "did you mean '" : "names are like '", nearest ? nearest : names[0],
                       nearest ? "'?" : "'");
    }
    free(names);
    return st;
}

static bioft_status open_optimizer(struct run *r, struct error *err)
{
    const struct graph *g = r->p->model->graph;
    const struct optimizer_spec *o = &r->p->stage->optimizer;
    size_t largest = 0;
    bioft_status st = check_frozen(r, err);
    if (st != BIOFT_OK)
        return st;
    r->step.base_lr = mem_array(g->view.parameter_count, sizeof(double));
    r->step.lr = mem_array(g->view.parameter_count, sizeof(double));
    if (!r->step.base_lr || !r->step.lr)
        return error_memory(err, "learning rates");
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        const bioft_parameter *of = &g->parameters[i];
        const bool still = of->kind == BIOFT_PARAM_RUNNING || frozen(r->p->stage, of->name);
        r->step.base_lr[i] = still ? -1.0 : of->flags & BIOFT_PARAM_HEAD ? o->head_lr : o->lr;
        if (of->count > largest)
            largest = of->count;
    }
    float *zero = mem_aligned(largest, sizeof(*zero));
    if (!zero)
        return error_memory(err, "moments");
    for (uint32_t i = 0; st == BIOFT_OK && i < g->view.parameter_count; i++) {
        if (g->parameters[i].kind == BIOFT_PARAM_RUNNING)
            continue;
        if (o->kind == BIOFT_ADAM || o->momentum != 0.0)
            st = model_write(r->p->model, BIOFT_MOMENT1, i, zero, err);
        if (st == BIOFT_OK && o->kind == BIOFT_ADAM)
            st = model_write(r->p->model, BIOFT_MOMENT2, i, zero, err);
    }
    free(zero);
    return st;
}

bioft_status stage_open(const struct stage_params *p, struct run *r, struct error *err)
{
    const size_t outputs = p->model->graph->view.outputs;
    const uint32_t rank = rank_of_rules(p->trial, p->stage_number);
    *r = (struct run){ .p = p };
    bioft_status st = open_data(r, err);
    if (st == BIOFT_OK)
        st = select_open(r, err);
    if (st == BIOFT_OK)
        st = open_loss(r, err);
    if (st == BIOFT_OK)
        st = open_optimizer(r, err);
    if (st == BIOFT_OK)
        st = feedback_create(p->model, p->stage->rules, p->stage->rule_count, rank_seed(p->trial->seed, rank), p->pool,
                             p->stage->batch_size, &r->step.feedback, err);
    if (st == BIOFT_OK)
        st = feedback_rank(r->step.feedback, rank, err);
    if (st != BIOFT_OK)
        return st;
    if (feedback_own(r->step.feedback) && p->stage->accumulate > 1)
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "rule '%s' runs the training step itself, on one batch: accumulate must "
                         "be 1",
                         p->stage->rule_name);
    r->step.out = mem_aligned(p->stage->batch_size * outputs, sizeof(float));
    r->step.d_out = mem_aligned(p->stage->batch_size * outputs, sizeof(float));
    if (!r->step.out || !r->step.d_out)
        return error_memory(err, "the network's output");
    r->step.model = p->model;
    r->step.stage = p->stage;
    r->step.stage_number = p->stage_number;
    r->step.steps = r->steps;
    return BIOFT_OK;
}

void stage_close(struct run *r)
{
    batches_destroy(r->batches);
    program_destroy(r->plain);
    program_destroy(r->observing);
    alignment_destroy(r->alignment);
    chain_destroy(r->step.chain);
    feedback_destroy(r->step.feedback);
    instance_destroy(r->step.loss);
    free(r->step.base_lr);
    free(r->step.lr);
    free(r->step.out);
    free(r->step.d_out);
    free(r->order);
    free(r->best_path);
}

struct checkpoint stage_checkpoint(const struct run *r)
{
    return (struct checkpoint){
        .model = r->p->model,
        .feedback = r->step.feedback,
        .loss = r->step.loss,
        .moments = true,
        .optimizer = r->p->stage->optimizer.kind,
        .momentum = r->p->stage->optimizer.momentum,
        .dataset = r->p->dataset,
        .trial = r->p->trial,
        .stage = r->p->stage,
        .key = r->p->key,
        .image = r->p->image,
        .progress = r->at,
    };
}
