/* bioft weights: what a file of weights holds, and the same in another format. */
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/print.h"
#include "cli/weights_convert.h"
#include "formats/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SHAPE_TEXT = 8 * 22 };

struct request {
    const char *key;
    bool json, unverified, quiet;
    uint32_t threads;
    struct console console;
};

static int failed(struct request *q, const struct error *err)
{
    console_error(&q->console, err->text);
    return err->status == BIOFT_ERR_INVALID ? 2 : 1;
}

static const char *shape_of(const struct tensor_entry *t, char ret[SHAPE_TEXT])
{
    size_t at = (size_t)snprintf(ret, SHAPE_TEXT, "[");

    for (unsigned d = 0; d < t->dims; d++)
        at += (size_t)snprintf(ret + at, SHAPE_TEXT - at, "%s%llu", d ? ", " : "", (unsigned long long)t->shape[d]);
    snprintf(ret + at, SHAPE_TEXT - at, "]");
    return ret;
}

static uint64_t file_size(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && s.st_size > 0 ? (uint64_t)s.st_size : 0;
}

static uint64_t value_total(const struct weights *w)
{
    uint64_t total = 0;
    for (size_t i = 0; i < w->count; i++)
        total += w->tensors[i].count;
    return total;
}

static void add_tensors_json(const struct weights *w, struct text *t)
{
    json_key(t, "tensors");
    json_begin_array(t);
    for (size_t i = 0; i < w->count; i++) {
        const struct tensor_entry *e = &w->tensors[i];
        json_begin_object(t);
        json_key(t, "name");
        json_string(t, e->name);
        json_key(t, "dtype");
        json_string(t, e->dtype_name);
        json_key(t, "shape");
        json_begin_array(t);
        for (unsigned d = 0; d < e->dims; d++)
            json_integer(t, (int64_t)e->shape[d]);
        json_end_array(t);
        json_end_object(t);
    }
    json_end_array(t);
}

static void show_json(const struct weights *w, const char *path, const char *sum, struct text *t)
{
    const struct weights_known *known = weights_by_sum(sum);

    json_begin_object(t);
    json_key(t, "file");
    json_string(t, path);
    json_key(t, "format");
    json_string(t, weights_format_name(w->format));
    json_key(t, "bytes");
    json_integer(t, (int64_t)file_size(path));
    json_key(t, "sha256");
    json_string(t, sum);
    json_key(t, "known");
    json_string(t, known ? known->file : NULL);
    json_key(t, "note");
    json_string(t, w->note);
    json_key(t, "values");
    json_integer(t, (int64_t)value_total(w));
    add_tensors_json(w, t);
    json_end_object(t);
    text_add(t, "\n");
}

/* Whose sum it is: torchvision's names carry the first digits of it. */
static void add_known(const char *path, const char *sum, struct text *t)
{
    const struct weights_known *known = weights_by_sum(sum), *named = weights_by_name(path);

    if (known)
        text_printf(t, "known: %s (%s)\n", known->file, known->what);
    else if (named)
        text_printf(t, "not the published %s, whose sum begins %.8s\n", named->file, named->sha256);
    else
        text_add(t, "not one of the published files that are known here\n");
}

static void show_text(const struct weights *w, const char *path, const char *sum, struct text *t)
{
    char size[TEXT_NUMBER], shape[SHAPE_TEXT], name[TEXT_ESCAPED];
    int width = 4;

    text_printf(t, "%s: %s, %s, %zu tensors, %llu values\n", path, weights_format_name(w->format),
                text_size(size, file_size(path)), w->count, (unsigned long long)value_total(w));
    if (w->note)
        text_printf(t, "%s\n", w->note);
    text_printf(t, "sha256 %s\n", sum);
    add_known(path, sum, t);
    text_add(t, "\n");
    for (size_t i = 0; i < w->count; i++) {
        const size_t length = strlen(w->tensors[i].name);
        width = length > (size_t)width ? (int)(length < 60 ? length : 60) : width;
    }
    for (size_t i = 0; i < w->count; i++) {
        const struct tensor_entry *e = &w->tensors[i];
        text_printf(t, "%-*s  %-4s  %s\n", width, text_escape(name, e->name, strlen(e->name)), e->dtype_name,
                    shape_of(e, shape));
    }
}

static bioft_status open_weights(const struct request *q, const char *path, struct weights **ret, struct error *err)
{
    struct pool *pool = NULL;
    bioft_status st = pool_create(q->threads ? q->threads : threads_default(), &pool, err);

    if (st == BIOFT_OK)
        st = weights_open(
            path, &(struct torch_params){ .key = q->key, .whole = true, .unverified = q->unverified, .pool = pool },
            ret, err);
    pool_destroy(pool);
    return st;
}

static int show(struct request *q, const char *path)
{
    struct weights *w = NULL;
    struct text t = { 0 };
    struct error err = { 0 };
    char sum[SHA256_HEX];

    bioft_status st = open_weights(q, path, &w, &err);
    if (st == BIOFT_OK)
        st = sha256_file(path, sum, &err);
    if (st == BIOFT_OK && q->json)
        show_json(w, path, sum, &t);
    else if (st == BIOFT_OK)
        show_text(w, path, sum, &t);
    if (w)
        st = weights_check(w, st, &err);
    if (st == BIOFT_OK && t.failed)
        st = error_memory(&err, path);
    if (st == BIOFT_OK)
        print("%s", t.data);
    text_free(&t);
    weights_close(w);
    return st == BIOFT_OK ? 0 : failed(q, &err);
}

static int convert(struct request *q, const char *from, const char *to)
{
    struct weights *w = NULL;
    struct error err = { 0 };
    size_t written = 0;

    bioft_status st = open_weights(q, from, &w, &err);
    if (st == BIOFT_OK)
        st = weights_convert(w, from, to, &written, &err);
    if (st == BIOFT_OK) {
        log_write(&q->console.log, LOG_INFO, "%s: %zu tensors%s%s", to, written, w->note ? "; " : "",
                  w->note ? w->note : "");
        if (written < w->count)
            log_write(&q->console.log, LOG_INFO, "left out: %zu arrays that only training needs", w->count - written);
    }
    weights_close(w);
    return st == BIOFT_OK ? 0 : failed(q, &err);
}

static int dispatch(const struct command_line *c, struct request *q)
{
    struct error err = { 0 };
    const char *what = c->positional[0];
    const bool shows = strcmp(what, "show") == 0, converts = strcmp(what, "convert") == 0;
    const size_t wanted = shows ? 2 : 3;

    if (!shows && !converts)
        error_set(&err, BIOFT_ERR_INVALID, "weights: 'show FILE' or 'convert FROM TO' expected, found '%s'", what);
    else if (c->positional_count != wanted)
        error_set(&err, BIOFT_ERR_INVALID, "weights: %s takes %s", what, shows ? "one file" : "two files");
    else if (converts && !weights_can_write(c->positional[2]))
        error_set(&err, BIOFT_ERR_INVALID, "%s: the new file's name ends in .safetensors or .pth", c->positional[2]);
    else if (converts && q->json)
        error_set(&err, BIOFT_ERR_INVALID, "weights: --json is for 'show'");
    else
        return shows ? show(q, c->positional[1]) : convert(q, c->positional[1], c->positional[2]);
    return failed(q, &err);
}

int command_weights(int argc, char **argv)
{
    struct request q = { 0 };
    const struct argument arguments[] = {
        { "key", "KEY", ARGUMENT_TEXT, &q.key, "the state dict under this key, where a .pth has several" },
        { "no-verify", NULL, ARGUMENT_FLAG, &q.unverified, "read a .pth whose checksums are wrong" },
        { "json", NULL, ARGUMENT_FLAG, &q.json, "show: one JSON object" },
        { "threads", "N", ARGUMENT_COUNT, &q.threads, "threads to use (default: all that this process may use)" },
        { "quiet", NULL, ARGUMENT_FLAG, &q.quiet, "only warnings and the result" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line c = {
        .name = "weights",
        .usage = "show FILE | convert FROM TO [options]",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 3,
        .summary = "Shows what a file of weights holds (PyTorch's .pth, zip and legacy, or "
                   "safetensors), or writes its\n"
                   "tensors into another: safetensors or .pth, by the ending of its name. Nothing "
                   "in a .pth is executed.",
    };
    int status = arguments_parse(&c, argc, argv);

    if (status >= 0)
        return status;
    console_init(&q.console, q.quiet);
    status = dispatch(&c, &q);
    console_finish(&q.console);
    return status;
}
