/* MLflow's file store (mlflow/store/tracking/file_store.py). */
#include "formats/mlruns.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/json.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PARAM = 6000 };

/* Most files of a run that is written again are as they were. */
static bool stands(const char *path, const struct text *t)
{
    uint8_t *bytes;
    size_t size;

    if (!file_exists(path) || file_read(path, t->length, &bytes, &size, NULL) != BIOFT_OK)
        return false;
    const bool same = size == t->length && (size == 0 || memcmp(bytes, t->data, size) == 0);
    free(bytes);
    return same;
}

static bioft_status write_part(const char *path, const struct text *t, struct error *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bioft_status st = BIOFT_OK;

    if (fd < 0)
        return file_error(err, path, "open", errno);
    for (size_t at = 0; st == BIOFT_OK && at < t->length;) {
        const ssize_t n = write(fd, t->data + at, t->length - at);
        if (n < 0 && errno != EINTR)
            st = file_error(err, path, "write", errno);
        at += n > 0 ? (size_t)n : 0;
    }
    if (st == BIOFT_OK && fsync(fd) != 0)
        st = file_error(err, path, "write", errno);
    close(fd);
    return st;
}

/* By way of `part`: a temporary name beside the keys would be taken for one. */
static bioft_status write_whole(const struct mlruns_run *run, const char *path, const struct text *t, struct error *err)
{
    if (t->failed)
        return error_memory(err, path);
    if (stands(path, t))
        return BIOFT_OK;
    bioft_status st = write_part(run->part, t, err);
    return st == BIOFT_OK ? file_rename(run->part, path, err) : st;
}

static bool is_allowed(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-. /", c));
}

/* The file of a key in one of the run's folders, which is made; free(). NULL: err has it. */
static char *key_path(const char *run_folder, const char *kind, const char *key, struct error *err)
{
    struct text path = { 0 };

    text_printf(&path, "%s/%s/", run_folder, kind);
    const size_t start = path.length;
    text_add(&path, key);
    if (path.failed) {
        text_free(&path);
        error_memory(err, "a path");
        return NULL;
    }
    for (char *s = path.data + start; *s; s++)
        *s = is_allowed(*s) ? *s : '_';
    char *folder = path_folder(path.data);
    bioft_status st = folder ? file_make_folder(folder, err) : error_memory(err, "a path");
    free(folder);
    if (st != BIOFT_OK)
        text_free(&path);
    return path.data;
}

static bioft_status write_pairs(const struct mlruns_run *run, const char *folder, const char *kind,
                                const struct mlruns_pair *pairs, size_t count, struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        struct text t = { 0 };
        size_t length = strlen(pairs[i].value);
        if (length > MAX_PARAM)
            for (length = MAX_PARAM; length > 0 && ((uint8_t)pairs[i].value[length] & 0xc0) == 0x80;)
                length--; /* no character of UTF-8 is cut */
        char *path = key_path(folder, kind, pairs[i].key, err);
        text_add_n(&t, pairs[i].value, length);
        st = path ? write_whole(run, path, &t, err) : BIOFT_ERR_IO;
        free(path);
        text_free(&t);
    }
    return st;
}

/* A line a value: milliseconds, value, step. */
static void add_line(struct text *t, const struct scalar *s)
{
    char number[TEXT_NUMBER];
    text_printf(t, "%lld %s %lld\n", (long long)floor(s->time * 1000.0), text_number(number, s->value),
                (long long)s->step);
}

static bioft_status write_metrics(const struct mlruns_run *run, const char *folder, struct error *err)
{
    bool *done = mem_array(run->scalar_count, sizeof *done);
    bioft_status st = done ? BIOFT_OK : error_memory(err, "metrics");

    for (size_t i = 0; st == BIOFT_OK && i < run->scalar_count; i++) {
        struct text t = { 0 };
        if (done[i])
            continue;
        for (size_t k = i; k < run->scalar_count; k++)
            if (!done[k] && strcmp(run->scalars[k].name, run->scalars[i].name) == 0) {
                add_line(&t, &run->scalars[k]);
                done[k] = true;
            }
        char *path = key_path(folder, "metrics", run->scalars[i].name, err);
        st = path ? write_whole(run, path, &t, err) : BIOFT_ERR_IO;
        free(path);
        text_free(&t);
    }
    free(done);
    return st;
}

/* YAML by way of JSON, whose strings it has too. */
static void add_text(struct text *t, const char *key, const char *value)
{
    text_printf(t, "%s: ", key);
    json_string(t, value);
    text_add(t, "\n");
}

static void add_uri(struct text *t, const char *key, const char *path)
{
    text_printf(t, "%s: \"file://", key);
    for (const char *s = path; *s; s++)
        if (is_allowed(*s) && *s != ' ')
            text_add_n(t, s, 1);
        else
            text_printf(t, "%%%02X", (unsigned)(uint8_t)*s);
    text_add(t, "\"\n");
}

static void add_time(struct text *t, const char *key, double seconds)
{
    if (seconds > 0.0)
        text_printf(t, "%s: %lld\n", key, (long long)floor(seconds * 1000.0));
    else
        text_printf(t, "%s: null\n", key);
}

static bioft_status write_experiment(const struct mlruns_run *run, const char *folder, struct error *err)
{
    char *path = path_join(folder, "meta.yaml");
    struct text t = { 0 };
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");

    if (st == BIOFT_OK && !file_exists(path)) {
        add_uri(&t, "artifact_location", folder);
        add_time(&t, "creation_time", run->started);
        add_text(&t, "experiment_id", run->experiment_id);
        add_time(&t, "last_update_time", run->started);
        text_add(&t, "lifecycle_stage: active\n");
        add_text(&t, "name", run->experiment);
        st = write_whole(run, path, &t, err);
    }
    text_free(&t);
    free(path);
    return st;
}

static bioft_status write_meta(const struct mlruns_run *run, const char *folder, struct error *err)
{
    char *path = path_join(folder, "meta.yaml");
    struct text t = { 0 };

    add_uri(&t, "artifact_uri", run->artifacts);
    add_time(&t, "end_time", run->ended);
    text_add(&t, "entry_point_name: ''\n");
    add_text(&t, "experiment_id", run->experiment_id);
    text_add(&t, "lifecycle_stage: active\n");
    add_text(&t, "run_id", run->id);
    add_text(&t, "run_name", run->name);
    add_text(&t, "run_uuid", run->id);
    text_add(&t, "source_name: ''\nsource_type: 4\nsource_version: ''\n"); /* 4: local */
    add_time(&t, "start_time", run->started);
    text_printf(&t, "status: %d\ntags: []\nuser_id: ''\n", (int)run->status);
    bioft_status st = path ? write_whole(run, path, &t, err) : error_memory(err, "a path");
    text_free(&t);
    free(path);
    return st;
}

/* The run's own meta.yaml comes last: what has none is no run. */
bioft_status mlruns_write(const struct mlruns_run *run, struct error *err)
{
    static const char *const kinds[] = { "metrics", "params", "tags", "artifacts" }; /* without one it is no run */
    char *experiment = path_join(run->folder, run->experiment_id);
    char *folder = experiment ? path_join(experiment, run->id) : NULL;
    bioft_status st = folder ? file_make_folder(folder, err) : error_memory(err, "a path");

    for (size_t i = 0; st == BIOFT_OK && i < sizeof kinds / sizeof *kinds; i++) {
        char *path = path_join(folder, kinds[i]);
        st = path ? file_make_folder(path, err) : error_memory(err, "a path");
        free(path);
    }
    if (st == BIOFT_OK)
        st = write_experiment(run, experiment, err);
    if (st == BIOFT_OK)
        st = write_pairs(run, folder, "params", run->params, run->param_count, err);
    if (st == BIOFT_OK)
        st = write_pairs(run, folder, "tags", run->tags, run->tag_count, err);
    if (st == BIOFT_OK)
        st = write_metrics(run, folder, err);
    if (st == BIOFT_OK)
        st = write_meta(run, folder, err);
    free(folder);
    free(experiment);
    return st;
}
