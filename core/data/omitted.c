/* Images left out: kept by name, warned of by number. */
#include "data/omitted.h"

#include "data/private.h"
#include <stdio.h>

static const char *const words[] = {
    [OMITTED_UNLABELLED] = "without a label",
    [OMITTED_MISSING] = "missing",
    [OMITTED_BROKEN] = "broken",
};

bioft_status omitted_add(const struct dataset *d, struct split *s, uint64_t index, enum omission why, struct error *err)
{
    const bioft_dataset *api = &d->instance->plugin->api.dataset;
    struct dataset_private *p = d->private;
    char name[512];

    if (api->name(d->instance->self, s->number, index, name, sizeof name) != BIOFT_OK)
        snprintf(name, sizeof name, "sample %llu", (unsigned long long)index);
    if (!mem_grow(&p->omitted, &p->omitted_capacity, p->omitted_count + 1, sizeof *p->omitted))
        return error_memory(err, "images left out");
    const char *copy = arena_text(p->arena, name);
    if (!copy)
        return error_memory(err, "images left out");
    p->omitted[p->omitted_count++] = (struct omitted){ s->name, copy, why };
    s->left_out++;
    return BIOFT_OK;
}

void dataset_warn_omitted(const struct dataset *d, const struct log *log)
{
    const struct dataset_private *p = d->private;
    size_t counts[sizeof words / sizeof *words] = { 0 };
    struct text t = { 0 };

    for (size_t i = 0; i < p->omitted_count; i++)
        counts[p->omitted[i].why]++;
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        if (counts[w])
            text_printf(&t, "%s%zu %s", t.length ? ", " : "", counts[w], words[w]);
    if (p->omitted_count)
        log_write(log, LOG_WARNING, "dataset '%s': %zu image%s left out (%s); each trial's log names them", d->name,
                  p->omitted_count, p->omitted_count == 1 ? "" : "s", t.data ? t.data : "");
    text_free(&t);
}

void dataset_log_notes(const struct dataset *d, const struct log *log)
{
    const struct dataset_private *p = d->private;

    for (size_t i = 0; i < d->note_count; i++)
        log_write(log, LOG_DETAIL, "dataset '%s': %s", d->name, d->notes[i]);
    for (size_t i = 0; i < p->omitted_count; i++)
        log_write(log, LOG_DETAIL, "dataset '%s', split '%s': left out, %s: %s", d->name, p->omitted[i].split,
                  words[p->omitted[i].why], p->omitted[i].name);
}
