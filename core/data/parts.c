/* `split`: stratified parts of the training split, as scikit-learn's train_test_split(stratify=...) means them. */
#include "data/parts.h"

#include "base/random.h"
#include "data/select.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the first `seen` samples of all classes one after the other: so each class's share is right within one sample,
 * and so is the sum. */
static uint64_t share(double part, uint64_t seen) { return (uint64_t)floor(part * (double)seen + 0.5); }

/* which[i]: the part of sample i, or PARTS. Samples of several labels are one class. */
static bioft_status draw(const struct dataset *d, const struct split *s, uint8_t *which, struct error *err)
{
    const uint32_t groups = d->multi_label ? 1 : d->classes + 1;
    uint64_t *order = mem_array(s->count, sizeof *order), *work = mem_array(groups, (PARTS + 1) * sizeof *work);
    bioft_status st = order && work ? BIOFT_OK : error_memory(err, "a choice of samples");
    uint64_t *have = work, *quota = work + groups, seen = 0;

    for (uint64_t i = 0; st == BIOFT_OK && i < s->count; i++)
        have[groups == 1 ? 0 : s->label[i] < 0 ? d->classes : (uint32_t)s->label[i]]++;
    for (uint32_t c = 0; st == BIOFT_OK && c < groups; c++) {
        uint64_t left = have[c];
        for (int p = 0; p < PARTS; p++) {
            const uint64_t n = share(d->spec->parts[p], seen + have[c]) - share(d->spec->parts[p], seen);
            quota[c * PARTS + (uint32_t)p] = n < left ? n : left;
            left -= n < left ? n : left;
        }
        seen += have[c];
    }
    if (st == BIOFT_OK)
        random_permutation(d->spec->split_seed, "split", 0, s->count, order);
    for (uint64_t i = 0; st == BIOFT_OK && i < s->count; i++) {
        const int32_t label = s->label[order[i]];
        uint64_t *q = quota + (groups == 1 ? 0 : label < 0 ? d->classes : (uint32_t)label) * PARTS;
        int p = 0;
        while (p < PARTS && !q[p])
            p++;
        which[order[i]] = (uint8_t)p;
        if (p < PARTS)
            q[p]--;
    }
    free(order);
    free(work);
    return st;
}

/* A new split of the samples that `which` says are of this part. */
static bioft_status take(struct dataset *d, const struct split *from, const uint8_t *which, int part, struct error *err)
{
    struct split *s = &d->splits[d->split_count];
    uint64_t *index = mem_array(from->count, sizeof *index);

    *s = (struct split){ .name = part_names[part], .number = from->number, .index = index };
    s->label = mem_array(from->count, sizeof *s->label);
    s->labels = mem_array(from->count + 1, d->label_words * sizeof *s->labels);
    d->split_count++;
    if (!index || !s->label || !s->labels)
        return error_memory(err, "the labels");
    for (uint64_t i = 0; i < from->count; i++) {
        if (which[i] != part)
            continue;
        index[s->count] = from->index[i];
        s->label[s->count] = from->label[i];
        memcpy(s->labels + s->count * d->label_words, from->labels + i * d->label_words,
               d->label_words * sizeof *s->labels);
        s->count++;
    }
    return s->count ? BIOFT_OK
                    : error_set(err, BIOFT_ERR_INVALID, "dataset '%s': split: %g of %llu samples leave none for '%s'",
                                d->name, d->spec->parts[part], (unsigned long long)from->count, s->name);
}

bioft_status make_parts(struct dataset *d, struct error *err)
{
    const struct split *train = dataset_split(d, "train");
    const uint64_t count = train ? train->count : 0;
    bool any = false;

    for (int p = 0; p < PARTS; p++) {
        if (!(d->spec->parts[p] > 0.0))
            continue;
        any = true;
        if (dataset_split(d, part_names[p]))
            return error_set(err, BIOFT_ERR_INVALID, "dataset '%s': split: the data has a split '%s' of its own",
                             d->name, part_names[p]);
    }
    if (!any)
        return BIOFT_OK;
    if (!count)
        return error_set(err, BIOFT_ERR_INVALID, "dataset '%s': split: the data has no split 'train' to take parts of",
                         d->name);
    uint8_t *which = mem_array(count, 1), *keep = mem_array(count, 1);
    bioft_status st = which && keep ? draw(d, train, which, err) : error_memory(err, "a choice of samples");
    for (int p = 0; st == BIOFT_OK && p < PARTS; p++)
        if (d->spec->parts[p] > 0.0)
            st = take(d, train, which, p, err);
    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++)
        keep[i] = which[i] == PARTS;
    if (st == BIOFT_OK)
        split_filter(d, (struct split *)train, keep);
    if (st == BIOFT_OK && !train->count)
        st = error_set(err, BIOFT_ERR_INVALID, "dataset '%s': split: no sample is left to train with", d->name);
    free(which);
    free(keep);
    return st;
}
