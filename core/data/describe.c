/* Calls a dataset's describe() and checks what it names. */
#include "data/describe.h"

#include <stdlib.h>
#include <string.h>

/* The key of an augmentation has 40 bits for the sample's number. */
#define MAX_SAMPLES (UINT64_C(1) << 40)
enum { MAX_CLASSES = 1 << 20 };

struct describing {
    struct instance *instance;
    struct arena *arena;
    struct description *d;
    size_t class_capacity, note_capacity;
};

static bioft_status refuse(struct describing *c, bioft_status status, const char *format, const char *name)
{
    struct error e;
    char shown[TEXT_ESCAPED];
    error_set(&e, status, format, text_escape(shown, name, strlen(name)));
    return c->instance->host.fail(&c->instance->host, status, e.text);
}

/* Room for one more string in an array of the arena. */
static bool grow(struct arena *arena, const char ***items, size_t count, size_t *capacity)
{
    const char **more;
    if (count < *capacity)
        return true;
    more = arena_array(arena, *capacity ? *capacity * 2 : 16, sizeof *more);
    if (!more)
        return false;
    if (count)
        memcpy(more, *items, count * sizeof *more);
    *items = more;
    *capacity = *capacity ? *capacity * 2 : 16;
    return true;
}

static bioft_status on_split(bioft_info *info, const char *name, uint64_t count)
{
    static const char *const known[MAX_SPLITS] = { "train", "val", "test", "database" };
    struct describing *c = info->ctx;
    size_t k = 0;

    while (k < MAX_SPLITS && strcmp(known[k], name) != 0)
        k++;
    if (k == MAX_SPLITS)
        return refuse(c, BIOFT_ERR_INVALID, "split '%s': splits are train, val, test and database", name);
    for (size_t i = 0; i < c->d->split_count; i++)
        if (!strcmp(c->d->splits[i].name, name))
            return refuse(c, BIOFT_ERR_INVALID, "split '%s' is named twice", name);
    if (count >= MAX_SAMPLES)
        return refuse(c, BIOFT_ERR_INVALID, "split '%s' has more samples than can be numbered", name);
    c->d->splits[c->d->split_count].name = known[k];
    c->d->splits[c->d->split_count].count = count;
    c->d->split_count++;
    return BIOFT_OK;
}

static bioft_status on_class(bioft_info *info, uint32_t index, const char *name)
{
    struct describing *c = info->ctx;
    struct description *d = c->d;
    const char *copy;

    if (index != d->class_count || index >= MAX_CLASSES)
        return refuse(c, BIOFT_ERR_INVALID, "class '%s' is numbered out of order", name);
    if (!*name)
        return refuse(c, BIOFT_ERR_INVALID, "a class without a name%s", "");
    copy = arena_text(c->arena, name);
    if (!copy || !grow(c->arena, &d->class_names, d->class_count, &c->class_capacity))
        return refuse(c, BIOFT_ERR_MEMORY, "out of memory%s", "");
    d->class_names[d->class_count++] = copy;
    return BIOFT_OK;
}

static bioft_status on_note(bioft_info *info, const char *text)
{
    struct describing *c = info->ctx;
    const char *copy = arena_text(c->arena, text);
    if (!copy || !grow(c->arena, &c->d->notes, c->d->note_count, &c->note_capacity))
        return refuse(c, BIOFT_ERR_MEMORY, "out of memory%s", "");
    c->d->notes[c->d->note_count++] = copy;
    return BIOFT_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bioft_status check(const struct description *d, struct arena *arena, const char *plugin, struct error *err)
{
    const char **sorted = arena_array(arena, d->class_count + 1, sizeof *sorted);
    if (!sorted)
        return error_memory(err, "class names");
    if (!d->split_count)
        return error_set(err, BIOFT_ERR_INVALID, "dataset '%s': it names no split", plugin);
    if (!d->class_count)
        return error_set(err, BIOFT_ERR_INVALID, "dataset '%s': it names no class", plugin);
    memcpy(sorted, d->class_names, d->class_count * sizeof *sorted);
    qsort(sorted, d->class_count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < d->class_count; i++)
        if (!strcmp(sorted[i - 1], sorted[i]))
            return error_set(err, BIOFT_ERR_FORMAT, "dataset '%s': two classes are named '%s'", plugin, sorted[i]);
    return BIOFT_OK;
}

/* What belongs in the root, after an error of what is not there. */
static bioft_status expected(const bioft_dataset *api, bioft_status status, bool has_root, struct error *err)
{
    struct text t = { 0 };
    if (!api->layout || (status != BIOFT_ERR_IO && has_root))
        return status;
    text_printf(&t, "%s; expected in the root: %s", err->text, api->layout);
    if (api->source)
        text_printf(&t, "; source: %s", api->source);
    if (!t.failed)
        error_set(err, status, "%s", t.data);
    text_free(&t);
    return status;
}

bioft_status describe(struct instance *instance, bool has_root, struct arena *arena, struct description *ret,
                      struct error *err)
{
    const bioft_dataset *api = &instance->plugin->api.dataset;
    struct description d = { 0 };
    struct describing c = { .instance = instance, .arena = arena, .d = &d };
    bioft_info info = {
        .struct_size = sizeof info,
        .ctx = &c,
        .split = on_split,
        .class_name = on_class,
        .note = on_note,
    };
    bioft_status st = api->describe(instance->self, &info);
    if (st != BIOFT_OK)
        return expected(api, instance_error(instance, st, err), has_root, err);
    st = check(&d, arena, instance->plugin->descriptor.name, err);
    if (st != BIOFT_OK)
        return st;
    d.multi_label = api->multi_label ? api->multi_label(instance->self) != 0
                                     : (api->flags & BIOFT_DATASET_MULTI_LABEL) != 0;
    *ret = d;
    return BIOFT_OK;
}
