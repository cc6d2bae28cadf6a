/* A trial's stages one after the other: the network each begins with, its training, what the next one takes over. */
#include "run/trial_stages.h"

#include "base/file.h"
#include "data/pixel_store_resize.h"
#include "network/initialise.h"
#include "run/figures.h"
#include "run/metrics.h"
#include "run/process.h"
#include "run/trial_log.h"

#include <stdlib.h>
#include <string.h>

static bioft_status load_weights(struct trial_run *r, size_t stage, const struct weights_spec *weights,
                                 const char *new_head, struct error *err)
{
    char *said = NULL;
    bioft_status st = new_head ? BIOFT_OK : checkpoint_check_classes(weights, r->data[stage], err);
    if (st == BIOFT_OK)
        st = weights_load(weights, r->network.model, new_head, &said, err);
    if (st == BIOFT_OK && said)
        log_write(r->log, LOG_INFO, "%s: %s", r->trial->id, said);
    free(said);
    return st;
}

/* The values that a network begins with where nothing else gives them: those that its backbone brought, the head's too
 * where it is kept, else drawn ones. */
static bioft_status first_values(struct trial_run *r, const struct stage_spec *s, bool keep_head, struct error *err)
{
    const struct graph *g = r->network.graph;
    const bool own_head = g->head_brought && keep_head;

    if (own_head && g->view.outputs != g->head_published)
        return error_set(err, BIOFT_ERR_INVALID,
                         "head: the head of backbone '%s' has %u outputs, and %u are needed here: a "
                         "new one, without 'reuse', or the same classes",
                         g->backbone, g->head_published, g->view.outputs);
    return model_initialise(r->network.model, r->trial->seed, s && !own_head ? s->name : NULL, err);
}

/* The network as the stage finds it: first values or the stage before, then weights from a file. */
static bioft_status begin_network(struct trial_run *r, size_t stage, struct error *err)
{
    const struct trial *t = r->trial;
    const struct stage_spec *s = stage < t->stage_count ? &t->stages[stage] : NULL;
    const struct head_spec *own = s && s->head ? s->head : &t->head;
    const struct weights_spec *weights = trial_weights(r, stage);
    const bool first = !r->before.model;
    /* A head that is named is a new one; the model's own is named at the first stage. */
    const bool keep_head = own->reuse || (!first && s && !s->head);

    bioft_status st = network_create(r->engine, t, r->data[stage], trial_head(t, stage), &r->network, err);
    for (size_t i = 0; st == BIOFT_OK && first && i < r->network.graph->note_count; i++)
        log_write(r->log, LOG_INFO, "%s: backbone '%s': %s", t->id, r->network.graph->backbone,
                  r->network.graph->notes[i]);
    if (st == BIOFT_OK)
        st = first && !weights ? first_values(r, s, own->reuse || !s, err)
                               : model_initialise_head(r->network.model, t->seed, s ? s->name : NULL, err);
    if (st == BIOFT_OK && !first)
        st = network_carry(&r->network, &r->before, keep_head, err);
    if (st == BIOFT_OK)
        st = pixel_store_keep_resized(r->data[stage], &r->network.image, s != NULL, r->pool, r->log, err);
    if (st == BIOFT_OK && weights)
        st = load_weights(r, stage, weights, trial_new_head(r, stage), err);
    return st;
}

struct reporting {
    struct metrics metrics;
    const struct trial_run *run;
};

/* A stage_reporter. */
static bioft_status report(void *ctx, const struct stage_report *s, struct error *err)
{
    struct reporting *reporting = ctx;
    bioft_status st = metrics_report(&reporting->metrics, s, err);
    return st == BIOFT_OK && s->epoch_end && !reporting->run->network_only
               ? trial_log(reporting->run, LOG_AT_EPOCH, err)
               : st;
}

/* stage_params' before_save. */
static bioft_status before_save(void *ctx, struct error *err)
{
    const struct reporting *reporting = ctx;
    return metrics_sync(reporting->metrics.path, err);
}

/* What became of a stage by this process, whose failure, if any, is told first. */
static bioft_status keep_trained(struct trial_run *r, size_t stage, uint64_t before, bioft_status st, struct error *err)
{
    struct progress now;
    struct error later, *told = st == BIOFT_OK ? err : &later;
    char key[SHA256_HEX];

    if (!r->process || checkpoint_peek(r->places[stage].checkpoint, &now, key, &later) != BIOFT_OK ||
        now.step == before)
        return st;
    bioft_status kept = process_did(r->process, told, "trained stage '%s' of network %.16s, updates %llu to %llu",
                                    r->trial->stages[stage].name, key, (unsigned long long)before + 1,
                                    (unsigned long long)now.step);
    return st == BIOFT_OK ? kept : st;
}

static bioft_status train(struct trial_run *r, size_t stage, struct error *err)
{
    const struct trial *t = r->trial;
    const struct stage_place *place = &r->places[stage];
    struct reporting reporting = { .metrics = { .path = place->metrics,
                                                .trial = t->id,
                                                .log = r->log,
                                                .status = r->status,
                                                .started = r->started },
                                   .run = r };
    struct progress progress = { 0 };
    char key[SHA256_HEX];

    /* Trials that have a stage in common train it once: the others wait here, and find it complete. */
    const char *lock_path = arena_printf(r->arena, "%s/.lock", place->folder);
    int lock = -1;
    bioft_status st = lock_path ? file_make_folder(place->folder, err) : error_memory(err, "a path");

    status_activity(r->status, "%s", t->stages[stage].name);
    if (st == BIOFT_OK)
        st = file_lock_wait(lock_path, r->stop, &lock, err);
    if (st == BIOFT_OK)
        st = file_sweep(place->folder, err);
    if (st == BIOFT_OK && file_exists(place->checkpoint))
        st = checkpoint_peek(place->checkpoint, &progress, key, err);
    if (st == BIOFT_OK && !progress.complete)
        st = metrics_cut(place->metrics, progress.step, err);
    if (st == BIOFT_OK)
        st = stage_train(&(struct stage_params){ .model = r->network.model,
                                                 .dataset = r->data[stage],
                                                 .image = r->network.image,
                                                 .trial = t,
                                                 .stage = &t->stages[stage],
                                                 .stage_number = (uint32_t)stage,
                                                 .key = place->key,
                                                 .checkpoint = place->checkpoint,
                                                 .resume = true,
                                                 .pool = r->pool,
                                                 .stop = r->stop,
                                                 .log = r->log,
                                                 .report = report,
                                                 .before_save = before_save,
                                                 .ctx = &reporting },
                         &r->feedback, err);
    if (lock >= 0)
        st = keep_trained(r, stage, progress.step, st, err);
    if (st == BIOFT_OK)
        st = checkpoint_peek(place->checkpoint, &progress, key, err);
    r->step = progress.step;
    file_unlock(lock);
    if (st == BIOFT_OK && !r->network_only)
        st = trial_log(r, LOG_AT_STAGE_END, err);
    return st == BIOFT_OK ? st : error_prefix(err, "%s, stage '%s'", t->id, t->stages[stage].name);
}

/* A stage whose figure stands and whose successor is trained leaves nothing to do. */
static bioft_status is_behind(struct trial_run *r, size_t stage, bool *ret, struct error *err)
{
    struct progress next = { 0 };
    char key[SHA256_HEX];
    *ret = false;
    if (stage + 1 >= r->trial->stage_count || !file_exists(r->places[stage + 1].checkpoint))
        return BIOFT_OK;
    bioft_status st = checkpoint_peek(r->places[stage + 1].checkpoint, &next, key, err);
    *ret = st == BIOFT_OK && next.complete && strcmp(key, r->places[stage + 1].key) == 0;
    return *ret && !r->network_only ? figures_have_clean(r, stage, ret, err) : st;
}

/* Gives the next stage this one's network to start from. */
static void pass_on(struct trial_run *r)
{
    codebook_destroy(r->codebook);
    r->codebook = NULL;
    feedback_destroy(r->feedback);
    r->feedback = NULL;
    network_destroy(&r->before);
    r->before = r->network;
    r->network = (struct network){ 0 };
}

bioft_status trial_stages(struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    bioft_status st = t->stage_count ? BIOFT_OK : begin_network(r, 0, err);

    for (size_t i = 0; st == BIOFT_OK && i < t->stage_count; i++) {
        bool behind;
        st = is_behind(r, i, &behind, err);
        if (st == BIOFT_OK && !behind) {
            st = begin_network(r, i, err);
            if (st == BIOFT_OK)
                st = train(r, i, err);
        }
        if (st == BIOFT_OK && !r->network_only)
            st = figures_clean(r, i, err);
        if (st == BIOFT_OK && !behind && i + 1 < t->stage_count)
            pass_on(r);
    }
    return st == BIOFT_OK && t->stage_count == 0 && !r->network_only ? figures_clean(r, 0, err) : st;
}

bioft_status trial_network(struct trial_run *r, struct error *err)
{
    r->network_only = true;
    return trial_stages(r, err);
}
