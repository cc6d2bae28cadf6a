/* model_selection: val: after each epoch the network is measured on the validation split, and the
 * stage ends with the best one, the earlier of equals. What is best so far lies beside the running
 * checkpoint. */
#include "base/file.h"
#include "base/memory.h"
#include "train/stage_private.h"

#include <stdlib.h>
#include <string.h>

bioft_status select_open(struct run *r, struct error *err)
{
    const struct stage_params *p = r->p;
    if (!p->stage->select_by_val)
        return BIOFT_OK;
    if (!p->checkpoint)
        return error_set(err, BIOFT_ERR_INVALID,
                         "model_selection: val keeps its best network in a file, and no "
                         "checkpoint is written here");
    bioft_status st = dataset_need(p->dataset, "val", &r->val, err);
    if (st != BIOFT_OK)
        return st;
    if (r->val->count == 0)
        return error_set(err, BIOFT_ERR_INVALID, "model_selection: val: the validation split is empty");
    const size_t size = strlen(p->checkpoint) + sizeof(".best");
    r->best_path = mem_array(size, 1);
    if (!r->best_path)
        return error_memory(err, p->checkpoint);
    memcpy(r->best_path, p->checkpoint, size - sizeof(".best"));
    memcpy(r->best_path + size - sizeof(".best"), ".best", sizeof(".best"));
    return BIOFT_OK;
}

/* The share of right answers; where outputs are no classes, minus the mean loss. */
static bioft_status measure(struct run *r, struct batches *batches, struct program *program, double *ret,
                            struct error *err)
{
    const bioft_loss *loss = &r->step.loss->plugin->api.loss;
    struct progress sum = { 0 };
    for (;;) {
        bioft_batch batch;
        double value = 0.0;
        bioft_status st = batches_next(batches, &batch, err);
        if (st != BIOFT_OK)
            return st;
        if (batch.n == 0)
            break;
        st = program_forward(program, batch.n, batch.x, 0, r->step.out, err);
        if (st != BIOFT_OK)
            return st;
        st = loss->value(r->step.loss->self, r->step.out, &batch, &value, NULL);
        if (st != BIOFT_OK)
            return instance_error(r->step.loss, st, err);
        step_count(&r->step, &batch, value, &sum);
    }
    *ret = (r->step.classes ? (double)sum.correct : -sum.loss_sum) / (double)sum.seen;
    return BIOFT_OK;
}

static bioft_status evaluate(struct run *r, double *ret, struct error *err)
{
    const struct stage_params *p = r->p;
    const bioft_use use = program_use(BIOFT_EVAL, p->trial->precision, p->stage->batch_size, p->pool);
    const struct batches_params b = {
        .dataset = p->dataset,
        .split = r->val,
        .batch_size = p->stage->batch_size,
        .normalise = true,
        .image = p->image,
        .seed = p->trial->seed,
        .pool = p->pool,
    };
    struct program *program = NULL;
    struct batches *batches = NULL;
    bioft_status st = program_create(p->model, &use, NULL, &program, err);
    if (st == BIOFT_OK)
        st = batches_create(&b, &batches, err);
    if (st == BIOFT_OK)
        st = measure(r, batches, program, ret, err);
    batches_destroy(batches);
    program_destroy(program);
    return st;
}

bioft_status select_epoch(struct run *r, struct error *err)
{
    double found = 0.0;
    if (!r->val)
        return BIOFT_OK;
    bioft_status st = evaluate(r, &found, err);
    if (st != BIOFT_OK)
        return st;
    const bool better = !r->at.has_best || found > r->at.best;
    log_write(r->p->log, LOG_INFO, "stage '%s': after epoch %llu %s %.4f on the validation split%s", r->p->stage->name,
              (unsigned long long)r->at.epoch, r->step.classes ? "accuracy" : "loss", r->step.classes ? found : -found,
              better ? ", the best so far" : "");
    if (!better)
        return BIOFT_OK;
    r->at.has_best = true;
    r->at.best = found;
    const struct checkpoint c = stage_checkpoint(r);
    return checkpoint_save(r->best_path, &c, err);
}

bioft_status select_finish(struct run *r, struct error *err)
{
    if (!r->val || !r->at.has_best)
        return BIOFT_OK;
    struct checkpoint c = stage_checkpoint(r);
    bioft_status st = checkpoint_load(r->best_path, &c, err);
    if (st != BIOFT_OK)
        return st;
    r->at = c.progress;
    return feedback_refresh(r->step.feedback, r->at.step, err);
}
