/* Of an attack with targets: what it is called, and which images it is not for. */
#include "run/entry.h"

const char *entry_target_word(struct trial_run *r, const struct attack_spec *s)
{
    static const char *const words[] = {
        [TARGET_NONE] = "",
        [TARGET_RANDOM] = "random",
        [TARGET_LEAST_LIKELY] = "least_likely",
    };
    return s->target == TARGET_CLASS ? arena_printf(r->arena, "%u", s->target_class) : words[s->target];
}

void entry_leave_targets_out(struct entry *e)
{
    const struct attack_spec *s = e->spec;
    const uint32_t words = e->target.dataset->label_words;
    uint64_t kept = 0;

    for (uint64_t i = 0; s->target == TARGET_CLASS && i < e->count; i++) {
        const uint64_t *labels = e->target.split->labels + e->positions[i] * words;
        if (!(labels[s->target_class / 64] >> (s->target_class % 64) & 1))
            e->positions[kept++] = e->positions[i];
    }
    if (s->target == TARGET_CLASS)
        e->count = kept;
}
