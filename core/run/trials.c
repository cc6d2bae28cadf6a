/* An experiment's trials one after another. */
#include "run/trials.h"

#include "base/file.h"
#include "run/complete.h"
#include "run/search.h"
#include "run/summary.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool trials_wants(const char *only, const struct trial *t)
{
    char number[16];
    snprintf(number, sizeof number, "%u", t->number);
    return !only || strcmp(only, number) == 0 || strcmp(only, t->id) == 0;
}

bool trials_have_results(const char *out, const struct trial *t)
{
    char *path = trial_results_path(out, t);
    const bool has = path && file_exists(path);
    free(path);
    return has;
}

/* One that runs beside others has a lock of its own, and what is there is decided under it. */
static bioft_status lock_trial(const struct trials *s, const char *folder, int *ret, struct error *err)
{
    char *path = path_join(folder, ".lock");
    bioft_status st = path ? file_make_folder(folder, err) : error_memory(err, "a path");
    if (st == BIOFT_OK && s->only)
        st = file_lock(path, ret, err);
    free(path);
    return st;
}

/* In provenance. */
static bioft_status tell_chosen(struct trials *s, const struct trial *chosen, struct error *err)
{
    struct text values = { 0 };

    search_add_values(chosen, &values);
    bioft_status st = values.failed ? error_memory(err, "a search")
                                    : process_did(&s->process, err, "chose on the validation split: %s", values.data);
    text_free(&values);
    return st;
}

static bioft_status run(struct trials *s, const struct trial *t, const char *status_path, struct error *err)
{
    struct status_file status = { 0 };
    const struct search_params search = { .experiment = s->experiment,
                                          .trial = t,
                                          .out = s->out,
                                          .shared = s->shared,
                                          .status = &status,
                                          .log = s->log,
                                          .stop = s->stop };
    struct trial_run r = { .experiment = s->experiment,
                           .trial = t,
                           .out = s->out,
                           .log = s->log,
                           .engine_log = s->engine_log,
                           .stop = s->stop,
                           .status = &status,
                           .shared = s->shared,
                           .process = &s->process };
    struct error later;

    log_write(s->log, LOG_INFO, "trial %s (%u of %zu)", t->id, t->number + 1, s->experiment->trial_count);
    shared_data_keep(s->shared, t);
    s->engine_log = NULL;
    if (t->candidate_count)
        status_open(status_path, &status);
    bioft_status st = search_run(&search, &r.trial, err);
    if (st == BIOFT_OK)
        st = trial_open(&r, err);
    if (st == BIOFT_OK && !t->candidate_count)
        status_open(status_path, &status);
    if (st == BIOFT_OK)
        st = process_trial(&s->process, &r, err);
    if (st == BIOFT_OK && t->candidate_count)
        st = tell_chosen(s, r.trial, err);
    if (st == BIOFT_OK)
        st = trial_run(&r, err);
    bioft_status told = process_trial_end(&s->process, s->out, s->stop, st == BIOFT_OK ? err : &later);
    st = st == BIOFT_OK ? told : st;
    if (st == BIOFT_OK)
        log_write(s->log, LOG_DETAIL, "trial %s done", t->id);
    status_close(&status, status_path, st != BIOFT_OK && st != BIOFT_ERR_CANCELLED);
    trial_close(&r);
    return st;
}

bioft_status trials_check_folder(const char *out, int lock, struct error *err)
{
    char *path = path_join(out, ".lock");
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");

    if (st == BIOFT_OK && lock >= 0 && !file_lock_holds(lock, path))
        st = error_set(err, BIOFT_ERR_IO,
                       "%s was removed, or replaced, while the run worked in it; what is there is not whole", out);
    free(path);
    return st;
}

/* ret_had: its results were there. */
static bioft_status run_one(struct trials *s, const struct trial *t, bool *ret_had, struct error *err)
{
    char *results = trial_results_path(s->out, t), *status = trial_status_path(s->out, t);
    char *folder = results ? path_folder(results) : NULL;
    int lock = -1;
    bioft_status st = folder && status ? lock_trial(s, folder, &lock, err) : error_memory(err, "a path");

    *ret_had = st == BIOFT_OK && file_exists(results);
    if (st == BIOFT_OK && s->begin)
        st = s->begin(s->ctx, t, folder, *ret_had, err);
    if (st == BIOFT_OK && !*ret_had)
        st = run(s, t, status, err);
    if (st == BIOFT_OK)
        st = complete_check(s->out, t, err);
    file_unlock(lock);
    free(folder);
    free(status);
    free(results);
    if (s->end)
        s->end(s->ctx, t, *ret_had, st == BIOFT_OK ? NULL : err->text);
    return st;
}

/* Single trials that run side by side build it one after another, so that the last one's has all. */
static bioft_status build_results(const struct trials *s, struct error *err)
{
    char *path = path_join(s->out, ".results.lock");
    int lock = -1;
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");
    if (st == BIOFT_OK && s->only)
        st = file_lock_wait(path, s->stop, &lock, err);
    if (st == BIOFT_OK)
        st = summary_results(s->out, s->experiment, err);
    file_unlock(lock);
    free(path);
    return st;
}

static bioft_status run_all(struct trials *s, struct failures *failures, struct error *err)
{
    const struct experiment *e = s->experiment;
    bool any = false, built = s->child;
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; i < e->trial_count; i++) {
        if (!trials_wants(s->only, &e->trials[i]))
            continue;
        any = true;
        bool had;
        st = run_one(s, &e->trials[i], &had, err);
        if (st == BIOFT_ERR_CANCELLED)
            return st;
        struct error gone;
        if (trials_check_folder(s->out, s->lock, &gone) != BIOFT_OK) {
            *err = gone;
            return gone.status;
        }
        const bool stop = st != BIOFT_OK && s->fail_fast;
        if (st != BIOFT_OK)
            failures_add(failures, e->trials[i].id, err->text);
        st = BIOFT_OK;
        if (!had && !s->child) {
            st = build_results(s, err);
            built = true;
        }
        if (st != BIOFT_OK || stop)
            return st;
    }
    if (!any)
        return error_set(err, BIOFT_ERR_INVALID, "unknown trial '%s'; 'bioft check' lists them", s->only);
    return built ? st : build_results(s, err); /* it may be that the run was killed before it could */
}

bioft_status trials_run(struct trials *s, struct failures *failures, struct error *err)
{
    bioft_status st = run_all(s, failures, err);
    struct error later;
    bioft_status ended = process_end(&s->process, s->out, st == BIOFT_OK, st == BIOFT_OK ? err : &later);
    return st == BIOFT_OK ? ended : st;
}
