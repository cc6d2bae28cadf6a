/* Data sets that one trial after the other uses. */
#include "run/shared_data.h"

#include "base/memory.h"
#include "data/omitted.h"
#include <stdlib.h>
#include <string.h>

/* NULL is the same as NULL alone: an option that is null is not the empty text. */
static bool identical(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static bool same_value(const bioft_option *o, const struct option_value *a, const struct option_value *b)
{
    if (a->count != b->count || a->number != b->number || a->integer != b->integer || !identical(a->text, b->text))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (o->type == BIOFT_F64_LIST   ? a->numbers[i] != b->numbers[i]
            : o->type == BIOFT_I64_LIST ? a->integers[i] != b->integers[i]
                                        : !identical(a->texts[i], b->texts[i]))
            return false;
    return true;
}

bool choice_same(const struct choice *a, const struct choice *b)
{
    if (a->plugin != b->plugin)
        return false;
    for (uint32_t i = 0; i < a->plugin->descriptor.option_count; i++)
        if (!same_value(&a->plugin->descriptor.options[i], &a->values[i], &b->values[i]))
            return false;
    return true;
}

static bool same_transform(const struct transform_spec *a, const struct transform_spec *b)
{
    return a->kind == b->kind && a->size == b->size && a->resize == b->resize && a->padding == b->padding &&
           a->train == b->train && a->flip == b->flip;
}

static bool same_spec(const struct dataset_spec *a, const struct dataset_spec *b)
{
    return choice_same(&a->choice, &b->choice) && identical(a->root, b->root) &&
           same_transform(&a->transform, &b->transform) && identical(a->cache, b->cache) &&
           a->class_count == b->class_count &&
           (!a->class_count || memcmp(a->classes, b->classes, a->class_count * sizeof *a->classes) == 0) &&
           a->split_seed == b->split_seed && memcmp(a->parts, b->parts, sizeof a->parts) == 0 &&
           identical(a->protocol, b->protocol) && a->limit == b->limit && a->missing == b->missing &&
           a->broken == b->broken && a->unlabelled == b->unlabelled;
}

bioft_status shared_data_open(struct shared_data *s, const struct dataset_spec *spec, uint32_t threads,
                              const struct log *log, struct dataset **ret, struct error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        struct dataset *d = s->items[i];
        if (!same_spec(d->spec, spec))
            continue;
        for (size_t n = 0; s->retold && n < d->note_count; n++)
            log_write(log, LOG_INFO, "dataset '%s': %s", d->name, d->notes[n]);
        *ret = d;
        return BIOFT_OK;
    }
    bioft_status st = s->pool ? BIOFT_OK : pool_create(threads, &s->pool, err);
    if (st != BIOFT_OK)
        return st;
    if (!mem_grow(&s->items, &s->capacity, s->count + 1, sizeof *s->items))
        return error_memory(err, "data sets");
    st = dataset_open(spec, s->pool, log, &s->items[s->count], err);
    if (st != BIOFT_OK)
        return st;
    if (!s->retold)
        dataset_warn_omitted(s->items[s->count], log);
    *ret = s->items[s->count++];
    return BIOFT_OK;
}

static bool is_used(const struct dataset *d, const struct trial *t)
{
    bool used = t->dataset && same_spec(d->spec, t->dataset);
    for (size_t i = 0; i < t->stage_count; i++)
        used = used || same_spec(d->spec, t->stages[i].dataset);
    return used;
}

void shared_data_keep(struct shared_data *s, const struct trial *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (t && is_used(s->items[i], t))
            s->items[kept++] = s->items[i];
        else
            dataset_close(s->items[i]);
    }
    s->count = kept;
    if (t)
        return;
    pool_destroy(s->pool);
    free(s->items);
    *s = (struct shared_data){ 0 };
}
