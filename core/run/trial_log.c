/* Event files of TensorBoard and runs of MLflow, beside metrics.jsonl. */
#include "run/trial_log.h"

#include "base/clock.h"
#include "base/file.h"
#include "formats/mlruns.h"
#include "formats/tfevents.h"
#include "manifest/diagnose.h"
#include "manifest/tree.h"
#include "results/scalars.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_EVENTS = 1 << 30 };
static const char events_name[] = "events.out.tfevents.0.bioft";

/* A file that only grows is added to, since a reader may have it open; another is replaced. */
static bioft_status grow(const char *path, const struct text *all, struct error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    bioft_status st = file_exists(path) ? file_read(path, MAX_EVENTS, &bytes, &size, err) : BIOFT_OK;
    const bool same = size > 0 && size <= all->length && memcmp(bytes, all->data, size) == 0;

    free(bytes);
    if (st != BIOFT_OK || (same && size == all->length))
        return st;
    if (!same)
        return file_write(path, all->data, all->length, err);
    const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return file_error(err, path, "open", errno);
    if (write(fd, all->data + size, all->length - size) != (ssize_t)(all->length - size) || fsync(fd) != 0)
        st = file_error(err, path, "write", errno);
    close(fd);
    return st;
}

static bioft_status write_events(const struct trial_run *r, const struct scalars *s, struct error *err)
{
    char *path = path_join(r->folder, events_name);
    struct text t = { 0 };

    tfevents_begin(&t, s->started);
    for (size_t i = 0; i < s->count; i++)
        tfevents_add(&t, &s->items[i]);
    bioft_status st = path && !t.failed ? grow(path, &t, err) : error_memory(err, "an event file");
    text_free(&t);
    free(path);
    return st;
}

struct params {
    struct mlruns_pair *items;
    size_t count, room;
    struct arena *arena;
    bool failed;
};

static void add_param(struct params *p, const char *key, const struct yaml *value)
{
    struct text t = { 0 };

    if (value->type == YAML_SCALAR)
        text_add(&t, value->text);
    else
        tree_write_line(value, &t);
    char *copy = t.failed ? NULL : arena_text(p->arena, t.data ? t.data : "");
    text_free(&t);
    if (key && copy && mem_grow(&p->items, &p->room, p->count + 1, sizeof *p->items))
        p->items[p->count++] = (struct mlruns_pair){ key, copy };
    else
        p->failed = true;
}

/* Every value with its path, as --set writes it; the depth is that of a manifest. */
static void add_params(struct params *p, const char *path, const struct yaml *node)
{
    const bool listed = node->type == YAML_LIST && node->count > 0 && node->items[0]->type == YAML_MAP;

    if (node->type != YAML_MAP && !listed) {
        add_param(p, path, node);
        return;
    }
    for (size_t i = 0; i < node->count && !p->failed; i++) {
        const struct yaml *name = listed ? yaml_get(node->items[i], "name") : node->keys[i];
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        const char *inner = arena_printf(p->arena, "%s%s%s", path, *path ? "." : "", name ? name->text : number);
        if (inner)
            add_params(p, inner, node->items[i]);
        else
            p->failed = true;
    }
}

/* The manifest as resolved for this trial, which has been read before. */
static bioft_status read_params(const struct trial *t, struct params *p, struct error *err)
{
    const struct source source = { .path = t->id, .bytes = t->resolved, .size = strlen(t->resolved) };
    struct diagnostics d = { .source = &source };
    struct yaml *root;

    bioft_status st = yaml_parse(&source, p->arena, &d, &root);
    if (st == BIOFT_OK)
        add_params(p, "", root);
    else
        error_set(err, st, "%s: %s", t->id, d.text.data ? d.text.data : "not read back");
    diagnostics_free(&d);
    return st == BIOFT_OK && p->failed ? error_memory(err, "parameters") : st;
}

/* Names that stay the same when a run is resumed or its folder moved, and differ where results may. */
static bioft_status identify(const struct trial_run *r, char id[SHA256_HEX], char experiment_id[SHA256_HEX],
                             struct error *err)
{
    enum { RUN_DIGITS = 32, EXPERIMENT_DIGITS = 14 };
    const char *name = r->experiment->name;
    const char *key = arena_printf(r->arena, "%s\n%s\n%s", name, r->trial->id, r->trial->base_key);
    char sum[SHA256_HEX];

    if (!key)
        return error_memory(err, "a run's identity");
    sha256_bytes(name, strlen(name), sum);
    sum[EXPERIMENT_DIGITS] = '\0';
    snprintf(experiment_id, SHA256_HEX, "%018llu", strtoull(sum, NULL, 16));
    sha256_bytes(key, strlen(key), id);
    id[RUN_DIGITS] = '\0';
    return BIOFT_OK;
}

static bioft_status write_run(const struct trial_run *r, const struct scalars *s, enum log_moment moment,
                              struct error *err)
{
    static const struct mlruns_pair source[] = {
        { "mlflow.source.name", "bioft" },
        { "mlflow.source.type", "LOCAL" },
    };
    const struct trial *t = r->trial;
    const struct mlruns_pair tags[] = { source[0], source[1], { "mlflow.runName", t->id }, { "bioft.key", t->key } };
    char id[SHA256_HEX], experiment_id[SHA256_HEX];
    char *folder = path_join(r->out, "mlruns"), *part = path_join(r->folder, "mlflow.part");
    struct params p = { .arena = s->arena };
    bioft_status st = folder && part ? read_params(t, &p, err) : error_memory(err, "a path");

    if (st == BIOFT_OK)
        st = identify(r, id, experiment_id, err);
    if (st == BIOFT_OK)
        st = mlruns_write(&(struct mlruns_run){ .folder = folder,
                                                .part = part,
                                                .experiment = r->experiment->name,
                                                .experiment_id = experiment_id,
                                                .name = t->id,
                                                .id = id,
                                                .artifacts = r->folder,
                                                .started = s->started,
                                                .ended = moment < LOG_AT_FAILURE ? 0.0 : clock_unix(),
                                                .status = moment == LOG_AT_END       ? MLRUNS_FINISHED
                                                          : moment == LOG_AT_FAILURE ? MLRUNS_FAILED
                                                                                     : MLRUNS_RUNNING,
                                                .params = p.items,
                                                .param_count = p.count,
                                                .tags = tags,
                                                .tag_count = sizeof tags / sizeof *tags,
                                                .scalars = s->items,
                                                .scalar_count = s->count },
                          err);
    free(p.items);
    free(part);
    free(folder);
    return st;
}

bioft_status trial_log(const struct trial_run *r, enum log_moment moment, struct error *err)
{
    const struct trial *t = r->trial;
    const bool events = t->tensorboard && moment != LOG_AT_FAILURE, run = t->mlflow && moment != LOG_AT_EPOCH;
    struct scalars s = { .arena = events || run ? arena_create() : NULL };
    bioft_status st = BIOFT_OK;

    if (!events && !run)
        return st;
    if (!s.arena)
        return error_memory(err, "metrics");
    for (size_t i = 0; st == BIOFT_OK && i < t->stage_count; i++)
        st = scalars_metrics(r->places[i].metrics, &s, err);
    if (s.started <= 0.0)
        s.started = clock_unix() - (clock_seconds() - r->started);
    if (st == BIOFT_OK && moment == LOG_AT_END)
        st = scalars_figures(r->figures, r->figure_count, clock_unix(), &s, err);
    if (st == BIOFT_OK && events)
        st = write_events(r, &s, err);
    if (st == BIOFT_OK && run)
        st = write_run(r, &s, moment, err);
    free(s.items);
    arena_destroy(s.arena);
    return st;
}
