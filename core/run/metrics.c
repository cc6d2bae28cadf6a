/* metrics.jsonl of a stage, and the progress line beside it. */
#include "run/metrics.h"

#include "base/clock.h"
#include "base/file.h"
#include "formats/json.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_METRICS = 1 << 30 };

bioft_status metrics_cut(const char *path, uint64_t step, struct error *err)
{
    struct text kept = { 0 };
    uint8_t *bytes;
    size_t size;

    if (!file_exists(path))
        return BIOFT_OK;
    bioft_status st = file_read(path, MAX_METRICS, &bytes, &size, err);
    if (st != BIOFT_OK)
        return st;
    const char *line;
    size_t length;
    for (size_t at = 0; text_next_line((const char *)bytes, size, &at, &line, &length);) {
        const char *number = memmem(line, length, "\"step\":", 7);
        if (number && strtoull(number + 7, NULL, 10) <= step)
            text_add_n(&kept, line, length + 1);
    }
    if (kept.failed)
        st = error_memory(err, path);
    else if (kept.length < size)
        st = file_write(path, kept.data ? kept.data : "", kept.length, err);
    text_free(&kept);
    free(bytes);
    return st;
}

static void by_layer(struct text *t, const char *key, const struct stage_report *r, const double *values)
{
    json_key(t, key);
    json_begin_object(t);
    for (uint32_t i = 0; i < r->layer_count; i++) {
        json_key(t, r->graph->layers[i].name);
        json_number(t, values[i]);
    }
    json_end_object(t);
}

static bioft_status append(const char *path, const struct text *line, struct error *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    bioft_status st = BIOFT_OK;
    if (fd < 0)
        return error_set(err, BIOFT_ERR_IO, "%s: %s", path, strerror(errno));
    if (write(fd, line->data, line->length) != (ssize_t)line->length)
        st = error_set(err, BIOFT_ERR_IO, "%s: could not be written: %s", path, strerror(errno));
    close(fd);
    return st;
}

static bioft_status write_line(const struct metrics *m, const struct stage_report *r, struct error *err)
{
    struct text t = { 0 };

    json_begin_object(&t);
    json_key(&t, "time");
    json_number(&t, clock_seconds() - m->started);
    json_key(&t, "unix_time");
    json_number(&t, clock_unix());
    json_key(&t, "trial");
    json_string(&t, m->trial);
    json_key(&t, "stage");
    json_string(&t, r->stage->name);
    json_key(&t, "epoch");
    json_integer(&t, (int64_t)r->epoch);
    json_key(&t, "step");
    json_integer(&t, (int64_t)r->step);
    json_key(&t, "split");
    json_string(&t, "train");
    if (r->epoch_end || r->logged) {
        const double loss = r->epoch_end ? r->loss : r->step_loss,
                     accuracy = r->epoch_end ? r->accuracy : r->step_accuracy;
        json_key(&t, r->epoch_end ? "loss" : "step_loss");
        json_number(&t, loss);
        if (!isnan(accuracy)) {
            json_key(&t, r->epoch_end ? "accuracy" : "step_accuracy");
            json_number(&t, accuracy);
        }
        if (r->epoch_end) {
            json_key(&t, "lr");
            json_number(&t, r->lr);
        }
        if (!isfinite(loss)) {
            json_key(&t, "nonfinite");
            json_begin_array(&t);
            json_string(&t, "loss");
            json_end_array(&t);
        }
    }
    if (r->delta_angle)
        by_layer(&t, "alignment", r, r->delta_angle);
    if (r->weight_angle)
        by_layer(&t, "weight_angle", r, r->weight_angle);
    if (r->weight_ratio)
        by_layer(&t, "weight_ratio", r, r->weight_ratio);
    if (r->epoch_end) {
        json_key(&t, "images_per_s");
        json_number(&t, r->images_per_s);
        json_key(&t, "data_wait");
        json_number(&t, r->data_wait);
    }
    json_end_object(&t);
    text_add(&t, "\n");
    bioft_status st = t.failed ? error_memory(err, m->path) : append(m->path, &t, err);
    text_free(&t);
    return st;
}

static void tell_status(struct status_file *s, const struct stage_report *r, double left)
{
    s->now.epoch = r->epoch;
    s->now.epochs = r->epochs;
    s->now.step = r->step;
    s->now.steps = r->steps;
    s->now.loss = r->loss;
    s->now.images_per_s = r->images_per_s;
    s->now.left = left;
    status_progress(s);
}

bioft_status metrics_report(void *ctx, const struct stage_report *r, struct error *err)
{
    const struct metrics *m = ctx;
    char left[TEXT_NUMBER] = "?", accuracy[TEXT_NUMBER] = "";
    double seconds = NAN;

    if (r->images_per_s > 0.0 && r->step < r->steps) {
        seconds = (double)(r->steps - r->step) * r->stage->batch_size * r->stage->accumulate / r->images_per_s;
        text_duration(left, seconds);
    }
    tell_status(m->status, r, seconds);
    if (!isnan(r->accuracy))
        snprintf(accuracy, sizeof accuracy, ", accuracy %.4f", r->accuracy);
    if (r->epoch_end)
        log_write(m->log, LOG_INFO, "%s: %s: epoch %llu of %llu, loss %.4f%s, %.0f images/s", m->trial, r->stage->name,
                  (unsigned long long)r->epoch + 1, (unsigned long long)r->epochs, r->loss, accuracy, r->images_per_s);
    else if (r->images_per_s > 0.0)
        log_write(m->log, LOG_PROGRESS,
                  "%s: %s: %s left, epoch %llu of %llu, loss %.4f, %.0f images/s, "
                  "step %llu of %llu",
                  m->trial, r->stage->name, left, (unsigned long long)r->epoch + 1, (unsigned long long)r->epochs,
                  r->loss, r->images_per_s, (unsigned long long)r->step, (unsigned long long)r->steps);
    return r->epoch_end || r->logged || r->delta_angle ? write_line(m, r, err) : BIOFT_OK;
}

bioft_status metrics_sync(const char *path, struct error *err)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    bioft_status st = BIOFT_OK;

    if (fd < 0)
        return errno == ENOENT ? BIOFT_OK : file_error(err, path, "open", errno);
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        st = file_error(err, path, "sync", errno);
    close(fd);
    return st == BIOFT_OK ? file_sync_folder(path, err) : st;
}

bioft_status metrics_join(const char *path, const char *const *parts, size_t count, struct error *err)
{
    struct text all = { 0 };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        uint8_t *bytes;
        size_t size;
        if (!file_exists(parts[i]))
            continue;
        st = file_read(parts[i], MAX_METRICS, &bytes, &size, err);
        if (st == BIOFT_OK) {
            text_add_n(&all, (char *)bytes, size);
            free(bytes);
        }
    }
    if (st == BIOFT_OK)
        st = all.failed ? error_memory(err, path) : file_write(path, all.data ? all.data : "", all.length, err);
    text_free(&all);
    return st;
}
