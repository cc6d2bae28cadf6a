/* Checkpoints: everything that a stage's next step depends on, in one safetensors file. */
#include "train/checkpoint_private.h"
#include "train/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bioft_status declare(const char *path, const struct checkpoint *c, const struct plan *plan,
                            struct safetensors_writer **ret, struct error *err)
{
    struct safetensors_meta meta[CHECKPOINT_META];
    size_t meta_count = 0;
    struct tensor_out *outs = arena_array(plan->arena, plan->count, sizeof(*outs));
    if (!outs)
        return error_memory(err, path);
    for (size_t i = 0; i < plan->count; i++) {
        const struct item *item = &plan->items[i];
        outs[i] = (struct tensor_out){
            .name = item->name,
            .dtype = item->integer ? TENSOR_I64 : TENSOR_F32,
            .dims = item->dims,
        };
        memcpy(outs[i].shape, item->shape, sizeof(item->shape));
    }
    bioft_status st = meta_make(c, plan->arena, meta, &meta_count, err);
    if (st != BIOFT_OK)
        return st;
    return safetensors_begin(path, outs, plan->count, meta, meta_count, ret, err);
}

static bioft_status write_item(const struct checkpoint *c, const struct item *item, float *room,
                               struct safetensors_writer *w, struct error *err)
{
    if (item->integer)
        return safetensors_add(w, item->integer, sizeof(*item->integer), err);
    const float *values = item->floats;
    if (item->what != 0) {
        bioft_status st = model_read(c->model, item->what, item->parameter, room, err);
        if (st != BIOFT_OK)
            return st;
        values = room;
    }
    return safetensors_add(w, values, item->count * sizeof(*values), err);
}

bioft_status checkpoint_save(const char *path, const struct checkpoint *c, struct error *err)
{
    struct safetensors_writer *w = NULL;
    struct plan plan;
    float *room = NULL;
    uint64_t step = c->progress.step;
    bioft_status st = plan_make(c, &step, &plan, err);
    if (st != BIOFT_OK)
        goto end;
    room = mem_aligned(plan.largest, sizeof(*room));
    if (!room) {
        st = error_memory(err, path);
        goto end;
    }
    st = declare(path, c, &plan, &w, err);
    for (size_t i = 0; st == BIOFT_OK && i < plan.count; i++)
        st = write_item(c, &plan.items[i], room, w, err);
    if (st == BIOFT_OK) {
        st = safetensors_commit(w, err);
        w = NULL;
    }

end:
    safetensors_abort(w);
    free(room);
    plan_free(&plan);
    return st;
}

static bool begins_with(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }

/* Of a part that the caller did not ask for. */
static bool not_asked(const struct checkpoint *c, const char *name)
{
    if (begins_with(name, "rule/"))
        return !c->feedback;
    if (begins_with(name, "loss/") || begins_with(name, "optim/loss/"))
        return !c->loss || (begins_with(name, "optim/") && !c->moments);
    return begins_with(name, "optim/") ? !c->moments : !c->model;
}

static bool planned(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->items[i].name, name) == 0)
            return true;
    return false;
}

static void check_item(const struct safetensors *file, const struct item *item, struct faults *faults)
{
    char theirs[SHAPE_TEXT], ours[SHAPE_TEXT];
    const struct tensor_entry *t = safetensors_find(file, item->name);
    if (!t)
        faults_add(faults, "%s is missing", item->name);
    else if (t->dtype != (item->integer ? TENSOR_I64 : TENSOR_F32))
        faults_add(faults, "%s is %s, not %s", item->name, t->dtype_name, item->integer ? "I64" : "F32");
    else if (t->dims != item->dims || memcmp(t->shape, item->shape, item->dims * sizeof(*item->shape)) != 0)
        faults_add(faults, "%s is %s in the file, %s here", item->name, shape_text(theirs, t->dims, t->shape),
                   shape_text(ours, item->dims, item->shape));
}

/* The network's own names first; what else there is follows them, and counts where they fit. */
static bioft_status check(const char *path, const struct safetensors *file, const struct checkpoint *c,
                          const struct plan *plan, uint64_t step, struct error *err)
{
    struct faults faults = { 0 };
    int64_t counted = 0;
    for (int prefixed = 0; prefixed < 2 && faults.count == 0; prefixed++) {
        for (size_t i = 0; i < plan->count; i++)
            if (!strchr(plan->items[i].name, '/') == !prefixed)
                check_item(file, &plan->items[i], &faults);
        for (size_t i = 0; i < safetensors_count(file); i++) {
            const char *name = safetensors_entry(file, i)->name;
            if (!strchr(name, '/') == !prefixed && !planned(plan, name) && !not_asked(c, name))
                faults_add(&faults, "%s is not of this stage", name);
        }
    }
    const struct tensor_entry *t = safetensors_find(file, "optim/step");
    if (c->moments && t && t->count == 1 && tensor_to_int64(t, &counted, 1, NULL) == BIOFT_OK &&
        (uint64_t)counted != step)
        faults_add(&faults, "optim/step is %lld, the metadata's step %llu", (long long)counted,
                   (unsigned long long)step);
    return faults_end(&faults, path, "is a checkpoint of something else", err);
}

/* After check: nothing but the engine can fail. */
static bioft_status read_item(const struct safetensors *file, const struct checkpoint *c, const struct item *item,
                              float *room, struct error *err)
{
    const struct tensor_entry *t = safetensors_find(file, item->name);
    if (item->integer) {
        int64_t value = 0;
        bioft_status st = tensor_to_int64(t, &value, 1, err);
        if (st == BIOFT_OK)
            *item->integer = (uint64_t)value;
        return st;
    }
    bioft_status st = tensor_to_float(t, item->what != 0 ? room : item->floats, item->count, err);
    if (st != BIOFT_OK)
        return st;
    if (item->what == BIOFT_VALUE && graph_is_variance(c->model->graph, item->parameter))
        for (size_t i = 0; i < item->count; i++)
            if (!(room[i] >= 0.0f))
                return error_set(err, BIOFT_ERR_FORMAT, "%s: value %zu is %g, and a variance is not below 0",
                                 item->name, i, (double)room[i]);
    if (item->what != 0)
        return model_write(c->model, item->what, item->parameter, room, err);
    return BIOFT_OK;
}

/* Whose it is, and where the stage stands. */
static bioft_status check_owner(const char *path, const struct safetensors *file, const struct checkpoint *c,
                                struct progress *ret, struct error *err)
{
    bioft_status st = meta_progress(file, path, ret, err);
    const char *key = safetensors_metadata(file, "key");
    if (st != BIOFT_OK)
        return st;
    if (c->key && (!key || strcmp(key, c->key) != 0))
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s: made by another manifest, other files or another engine (its key "
                         "is %.12s, this stage's %.12s): choose another output folder",
                         path, key ? key : "none", c->key);
    return BIOFT_OK;
}

bioft_status checkpoint_load(const char *path, struct checkpoint *c, struct error *err)
{
    struct plan plan = { 0 };
    struct progress progress = { 0 };
    float *room = NULL;
    uint64_t step = 0;
    struct safetensors *file = NULL;
    bioft_status st = safetensors_open(path, &file, err);
    if (st != BIOFT_OK)
        return st;
    st = check_owner(path, file, c, &progress, err);
    if (st == BIOFT_OK)
        st = plan_make(c, &step, &plan, err);
    if (st == BIOFT_OK)
        st = check(path, file, c, &plan, progress.step, err);
    if (st == BIOFT_OK && !(room = mem_aligned(plan.largest, sizeof(*room))))
        st = error_memory(err, path);
    for (size_t i = 0; st == BIOFT_OK && i < plan.count; i++)
        st = read_item(file, c, &plan.items[i], room, err);
    st = safetensors_check(file, st, err);
    if (st == BIOFT_OK)
        c->progress = progress;
    free(room);
    plan_free(&plan);
    safetensors_close(file);
    return st;
}

bioft_status checkpoint_peek(const char *path, struct progress *ret, char key[SHA256_HEX], struct error *err)
{
    struct safetensors *file = NULL;
    struct progress progress;
    bioft_status st = safetensors_open(path, &file, err);
    if (st != BIOFT_OK)
        return st;
    st = meta_progress(file, path, &progress, err);
    if (st == BIOFT_OK) {
        const char *theirs = safetensors_metadata(file, "key");
        snprintf(key, SHA256_HEX, "%s", theirs ? theirs : "");
        *ret = progress;
    }
    safetensors_close(file);
    return st;
}
