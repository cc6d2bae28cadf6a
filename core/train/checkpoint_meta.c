/* A checkpoint's metadata: whose it is, where the stage stands, and what is needed to use the
 * network without the manifest. Strings all; lists and maps are JSON. */
#include "formats/json.h"
#include "train/checkpoint_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void option_json(struct text *t, const bioft_option *o, const struct option_value *v)
{
    switch (o->type) {
    case BIOFT_F64: json_number(t, v->number); return;
    case BIOFT_I64: json_integer(t, v->integer); return;
    case BIOFT_BOOL: json_bool(t, v->integer != 0); return;
    case BIOFT_CHOICE: json_string(t, o->choices[v->integer]); return;
    case BIOFT_STRING:
    case BIOFT_PATH: json_string(t, v->text); return;
    default:
        json_begin_array(t);
        for (size_t i = 0; i < v->count; i++) {
            if (o->type == BIOFT_F64_LIST)
                json_number(t, v->numbers[i]);
            else if (o->type == BIOFT_I64_LIST)
                json_integer(t, v->integers[i]);
            else
                json_string(t, v->texts[i]);
        }
        json_end_array(t);
    }
}

/* {"plugin": "lenet5", "activation": "relu"} */
static void choice_json(struct text *t, const struct choice *c)
{
    const bioft_plugin *d = &c->plugin->descriptor;
    json_begin_object(t);
    json_key(t, "plugin");
    json_string(t, d->name);
    for (uint32_t i = 0; c->values && i < d->option_count; i++) {
        json_key(t, d->options[i].name);
        option_json(t, &d->options[i], &c->values[i]);
    }
    json_end_object(t);
}

static void head_json(struct text *t, const struct checkpoint *c)
{
    const struct head_spec *head = trial_head(c->trial, (size_t)(c->stage - c->trial->stages));

    json_begin_object(t);
    json_key(t, "layer");
    json_string(t, c->model->graph->head);
    json_key(t, head->bits > 0 ? "bits" : "classes");
    json_integer(t, c->model->graph->view.outputs);
    json_end_object(t);
}

static void floats_json(struct text *t, const char *key, const float *values, uint32_t count)
{
    json_key(t, key);
    json_begin_array(t);
    for (uint32_t i = 0; i < count && i < 4; i++)
        json_number(t, (double)values[i]);
    json_end_array(t);
}

static void image_json(struct text *t, const struct image_format *p)
{
    json_begin_object(t);
    json_key(t, "channels");
    json_integer(t, p->channels);
    json_key(t, "height");
    json_integer(t, p->height);
    json_key(t, "width");
    json_integer(t, p->width);
    floats_json(t, "mean", p->mean, p->channels);
    floats_json(t, "std", p->std, p->channels);
    json_end_object(t);
}

static void transform_json(struct text *t, const struct transform_spec *s)
{
    static const char *const crops[] = { "none", "random_crop", "random_resized_crop" };
    if (s->kind != TRANSFORM_MAP) {
        json_string(t, s->kind == TRANSFORM_AUTO ? "auto" : "none");
        return;
    }
    json_begin_object(t);
    json_key(t, "size");
    json_integer(t, s->size);
    json_key(t, "resize");
    json_integer(t, s->resize);
    json_key(t, "train");
    json_string(t, crops[s->train]);
    json_key(t, "padding");
    json_integer(t, s->padding);
    json_key(t, "flip");
    json_bool(t, s->flip);
    json_end_object(t);
}

struct meta {
    struct arena *arena;
    struct safetensors_meta *items;
    size_t count;
    bool failed;
};

static void put(struct meta *m, const char *key, const char *value)
{
    m->failed = m->failed || !value || m->count == CHECKPOINT_META;
    if (!m->failed)
        m->items[m->count++] = (struct safetensors_meta){ .key = key, .value = value };
}

static void put_integer(struct meta *m, const char *key, uint64_t value)
{
    put(m, key, arena_printf(m->arena, "%" PRIu64, value));
}

/* Takes t's text and empties it. */
static void put_text(struct meta *m, const char *key, struct text *t)
{
    put(m, key, t->failed || !t->data ? NULL : arena_text(m->arena, t->data));
    text_free(t);
}

static void put_network(struct meta *m, const struct checkpoint *c)
{
    struct text t = { 0 };
    choice_json(&t, &c->trial->backbone);
    put_text(m, "backbone", &t);
    head_json(&t, c);
    put_text(m, "head", &t);
    image_json(&t, &c->image);
    put_text(m, "picture", &t);
    if (c->stage->dataset) {
        transform_json(&t, &c->stage->dataset->transform);
        put_text(m, "transform", &t);
    }
    if (c->dataset) {
        json_begin_array(&t);
        for (uint32_t i = 0; i < c->dataset->classes; i++)
            json_string(&t, c->dataset->class_names[i]);
        json_end_array(&t);
        put_text(m, "classes", &t);
    }
}

bioft_status meta_make(const struct checkpoint *c, struct arena *arena, struct safetensors_meta *ret, size_t *ret_count,
                       struct error *err)
{
    struct meta m = { .arena = arena, .items = ret };
    char number[TEXT_NUMBER];
    put(&m, "format", CHECKPOINT_FORMAT);
    put(&m, "bioft", BUILD_VERSION);
    put(&m, "generator", "philox4x32-10/1");
    put(&m, "key", c->key ? c->key : "");
    put(&m, "stage", c->stage->name);
    put_integer(&m, "seed", c->trial->seed);
    put_network(&m, c);
    put_integer(&m, "epoch", c->progress.epoch);
    put_integer(&m, "batch_in_epoch", c->progress.batch_in_epoch);
    put_integer(&m, "step", c->progress.step);
    put(&m, "loss_sum", arena_text(arena, text_number(number, c->progress.loss_sum)));
    put_integer(&m, "correct", c->progress.correct);
    put_integer(&m, "seen", c->progress.seen);
    put(&m, "complete", c->progress.complete ? "1" : "0");
    if (c->progress.has_best)
        put(&m, "best", arena_text(arena, text_number(number, c->progress.best)));
    if (m.failed)
        return error_memory(err, "checkpoint");
    *ret_count = m.count;
    return BIOFT_OK;
}

static bool read_integer(const struct safetensors *file, const char *key, uint64_t *ret)
{
    const char *s = safetensors_metadata(file, key);
    char *end;
    if (!s || *s < '0' || *s > '9' || strlen(s) > 19)
        return false;
    *ret = strtoull(s, &end, 10);
    return *end == '\0';
}

bioft_status meta_progress(const struct safetensors *file, const char *path, struct progress *ret, struct error *err)
{
    struct progress p = { 0 };
    uint64_t complete = 0, seed = 0;
    const char *format = safetensors_metadata(file, "format"), *loss = safetensors_metadata(file, "loss_sum");
    if (!format || strcmp(format, CHECKPOINT_FORMAT) != 0)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: no checkpoint of this bioft (its format is '%s', not '%s')", path,
                         format ? format : "", CHECKPOINT_FORMAT);
    if (!read_integer(file, "seed", &seed) || !read_integer(file, "epoch", &p.epoch) ||
        !read_integer(file, "batch_in_epoch", &p.batch_in_epoch) || !read_integer(file, "step", &p.step) ||
        !read_integer(file, "correct", &p.correct) || !read_integer(file, "seen", &p.seen) ||
        !read_integer(file, "complete", &complete) || complete > 1 || !loss ||
        !text_to_double(loss, strlen(loss), &p.loss_sum))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: its metadata does not record the stage's progress", path);
    p.complete = complete == 1;
    const char *best = safetensors_metadata(file, "best");
    p.has_best = best && text_to_double(best, strlen(best), &p.best);
    *ret = p;
    return BIOFT_OK;
}
