/* A trial's status: one JSON object of a fixed size, replaced by a single write. */
#include "run/status_file.h"

#include "base/clock.h"
#include "base/file.h"
#include "formats/json.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 1024 }; /* bytes of the file */

double status_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void write_now(struct status_file *s)
{
    const struct status *n = &s->now;
    struct text t = { 0 };
    char record[RECORD];

    if (s->fd <= 0)
        return;
    s->now.updated = status_clock();
    s->written = clock_seconds();
    s->now.seconds = s->written - s->begun;
    json_begin_object(&t);
    json_key(&t, "pid");
    json_integer(&t, n->pid);
    json_key(&t, "activity");
    json_string(&t, n->activity);
    json_key(&t, "epoch");
    json_integer(&t, (int64_t)n->epoch);
    json_key(&t, "epochs");
    json_integer(&t, (int64_t)n->epochs);
    json_key(&t, "step");
    json_integer(&t, (int64_t)n->step);
    json_key(&t, "steps");
    json_integer(&t, (int64_t)n->steps);
    json_key(&t, "loss");
    json_number(&t, n->loss);
    json_key(&t, "images_per_s");
    json_number(&t, n->images_per_s);
    json_key(&t, "left");
    json_number(&t, n->left);
    json_key(&t, "started");
    json_number(&t, n->started);
    json_key(&t, "seconds");
    json_number(&t, n->seconds);
    json_key(&t, "updated");
    json_number(&t, n->updated);
    json_key(&t, "failed");
    json_bool(&t, n->failed);
    json_end_object(&t);
    if (!t.failed && t.length < RECORD) {
        memset(record, ' ', sizeof record);
        memcpy(record, t.data, t.length);
        record[RECORD - 1] = '\n';
        if (pwrite(s->fd, record, sizeof record, 0) != RECORD) {
            close(s->fd);
            s->fd = 0;
        }
    }
    text_free(&t);
}

void status_open(const char *path, struct status_file *ret)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    *ret = (struct status_file){ .fd = fd < 0 ? 0 : fd };
    ret->now.pid = (long)getpid();
    while (ret->fd > 0 && flock(ret->fd, LOCK_EX) != 0 && errno == EINTR)
        continue; /* somebody looks at it for a moment */
    ret->begun = clock_seconds();
    ret->now.started = status_clock();
    ret->now.loss = ret->now.left = NAN;
}

void status_activity(struct status_file *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(s->now.activity, sizeof s->now.activity, format, args);
    va_end(args);
    s->now.steps = s->now.step = 0;
    s->now.loss = s->now.left = NAN;
    s->now.images_per_s = 0.0;
    write_now(s);
}

void status_progress(struct status_file *s)
{
    if (clock_seconds() - s->written >= 1.0)
        write_now(s);
}

void status_close(struct status_file *s, const char *path, bool failed)
{
    if (s->fd <= 0)
        return;
    s->now.failed = failed;
    if (failed)
        write_now(s);
    else
        unlink(path);
    if (s->fd > 0)
        close(s->fd);
    s->fd = 0;
}

static double number_of(const struct json *j, const char *key)
{
    const struct json *n = json_get(j, key);
    return n && n->type == JSON_NUMBER ? n->number : NAN;
}

static uint64_t count_of(const struct json *j, const char *key)
{
    const double n = number_of(j, key);
    return n >= 0.0 && n < 1e18 ? (uint64_t)n : 0;
}

static void text_of(const struct json *j, const char *key, char *ret, size_t size)
{
    const struct json *s = json_get(j, key);
    snprintf(ret, size, "%s", s && s->type == JSON_STRING ? s->text : "");
}

static bool is_locked(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return locked;
}

bool status_read(const char *path, struct status *ret)
{
    struct arena *arena = arena_create();
    struct error ignored;
    uint8_t *bytes = NULL;
    size_t size;
    struct json *j;
    const bool good = arena && file_read(path, RECORD, &bytes, &size, &ignored) == BIOFT_OK && size > 0 &&
                      json_parse(path, (const char *)bytes, size, arena, &j, &ignored) == BIOFT_OK;

    if (good) {
        const struct json *failed = json_get(j, "failed");
        *ret = (struct status){ .pid = (long)count_of(j, "pid"),
                                .epoch = count_of(j, "epoch"),
                                .epochs = count_of(j, "epochs"),
                                .step = count_of(j, "step"),
                                .steps = count_of(j, "steps"),
                                .loss = number_of(j, "loss"),
                                .images_per_s = number_of(j, "images_per_s"),
                                .left = number_of(j, "left"),
                                .started = number_of(j, "started"),
                                .updated = number_of(j, "updated"),
                                .seconds = number_of(j, "seconds"),
                                .failed = failed && failed->type == JSON_BOOL && failed->boolean };
        ret->live = is_locked(path);
        text_of(j, "activity", ret->activity, sizeof ret->activity);
    }
    free(bytes);
    arena_destroy(arena);
    return good;
}

double status_age(const struct status *s) { return fmax(s->seconds, status_clock() - s->started); }

void status_line(const struct status *s, struct text *ret)
{
    char number[TEXT_NUMBER];

    text_add(ret, s->activity);
    if (s->steps == 0)
        return;
    if (!isnan(s->left))
        text_printf(ret, ": %s left", text_duration(number, s->left));
    text_printf(ret, ", epoch %llu of %llu", (unsigned long long)s->epoch + 1, (unsigned long long)s->epochs);
    if (!isnan(s->loss))
        text_printf(ret, ", loss %.4f", s->loss);
    if (s->images_per_s > 0.0)
        text_printf(ret, ", %.0f images/s", s->images_per_s);
    text_printf(ret, ", step %llu of %llu", (unsigned long long)s->step, (unsigned long long)s->steps);
}
