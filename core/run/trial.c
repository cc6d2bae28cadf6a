/* One trial from beginning to end. */
#include "run/trial.h"

#include "base/clock.h"
#include "base/file.h"
#include "run/backbone_files.h"
#include "run/attack_fits.h"
#include "run/figures.h"
#include "run/identity.h"
#include "run/metrics.h"
#include "run/trial_files.h"
#include "run/trial_log.h"
#include "run/trial_stages.h"
#include "eval/checks.h"
#include "eval/class_share.h"
#include "plugin/precision.h"
#include "data/identity.h"
#include "data/omitted.h"
#include <stdlib.h>
#include <string.h>

static char *join(struct trial_run *r, const char *folder, const char *name)
{
    return arena_printf(r->arena, "%s/%s", folder, name);
}

static char *file_of(const char *out, const struct trial *t, const char *name)
{
    struct text path = { 0 };
    text_printf(&path, "%s/trials/%s/%s", out, t->id, name);
    if (path.failed)
        text_free(&path);
    return path.data;
}

char *trial_results_path(const char *out, const struct trial *t) { return file_of(out, t, "results.csv"); }

char *trial_status_path(const char *out, const struct trial *t) { return file_of(out, t, "status"); }

static bioft_status open_data(struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    r->data = arena_array(r->arena, t->stage_count + 1, sizeof(struct dataset *));
    if (!r->data)
        return error_memory(err, "datasets");
    for (size_t i = 0; i <= t->stage_count; i++) {
        const struct dataset_spec *spec = i < t->stage_count ? t->stages[i].dataset : t->dataset;
        for (size_t k = 0; k < i && !r->data[i]; k++)
            if ((k < t->stage_count ? t->stages[k].dataset : t->dataset) == spec)
                r->data[i] = r->data[k];
        if (r->data[i])
            continue;
        bioft_status st = r->shared ? shared_data_open(r->shared, spec, t->threads, r->log, &r->data[i], err)
                                    : dataset_open(spec, r->pool, r->log, &r->data[i], err);
        if (st != BIOFT_OK)
            return st;
    }
    return BIOFT_OK;
}

/* What the figures will need after each stage, before anything is trained. */
static bioft_status check_splits(const struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    const size_t count = t->stage_count ? t->stage_count : 1;
    const struct split *s;
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        st = dataset_need(r->data[i], "test", &s, err);
        if (st == BIOFT_OK && trial_head(t, i)->bits > 0)
            st = dataset_need(r->data[i], "database", &s, err);
    }
    for (size_t i = 0; st == BIOFT_OK && i < t->attack_count; i++)
        st = attack_fits(&t->attacks[i], r->data[count - 1], err);
    return st;
}

/* A network's key: the manifest's part, the data of all stages so far, the bytes of weights and of the backbone's files, and what decides the engine's
 * bits. Whatever is kept of the network has it. */
static bioft_status identify(struct trial_run *r, size_t stage, char ret[SHA256_HEX], struct error *err)
{
    const struct trial *t = r->trial;
    const bioft_plugin *engine = &r->engine->instance->plugin->descriptor;
    struct text all = { 0 };
    char sum[SHA256_HEX];
    const char *option, *path;
    uint32_t at = 0;
    bioft_status st = BIOFT_OK;

    text_printf(&all, "%s\n%s %s\n%s\n", t->stage_count ? t->stage_key[stage] : t->base_key, engine->name,
                engine->version, r->engine->identity);
    if (r->engine->threads_matter)
        text_printf(&all, "threads %u\n", t->threads);
    for (size_t i = 0; st == BIOFT_OK && i <= stage; i++) {
        st = dataset_digest(r->data[i], sum, err);
        if (st == BIOFT_OK)
            text_printf(&all, "data %s\n", sum);
    }
    for (size_t i = 0; st == BIOFT_OK && i <= stage; i++) {
        const struct weights_spec *weights = trial_weights(r, i);
        if (weights && (st = sha256_file(weights->file, sum, err)) == BIOFT_OK)
            text_printf(&all, "weights %zu %s\n", i, sum);
    }
    while (st == BIOFT_OK && (option = backbone_file_next(t, &at, &path)))
        if ((st = sha256_file(path, sum, err)) == BIOFT_OK)
            text_printf(&all, "backbone %s %s\n", option, sum);
    if (st == BIOFT_OK && all.failed)
        st = error_memory(err, "a stage's identity");
    if (st == BIOFT_OK)
        sha256_bytes(all.data, all.length, ret);
    text_free(&all);
    return st;
}

static bioft_status place_stages(struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    r->places = arena_array(r->arena, t->stage_count + 1, sizeof *r->places);
    if (!r->places)
        return error_memory(err, "stages");
    if (t->stage_count == 0)
        return identify(r, 0, r->places[0].key, err);
    for (size_t i = 0; i < t->stage_count; i++) {
        struct stage_place *p = &r->places[i];
        bioft_status st = identify(r, i, p->key, err);
        if (st != BIOFT_OK)
            return st;
        p->folder = arena_printf(r->arena, "%s/stages/%s", r->out, p->key);
        p->checkpoint = p->folder ? join(r, p->folder, "checkpoint.safetensors") : NULL;
        p->metrics = p->folder ? join(r, p->folder, "metrics.jsonl") : NULL;
        if (!p->checkpoint || !p->metrics)
            return error_memory(err, "stages");
    }
    return BIOFT_OK;
}

bioft_status trial_open(struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    bioft_status st;

    r->started = clock_seconds();
    r->arena = arena_create();
    if (!r->arena || !(r->folder = arena_printf(r->arena, "%s/trials/%s", r->out, t->id)))
        return error_memory(err, "a trial");
    st = pool_create(t->threads, &r->pool, err);
    if (st == BIOFT_OK)
        st = engine_open(&(struct engine_params){ .registry = r->experiment->registry,
                                                  .plugin = t->engine,
                                                  .values = t->engine_values,
                                                  .pool = r->pool,
                                                  .seed = t->seed,
                                                  .log = r->engine_log },
                         &r->engine, err);
    if (st == BIOFT_OK)
        st = open_data(r, err);
    if (st == BIOFT_OK)
        st = place_stages(r, err);
    r->label = (struct trial_label){
        .id = t->id,
        .seed = t->seed,
        .backbone = t->backbone.plugin->descriptor.name,
        .engine = r->engine ? r->engine->instance->plugin->descriptor.name : "",
        .precision = precision_word(t->precision),
    };
    return st;
}

void trial_close(struct trial_run *r)
{
    codebook_destroy(r->codebook);
    feedback_destroy(r->feedback);
    network_destroy(&r->network);
    network_destroy(&r->before);
    for (size_t i = 0; !r->shared && r->data && i <= r->trial->stage_count; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || r->data[k] == r->data[i];
        if (!again)
            dataset_close(r->data[i]);
    }
    engine_close(r->engine);
    pool_destroy(r->pool);
    free(r->figures);
    arena_destroy(r->arena);
    r->codebook = NULL;
    r->feedback = NULL;
    r->data = NULL;
    r->engine = NULL;
    r->pool = NULL;
    r->figures = NULL;
    r->arena = NULL;
}

const char *trial_network_key(const struct trial_run *r, size_t stage)
{
    return arena_printf(r->arena, "%.16s", r->places[stage].key);
}

const struct weights_spec *trial_weights(const struct trial_run *r, size_t stage)
{
    const struct trial *t = r->trial;
    const struct weights_spec *own = stage < t->stage_count ? t->stages[stage].weights : NULL;
    return own ? own : stage == 0 ? t->weights : NULL;
}

const char *trial_new_head(const struct trial_run *r, size_t stage)
{
    const struct trial *t = r->trial;
    const struct stage_spec *s = stage < t->stage_count ? &t->stages[stage] : NULL;
    const struct head_spec *own = s && s->head ? s->head : &t->head;
    return own->reuse || !s ? NULL : trial_head(t, stage)->bits ? "bits" : "classes";
}

/* The largest part that one class has of the attacked samples, which all attacks share. */
static bioft_status largest_class(const struct trial_run *r, double *ret, struct error *err)
{
    *ret = 0.0;
    for (size_t k = 0; k < r->figure_count; k++)
        if (r->figures[k].attacked)
            return class_share(r->figures[k].predictions, r->figures[k].n, ret, err);
    return BIOFT_OK;
}

/* The predictions of worst cases stand in files as those of any figure; the metrics of one share them. */
static bioft_status save_worst(const struct trial_run *r, struct figure *worst, size_t count, struct error *err)
{
    const size_t stages = r->trial->stage_count;
    char name[256], other[256];
    bioft_status st = BIOFT_OK;

    /* Of all attacks' settings, which it holds the images of. */
    for (size_t i = 0; i < count; i++)
        if (!(worst[i].identity = identity_of(r, stages ? stages - 1 : 0, &worst[i], r->label.identity)))
            return error_memory(err, "the worst case");
    for (size_t i = 0, end; st == BIOFT_OK && i < count; i = end) {
        figure_file(&worst[i], name, sizeof name);
        for (end = i + 1; end < count; end++) {
            figure_file(&worst[end], other, sizeof other);
            if (strcmp(name, other) != 0)
                break;
        }
        st = figure_save(r->folder, &r->label, &worst[i], end - i, err);
    }
    return st;
}

static bioft_status finish(struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    const char **parts = arena_array(r->arena, t->stage_count + 1, sizeof(const char *));
    const char *metrics = join(r, r->folder, "metrics.jsonl"), *results = join(r, r->folder, "results.csv");
    struct figure *worst;
    size_t worst_count;
    double share = 0.0;

    if (!parts || !metrics || !results)
        return error_memory(err, "a trial's files");
    for (size_t i = 0; i < t->stage_count; i++)
        parts[i] = r->places[i].metrics;
    bioft_status st = metrics_join(metrics, parts, t->stage_count, err);
    if (st == BIOFT_OK)
        st = trial_checkpoint(r, err);
    if (st == BIOFT_OK)
        st = trial_classes(r, err);
    if (st == BIOFT_OK)
        st = largest_class(r, &share, err);
    if (st == BIOFT_OK)
        st = checks_run(r->figures, r->figure_count, share, r->arena, &worst, &worst_count, err);
    if (st == BIOFT_OK)
        st = save_worst(r, worst, worst_count, err);
    for (size_t i = 0; st == BIOFT_OK && i < worst_count; i++) {
        if (!mem_grow(&r->figures, &r->figure_capacity, r->figure_count + 1, sizeof *r->figures))
            st = error_memory(err, "figures");
        else
            r->figures[r->figure_count++] = worst[i];
    }
    if (st == BIOFT_OK)
        st = trial_log(r, LOG_AT_END, err);
    const struct trial_figures all = { .label = r->label, .figures = r->figures, .count = r->figure_count };
    return st == BIOFT_OK ? results_write(results, &all, err) : st;
}

/* The data's notes, in the trial's own log. */
static void log_data(const struct trial_run *r)
{
    for (size_t i = 0; i <= r->trial->stage_count; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || r->data[k] == r->data[i];
        if (!again)
            dataset_log_notes(r->data[i], r->log);
    }
}

bioft_status trial_run(struct trial_run *r, struct error *err)
{
    log_data(r);
    bioft_status st = check_splits(r, err);
    if (st == BIOFT_OK)
        st = identity_open(r, err);
    if (st == BIOFT_OK)
        st = trial_sweep(r, err);
    if (st == BIOFT_OK)
        st = trial_stages(r, err);
    if (st == BIOFT_OK)
        st = figures_attacks(r, err);
    if (st == BIOFT_OK)
        st = finish(r, err);
    if (st != BIOFT_OK && st != BIOFT_ERR_CANCELLED) {
        struct error later;
        trial_log(r, LOG_AT_FAILURE, &later); /* the first failure is the one to tell */
    }
    return st;
}
