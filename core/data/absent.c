/* Classes that a split has no sample of: nothing is learned or measured of them, and no figure shows
 * it. */
#include "data/absent.h"

#include "base/text.h"
#include <stdlib.h>

enum { NAMED = 8 };

static bool is_in(const uint64_t *bits, uint32_t c) { return bits[c / 64] >> (c % 64) & 1; }

/* "split 'val': no sample of 2 of the 10 classes: cat, dog" */
static bioft_status note_split(struct dataset *d, const struct split *s, const uint64_t *seen, const struct log *log,
                               struct error *err)
{
    struct text names = { 0 }, t = { 0 };
    uint32_t absent = 0;

    for (uint32_t c = 0; c < d->classes; c++)
        if (!is_in(seen, c) && ++absent <= NAMED)
            text_printf(&names, "%s%s", absent > 1 ? ", " : "", d->class_names[c]);
    if (!absent)
        return BIOFT_OK;
    text_printf(&t, "split '%s': no sample of %u of the %u classes: %s%s", s->name, absent, d->classes,
                names.data ? names.data : "", absent > NAMED ? ", ..." : "");
    bioft_status st = t.failed || names.failed ? error_memory(err, "a note") : dataset_note(d, log, t.data, err);
    text_free(&names);
    text_free(&t);
    return st;
}

/* No split has a 0, and every other class is there. */
static bool begins_at_one(const struct dataset *d, const uint64_t *all)
{
    bool every = d->classes > 2 && !d->spec->classes && !d->multi_label && !is_in(all, 0);
    for (uint32_t c = 1; every && c < d->classes; c++)
        every = is_in(all, c);
    return every;
}

bioft_status note_absent_classes(struct dataset *d, const struct log *log, struct error *err)
{
    uint64_t *seen = mem_array(2 * (size_t)d->label_words, sizeof *seen), *all = seen + d->label_words;
    bioft_status st = seen ? BIOFT_OK : error_memory(err, "classes");

    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++) {
        const struct split *s = &d->splits[i];
        for (uint32_t w = 0; w < d->label_words; w++) {
            seen[w] = 0;
            for (uint64_t k = 0; k < s->count; k++)
                seen[w] |= s->labels[k * d->label_words + w];
            all[w] |= seen[w];
        }
        if (s->count)
            st = note_split(d, s, seen, log, err);
    }
    if (st == BIOFT_OK && begins_at_one(d, all))
        st = dataset_note(d, log,
                          "the labels begin at 1: class 0 has no sample, and the head an output for it; "
                          "classes are numbered from 0",
                          err);
    free(seen);
    return st;
}
