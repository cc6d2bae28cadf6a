/* A stage of training: epochs of steps, from wherever a checkpoint left it, to its end. */
#include "train/stage.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "train/rank.h"
#include "train/stage_private.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Is alignment measured at the step that comes next? */
static bool is_measured(const struct run *r)
{
    const uint64_t every = r->p->stage->alignment;
    return every > 0 ? r->at.step % every == 0 : r->at.step == 0;
}

static bioft_status save(struct run *r, bool complete, struct error *err)
{
    if (!r->p->checkpoint)
        return BIOFT_OK;
    r->at.complete = complete;
    const struct checkpoint c = stage_checkpoint(r);
    bioft_status st = r->p->before_save ? r->p->before_save(r->p->ctx, err) : BIOFT_OK;
    return st != BIOFT_OK ? st : checkpoint_save(r->p->checkpoint, &c, err);
}

static bioft_status resume(struct run *r, struct error *err)
{
    if (!r->p->resume || !r->p->checkpoint || !file_exists(r->p->checkpoint))
        return BIOFT_OK;
    struct checkpoint c = stage_checkpoint(r);
    bioft_status st = checkpoint_load(r->p->checkpoint, &c, err);
    if (st != BIOFT_OK)
        return st;
    if (c.progress.step > r->steps)
        return error_set(err, BIOFT_ERR_INVALID, "%s: at step %llu of %llu", r->p->checkpoint,
                         (unsigned long long)c.progress.step, (unsigned long long)r->steps);
    r->at = c.progress;
    return feedback_refresh(r->step.feedback, r->at.step, err);
}

static bioft_use use_of(const struct run *r)
{
    bioft_use use = program_use(BIOFT_TRAIN, r->p->trial->precision, r->p->stage->batch_size, r->p->pool);
    use.flags = r->p->stage->batchnorm_frozen ? BIOFT_FROZEN_BATCHNORM : 0;
    return use;
}

static bioft_status make_program(struct run *r, bool observe, struct program **ret, struct error *err)
{
    const bioft_use use = use_of(r);
    return program_create(r->p->model, &use, feedback_routes(r->step.feedback, observe), ret, err);
}

/* The blocks of a rule that runs the step itself, from what the network has now. */
static bioft_status prepare_chain(struct run *r, struct error *err)
{
    const struct optimizer_spec *o = &r->p->stage->optimizer;
    const bioft_use use = use_of(r);
    if (r->step.chain)
        return BIOFT_OK;
    return chain_create(r->p->model, &use, chain_moments(o->kind, o->momentum), &r->step.chain, err);
}

/* The program and the measuring of the next step. What only the first step needs is gone at the
 * second. */
static bioft_status prepare(struct run *r, struct error *err)
{
    bioft_status st = BIOFT_OK;
    if (feedback_own(r->step.feedback))
        return prepare_chain(r, err);
    if (is_measured(r)) {
        if (!r->observing)
            st = make_program(r, true, &r->observing, err);
        if (st == BIOFT_OK && !r->alignment)
            st = alignment_create(r->p->model, r->p->stage->batch_size, &r->alignment, err);
        r->step.program = r->observing;
        r->step.alignment = r->alignment;
        return st;
    }
    if (r->p->stage->alignment == 0) {
        program_destroy(r->observing);
        alignment_destroy(r->alignment);
        r->observing = NULL;
        r->alignment = NULL;
    }
    if (!r->plain)
        st = make_program(r, false, &r->plain, err);
    r->step.program = r->plain;
    r->step.alignment = NULL;
    return st;
}

/* before: at the beginning of the step; NULL at an epoch's end. */
static bioft_status report(const struct run *r, const struct progress *before, struct error *err)
{
    const bool epoch_end = !before;
    const uint64_t every = r->p->stage->log_every;
    const double step_seen = before ? (double)(r->at.seen - before->seen) : 0.0;
    const struct alignment *a = epoch_end ? NULL : r->step.alignment;
    const double seconds = clock_seconds() - r->began, seen = (double)r->at.seen;
    const struct schedule_spec *schedule = &r->p->stage->schedule;
    if (!r->p->report)
        return BIOFT_OK;
    const struct stage_report report = {
        .stage = r->p->stage,
        .epoch = r->at.epoch,
        .epochs = r->epochs,
        .step = r->at.step,
        .steps = r->steps,
        .loss = seen > 0.0 ? r->at.loss_sum / seen : NAN,
        .accuracy = r->step.classes && seen > 0.0 ? (double)r->at.correct / seen : NAN,
        .lr = r->p->stage->optimizer.lr * schedule_factor(schedule, r->at.epoch, r->at.step - 1, r->steps),
        .images_per_s = seconds > 0.0 ? (double)(r->at.seen - r->began_seen) / seconds : 0.0,
        .data_wait = batches_waited(r->batches) - r->waited,
        .epoch_end = epoch_end,
        .logged = before && every > 0 && r->at.step % every == 0,
        .step_loss = step_seen > 0.0 ? (r->at.loss_sum - before->loss_sum) / step_seen : NAN,
        .step_accuracy = r->step.classes && step_seen > 0.0 ? (double)(r->at.correct - before->correct) / step_seen
                                                            : NAN,
        .delta_angle = a ? a->delta_angle : NULL,
        .weight_angle = a ? a->weight_angle : NULL,
        .weight_ratio = a ? a->weight_ratio : NULL,
        .layer_count = r->p->model->graph->view.layer_count,
        .graph = r->p->model->graph,
    };
    return r->p->report(r->p->ctx, &report, err);
}

/* The batches of the open epoch, from the one that comes next. */
static bioft_status open_epoch(struct run *r, struct error *err)
{
    const struct stage_params *p = r->p;
    char stream[256];
    if (p->stage->shuffle) {
        snprintf(stream, sizeof(stream), "order/%s", p->stage->name);
        random_permutation(p->trial->seed, stream, r->at.epoch, r->split->count, r->order);
    } else {
        for (uint64_t i = 0; i < r->split->count; i++)
            r->order[i] = i;
    }
    bioft_status st = BIOFT_OK;
    if (!r->batches) {
        const struct batches_params b = {
            .dataset = p->dataset,
            .split = r->split,
            .positions = r->order,
            .count = r->usable,
            .batch_size = p->stage->batch_size,
            .train = true,
            .normalise = true,
            .image = p->image,
            .seed = p->trial->seed,
            .rank = rank_of_data(p->trial, p->stage_number),
            .epoch = r->at.epoch,
            .pool = p->pool,
            .ahead = p->dataset->encoded && p->pool ? pool_threads(p->pool) : 0,
        };
        st = batches_create(&b, &r->batches, err);
    }
    if (st == BIOFT_OK)
        st = batches_restart(r->batches, r->order, r->usable, r->at.epoch, r->at.batch_in_epoch, err);
    if (st != BIOFT_OK)
        return st;
    r->began = clock_seconds();
    r->began_seen = r->at.seen;
    r->waited = batches_waited(r->batches);
    return BIOFT_OK;
}

static void warn_of_none(const struct run *r)
{
    if (r->step.alignment && r->at.step == 1 && alignment_is_none(r->step.alignment) &&
        !feedback_is_exact(r->step.feedback))
        log_write(r->p->log, LOG_WARNING,
                  "stage '%s': at the first step rule %s sends what backpropagation sends, at "
                  "every layer",
                  r->p->stage->name, r->p->stage->rule_name);
}

static bioft_status stopped(const struct run *r, struct error *err)
{
    return error_set(err, BIOFT_ERR_CANCELLED, "stopped after step %llu of %llu%s", (unsigned long long)r->at.step,
                     (unsigned long long)r->steps, r->p->checkpoint ? "; --resume continues from there" : "");
}

static bioft_status epoch(struct run *r, struct error *err)
{
    const uint64_t batches = r->usable / r->p->stage->batch_size + (r->usable % r->p->stage->batch_size != 0);
    bioft_status st = open_epoch(r, err);
    while (st == BIOFT_OK && r->at.batch_in_epoch < batches && r->at.step < r->steps) {
        if (stop_asked(r->p->stop)) {
            st = save(r, false, err);
            return st == BIOFT_OK ? stopped(r, err) : st;
        }
        const struct progress before = r->at;
        st = prepare(r, err);
        if (st == BIOFT_OK)
            st = r->step.chain ? own_step_run(&r->step, r->batches, &r->at, err)
                               : step_run(&r->step, r->batches, &r->at, err);
        if (st == BIOFT_OK)
            st = report(r, &before, err);
        if (st == BIOFT_OK)
            warn_of_none(r);
    }
    return st == BIOFT_OK ? report(r, NULL, err) : st;
}

static bioft_status train(struct run *r, struct error *err)
{
    const uint64_t every = r->p->stage->checkpoint_epochs;
    bioft_status st = resume(r, err);
    if (st != BIOFT_OK || r->at.complete)
        return st;
    while (r->at.step < r->steps) {
        st = epoch(r, err);
        if (st != BIOFT_OK)
            return st;
        r->at = (struct progress){
            .epoch = r->at.epoch + 1, .step = r->at.step, .has_best = r->at.has_best, .best = r->at.best
        };
        st = select_epoch(r, err);
        if (st == BIOFT_OK && every > 0 && r->at.epoch % every == 0 && r->at.step < r->steps)
            st = save(r, false, err);
        if (st != BIOFT_OK)
            return st;
    }
    st = select_finish(r, err);
    if (st != BIOFT_OK)
        return st;
    st = save(r, true, err);
    if (st != BIOFT_OK)
        return st;
    if (r->best_path)
        return file_remove(r->best_path, err);
    return BIOFT_OK;
}

bioft_status stage_check(const struct stage_params *p, struct error *err)
{
    struct run r;
    bioft_status st = stage_open(p, &r, err);
    if (st == BIOFT_OK && r.steps > 0 && feedback_own(r.step.feedback))
        st = prepare_chain(&r, err);
    stage_close(&r);
    return st;
}

bioft_status stage_train(const struct stage_params *p, struct feedback **ret_feedback, struct error *err)
{
    struct run r;
    bioft_status st = stage_open(p, &r, err);
    if (st == BIOFT_OK)
        st = train(&r, err);
    if (st == BIOFT_OK && ret_feedback) {
        *ret_feedback = r.step.feedback;
        r.step.feedback = NULL;
    }
    stage_close(&r);
    return st;
}
