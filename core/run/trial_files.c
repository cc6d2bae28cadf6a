/* A trial's checkpoint and the names of its classes; what is left of a run that was killed. */
#include "run/trial_files.h"

#include "base/file.h"
#include "formats/json.h"
#include <unistd.h>

bioft_status trial_checkpoint(const struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    const char *to = arena_printf(r->arena, "%s/checkpoint.safetensors", r->folder);
    struct file_map map;

    if (!to)
        return error_memory(err, "a path");
    if (t->stage_count == 0 || file_exists(to) || link(r->places[t->stage_count - 1].checkpoint, to) == 0)
        return BIOFT_OK;
    bioft_status st = file_map_open(r->places[t->stage_count - 1].checkpoint, &map, err);
    if (st != BIOFT_OK)
        return st;
    st = file_write(to, map.bytes, map.size, err);
    file_map_close(&map);
    return st;
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
