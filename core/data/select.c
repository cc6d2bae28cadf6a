/* Selection: labels are asked for once, checked, renumbered and kept; what is not wanted leaves
 * here. */
#include "data/select.h"

#include "data/choose.h"
#include "data/omitted.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bioft_status select_classes(struct dataset *d, const struct description *what, struct arena *arena,
                            struct class_map *ret, struct error *err)
{
    const struct dataset_spec *spec = d->spec;
    const size_t raw = what->class_count;
    const char **names = arena_array(arena, raw, sizeof *names);
    int32_t *number = arena_array(arena, raw, sizeof *number);

    if (!names || !number)
        return error_memory(err, "class names");
    for (size_t i = 0; i < raw; i++) {
        number[i] = spec->classes ? -1 : (int32_t)i;
        names[i] = what->class_names[i];
    }
    for (size_t i = 0; spec->classes && i < spec->class_count; i++) {
        const int64_t c = spec->classes[i];
        if (c < 0 || (uint64_t)c >= raw)
            return error_set(err, BIOFT_ERR_INVALID,
                             "dataset '%s': classes: %lld is not a class of this data, which has 0 "
                             "to %zu ('%s' to '%s')",
                             d->name, (long long)c, raw - 1, what->class_names[0], what->class_names[raw - 1]);
        if (number[c] >= 0)
            return error_set(err, BIOFT_ERR_INVALID, "dataset '%s': classes: %lld is named twice", d->name,
                             (long long)c);
        number[c] = (int32_t)i;
        names[i] = what->class_names[c];
    }
    d->classes = (uint32_t)(spec->classes ? spec->class_count : raw);
    d->label_words = (d->classes + 63) / 64;
    d->class_names = names;
    *ret = (struct class_map){ .raw = (uint32_t)raw, .number = number };
    return BIOFT_OK;
}

/* A sample of the plugin's numbering, for messages. */
static void sample_text(const struct dataset *d, uint32_t split, uint64_t index, char *ret, size_t size)
{
    const bioft_dataset *api = &d->instance->plugin->api.dataset;
    if (api->name(d->instance->self, split, index, ret, size) != BIOFT_OK)
        snprintf(ret, size, "sample %llu", (unsigned long long)index);
}

struct labelled {              /* one sample's labels after renumbering */
    uint32_t raw_count, count; /* bits set before and after */
    int32_t label;             /* the single one, or -1 */
};

/* bits: the plugin's, raw words; ret_bits: ours, zeroed. BIOFT_ERR_FORMAT where a label is out of
 * range. */
static bioft_status renumber(const struct class_map *map, const uint64_t *bits, uint64_t *ret_bits,
                             struct labelled *ret, uint64_t *ret_wrong)
{
    const uint32_t words = (map->raw + 63) / 64;
    *ret = (struct labelled){ .label = -1 };
    for (uint32_t c = 0; c < words * 64; c++) {
        if (!bits[c / 64]) {
            c |= 63;
            continue;
        }
        if (!(bits[c / 64] >> (c % 64) & 1))
            continue;
        if (c >= map->raw) {
            *ret_wrong = c;
            return BIOFT_ERR_FORMAT;
        }
        ret->raw_count++;
        if (map->number[c] < 0)
            continue;
        ret->count++;
        ret->label = map->number[c];
        ret_bits[map->number[c] / 64] |= UINT64_C(1) << (map->number[c] % 64);
    }
    if (ret->count != 1)
        ret->label = -1;
    return BIOFT_OK;
}

/* One sample of the plugin into position s->count, kept or not. bits: room for the plugin's label
 * words. */
static bioft_status select_one(const struct dataset *d, const struct class_map *map, uint64_t index, uint64_t *bits,
                               uint64_t *kept_index, struct split *s, struct error *err)
{
    const bioft_dataset *api = &d->instance->plugin->api.dataset;
    const uint32_t raw_words = (map->raw + 63) / 64;
    uint64_t *to = s->labels + s->count * d->label_words, wrong;
    struct labelled l;
    char name[512];
    bioft_status st;

    memset(bits, 0, raw_words * sizeof *bits);
    memset(to, 0, d->label_words * sizeof *to);
    st = api->labels(d->instance->self, s->number, index, bits, raw_words);
    if (st != BIOFT_OK)
        return instance_error(d->instance, st, err);
    st = renumber(map, bits, to, &l, &wrong);
    if (st != BIOFT_OK) {
        sample_text(d, s->number, index, name, sizeof name);
        return error_set(err, st, "dataset '%s': %s (index %llu): label %llu is out of range, the classes are 0 to %u",
                         d->name, name, (unsigned long long)index, (unsigned long long)wrong, map->raw - 1);
    }
    if (!d->multi_label && l.raw_count > 1) {
        sample_text(d, s->number, index, name, sizeof name);
        return error_set(err, BIOFT_ERR_FORMAT, "dataset '%s': %s (index %llu): %u labels in data of single labels",
                         d->name, name, (unsigned long long)index, l.raw_count);
    }
    if (l.raw_count == 0 && d->spec->unlabelled != POLICY_KEEP)
        return omitted_add(d, s, index, OMITTED_UNLABELLED, err);
    if (l.raw_count && !l.count)
        return BIOFT_OK;
    kept_index[s->count] = index;
    s->label[s->count] = l.label;
    s->count++;
    return BIOFT_OK;
}

bioft_status select_samples(const struct dataset *d, const struct class_map *map, uint64_t count, struct split *s,
                            struct error *err)
{
    uint64_t *bits = mem_array((map->raw + 63) / 64, sizeof *bits), *index = mem_array(count, sizeof *index);
    bioft_status st = BIOFT_OK;

    s->count = s->left_out = 0;
    s->index = index;
    s->label = mem_array(count, sizeof *s->label);
    s->labels = mem_array(count + 1, d->label_words * sizeof *s->labels);
    if (!bits || !index || !s->label || !s->labels) {
        st = error_memory(err, "the labels");
        goto done;
    }
    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++)
        st = select_one(d, map, i, bits, index, s, err);
done:
    free(bits);
    if (st != BIOFT_OK)
        split_finish(s);
    return st;
}

void split_filter(const struct dataset *d, struct split *s, const uint8_t *keep)
{
    uint64_t *index = (uint64_t *)s->index, n = 0;
    for (uint64_t i = 0; i < s->count; i++) {
        if (!keep[i])
            continue;
        index[n] = index[i];
        s->label[n] = s->label[i];
        memmove(s->labels + n * d->label_words, s->labels + i * d->label_words, d->label_words * sizeof *s->labels);
        n++;
    }
    s->count = n;
}

bioft_status split_limit(const struct dataset *d, struct split *s, uint64_t limit, struct error *err)
{
    uint64_t *chosen;
    uint8_t *keep;
    char stream[32];
    bioft_status st;

    if (!limit || limit >= s->count)
        return BIOFT_OK;
    chosen = mem_array(limit, sizeof *chosen);
    keep = mem_array(s->count, 1);
    if (!chosen || !keep) {
        st = error_memory(err, "a choice of samples");
        goto done;
    }
    snprintf(stream, sizeof stream, "limit/%s", s->name);
    st = choose_balanced(d->spec->split_seed, stream, d->multi_label ? NULL : s->label, s->count, d->classes, limit,
                         chosen, err);
    if (st != BIOFT_OK)
        goto done;
    for (uint64_t i = 0; i < limit; i++)
        keep[chosen[i]] = 1;
    split_filter(d, s, keep);
done:
    free(chosen);
    free(keep);
    return st;
}

void split_finish(struct split *s)
{
    free((void *)s->index);
    free(s->label);
    free(s->labels);
    s->index = NULL;
    s->label = NULL;
    s->labels = NULL;
    s->count = 0;
}
