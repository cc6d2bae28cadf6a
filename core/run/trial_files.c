/* A trial's checkpoint and the names of its classes; what is left of a run that was killed. */
#include "run/trial_files.h"

#include "base/file.h"
#include "formats/json.h"
#include <string.h>
#include <unistd.h>

bioft_status trial_checkpoint(const struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    const char *to = arena_printf(r->arena, "%s/checkpoint.safetensors", r->folder);
    const struct stage_place *last = &r->places[t->stage_count ? t->stage_count - 1 : 0];
    struct progress ignored;
    char key[SHA256_HEX];

    if (!to)
        return error_memory(err, "a path");
    if (t->stage_count == 0)
        return BIOFT_OK;
    /* One that is there may be of another network, which this run has replaced. */
    if (file_exists(to)) {
        struct error unread;
        if (checkpoint_peek(to, &ignored, key, &unread) == BIOFT_OK && ignored.complete && strcmp(key, last->key) == 0)
            return BIOFT_OK;
        bioft_status gone = file_remove(to, err);
        if (gone != BIOFT_OK)
            return gone;
    }
    if (link(last->checkpoint, to) == 0)
        return BIOFT_OK;
    return file_copy(last->checkpoint, to, err);
}

bioft_status trial_classes(const struct trial_run *r, struct error *err)
{
    const size_t stages = r->trial->stage_count;
    const struct dataset *d = r->data[stages ? stages - 1 : 0];
    const char *path = arena_printf(r->arena, "%s/classes.json", r->folder);
    struct text t = { 0 };

    if (trial_head(r->trial, stages)->bits > 0)
        return BIOFT_OK;
    json_begin_array(&t);
    for (uint32_t i = 0; i < d->classes; i++)
        json_string(&t, d->class_names[i]);
    json_end_array(&t);
    text_add(&t, "\n");
    bioft_status st = path && !t.failed ? file_write(path, t.data, t.length, err) : error_memory(err, "classes.json");
    text_free(&t);
    return st;
}

bioft_status trial_sweep(const struct trial_run *r, struct error *err)
{
    static const char *const folders[] = { ".", "results", "predictions", "codes", "adversarial" };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < sizeof folders / sizeof *folders; i++) {
        const char *folder = arena_printf(r->arena, "%s/%s", r->folder, folders[i]);
        st = folder ? file_sweep(folder, err) : error_memory(err, "a path");
    }
    return st;
}
