/* Opening a dataset: instance, description, choice of classes and samples, a look at the images,
 * identity. */
#include "data/dataset.h"

#include "data/absent.h"
#include "data/identity.h"
#include "data/parts.h"
#include "data/private.h"
#include "data/select.h"
#include "data/verify.h"
#include <stdlib.h>
#include <string.h>

bioft_status dataset_note(struct dataset *d, const struct log *log, const char *text, struct error *err)
{
    struct dataset_private *p = d->private;
    const char **notes = (const char **)d->notes;
    const char *copy = arena_text(p->arena, text);

    if (d->note_count == p->note_capacity) {
        notes = arena_array(p->arena, p->note_capacity * 2 + 8, sizeof *notes);
        if (notes && d->note_count)
            memcpy(notes, d->notes, d->note_count * sizeof *notes);
        p->note_capacity = p->note_capacity * 2 + 8;
    }
    if (!copy || !notes)
        return error_memory(err, "a note");
    notes[d->note_count++] = copy;
    d->notes = notes;
    log_write(log, LOG_INFO, "dataset '%s': %s", d->name, copy);
    return BIOFT_OK;
}

bioft_status dataset_check(const struct dataset *d, bioft_status status, struct error *err)
{
    const struct dataset_private *p = d->private;

    if (!p)
        return status;
    if (p->files)
        status = files_check(p->files, status, err);
    for (size_t i = 0; i < MAX_SPLITS; i++) {
        status = file_map_check(&p->stored[i].map, status, err);
        status = file_map_check(&p->resized[i].map, status, err);
    }
    return status;
}

static bioft_status make_instance(struct dataset *d, struct pool *pool, struct error *err)
{
    const struct dataset_spec *spec = d->spec;
    struct extension extension;
    bioft_status st = files_create(spec->root, spec->protocol, spec->split_seed, &d->private->files, err);
    if (st != BIOFT_OK)
        return st;
    extension = files_extension(d->private->files);
    return instance_create(
        &(struct instance_params){
            .plugin = spec->choice.plugin,
            .values = spec->choice.values,
            .seed = spec->split_seed,
            .pool = pool,
            .extensions = &extension,
            .extension_count = 1,
        },
        &d->instance, err);
}

/* Describes, and makes the splits with the samples that the manifest wants. */
static bioft_status make_splits(struct dataset *d, const struct log *log, struct error *err)
{
    struct arena *arena = d->private->arena;
    struct description what;
    struct class_map map;
    uint64_t kept = 0;
    bioft_status st = describe(d->instance, d->spec->root != NULL, arena, &what, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; st == BIOFT_OK && i < what.note_count; i++)
        st = dataset_note(d, log, what.notes[i], err);
    if (st != BIOFT_OK)
        return st;
    d->multi_label = what.multi_label;
    st = select_classes(d, &what, arena, &map, err);
    if (st != BIOFT_OK)
        return st;
    d->splits = arena_array(arena, MAX_SPLITS, sizeof *d->splits);
    if (!d->splits)
        return error_memory(err, "splits");
    for (size_t i = 0; i < what.split_count; i++) {
        struct split *s = &d->splits[d->split_count++];
        s->name = what.splits[i].name;
        s->number = (uint32_t)i;
        st = select_samples(d, &map, what.splits[i].count, s, err);
        if (st != BIOFT_OK)
            return st;
        kept += s->count;
    }
    st = make_parts(d, err);
    if (st == BIOFT_OK)
        st = note_absent_classes(d, log, err);
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = split_limit(d, &d->splits[i], d->spec->limit, err);
    if (st != BIOFT_OK)
        return st;
    if (!kept)
        return error_set(err, BIOFT_ERR_INVALID, "dataset '%s': no sample is left%s", d->name,
                         d->spec->classes ? ": none has one of the classes kept" : "");
    return BIOFT_OK;
}

/* "left out" is a number in the results; what it counts is said here. */
static bioft_status note_unlabelled(struct dataset *d, const struct log *log, struct error *err)
{
    bioft_status st = BIOFT_OK;
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++) {
        const struct split *s = &d->splits[i];
        struct text t = { 0 };
        if (!s->left_out)
            continue;
        text_printf(&t, "split '%s': %llu sample%s without a label left out", s->name, (unsigned long long)s->left_out,
                    s->left_out == 1 ? "" : "s");
        st = t.data ? dataset_note(d, log, t.data, err) : error_memory(err, "a note");
        text_free(&t);
    }
    return st;
}

bioft_status dataset_open(const struct dataset_spec *spec, struct pool *pool, const struct log *log,
                          struct dataset **ret, struct error *err)
{
    struct dataset *d = mem_array(1, sizeof *d);
    bioft_status st;

    if (!d)
        return error_memory(err, "a dataset");
    d->spec = spec;
    d->name = spec->choice.plugin->descriptor.name;
    d->protocol = spec->protocol ? spec->protocol : "classification";
    d->private = mem_array(1, sizeof *d->private);
    if (d->private)
        d->private->arena = arena_create();
    st = d->private && d->private->arena ? make_instance(d, pool, err) : error_memory(err, "a dataset");
    if (st == BIOFT_OK)
        st = make_splits(d, log, err);
    if (st == BIOFT_OK)
        st = note_unlabelled(d, log, err);
    if (st == BIOFT_OK)
        st = verify_images(d, pool, log, err);
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = split_fingerprint(d, &d->splits[i], err);
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = split_content(d, &d->splits[i], pool, err);
    st = dataset_check(d, st, err);
    if (st != BIOFT_OK) {
        dataset_close(d);
        return st;
    }
    *ret = d;
    return BIOFT_OK;
}

void dataset_close(struct dataset *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->split_count; i++)
        split_finish(&d->splits[i]);
    instance_destroy(d->instance);
    if (d->private) {
        for (size_t i = 0; i < MAX_SPLITS; i++) {
            pixel_store_finish(&d->private->stored[i]);
            pixel_store_finish(&d->private->resized[i]);
        }
        files_destroy(d->private->files);
        free(d->private->omitted);
        arena_destroy(d->private->arena);
        free(d->private);
    }
    free(d);
}

const struct split *dataset_split(const struct dataset *d, const char *name)
{
    for (size_t i = 0; i < d->split_count; i++)
        if (!strcmp(d->splits[i].name, name))
            return &d->splits[i];
    return NULL;
}

bioft_status dataset_need(const struct dataset *d, const char *name, const struct split **ret, struct error *err)
{
    const struct split *s = dataset_split(d, name);
    struct text t = { 0 };

    if (s && s->count) {
        *ret = s;
        return BIOFT_OK;
    }
    for (size_t i = 0; i < d->split_count; i++)
        text_printf(&t, "%s%s (%llu)", i ? ", " : "", d->splits[i].name, (unsigned long long)d->splits[i].count);
    error_set(err, BIOFT_ERR_INVALID,
              s ? "dataset '%s': split '%s' has no samples; there are: %s"
                : "dataset '%s': no split '%s'; there are: %s",
              d->name, name, t.data ? t.data : "none");
    text_free(&t);
    return BIOFT_ERR_INVALID;
}
