/* What becomes of ILSVRC 2012's images: splits, names of classes, what there is to be said. */
#include "ilsvrc.h"

#include <stdlib.h>

uint64_t ilsvrc_members(const struct ilsvrc *m, uint32_t c, uint64_t first, uint64_t end, uint32_t *ret)
{
    uint64_t n = 0;
    for (uint64_t i = first; i < end; i++)
        if (m->list.label[i] == c)
            ret[n++] = (uint32_t)i;
    return n;
}

bioft_status ilsvrc_classification(const struct ilsvrc *m, int64_t val_per_class, uint8_t *which)
{
    static const uint8_t val[] = { SPLIT_VAL };
    const struct image_list *l = &m->list;
    uint32_t *members;
    bioft_status st = BIOFT_OK;

    for (uint64_t i = 0; i < l->count; i++)
        which[i] = i < m->train_count ? SPLIT_TRAIN : SPLIT_TEST;
    if (val_per_class <= 0)
        return BIOFT_OK;
    members = malloc((m->train_count + 1) * sizeof *members);
    if (!members)
        return l->host->fail(l->host, BIOFT_ERR_MEMORY, "out of memory for the splits");
    for (uint32_t c = 0; st == BIOFT_OK && c < m->class_count; c++) {
        const uint64_t n = ilsvrc_members(m, c, 0, m->train_count, members);
        char stream[64], what[64];
        snprintf(stream, sizeof stream, "validation/%s", m->wnids[c]);
        snprintf(what, sizeof what, "class %s", m->wnids[c]);
        st = image_list_draw(l, &(struct image_draw){ stream, what, members, n, &val_per_class, val, 1 }, which);
    }
    free(members);
    return st;
}

static int compare_wnids(const void *key, const void *words)
{
    return strcmp(key, ((const struct class_words *)words)->wnid);
}

bioft_status ilsvrc_names(const struct ilsvrc *m, bioft_info *info)
{
    struct class_words *words;
    uint32_t count;
    bioft_status st = class_words_read(m->list.host, &words, &count);

    for (uint32_t c = 0; st == BIOFT_OK && c < m->class_count; c++) {
        const struct class_words *w = count ? bsearch(m->wnids[c], words, count, sizeof *words, compare_wnids) : NULL;
        char text[160];
        snprintf(text, sizeof text, "%s%s%s", m->wnids[c], w && *w->words ? " " : "", w ? w->words : "");
        st = info->class_name(info, c, text);
    }
    free(words);
    return st;
}

bioft_status ilsvrc_notes(const struct ilsvrc *m, bioft_info *info)
{
    const uint64_t validation = m->list.count - m->train_count;
    char text[240];
    bioft_status st = BIOFT_OK;

    if (m->there_count != ILSVRC_CLASSES ||
        (m->class_count == ILSVRC_CLASSES && (m->train_count != ILSVRC_TRAIN || validation != ILSVRC_VALIDATION))) {
        snprintf(text, sizeof text,
                 "not the whole ILSVRC 2012: %u classes are there, not %d; %llu images for "
                 "training and %llu for validation of the %u used",
                 m->there_count, ILSVRC_CLASSES, (unsigned long long)m->train_count, (unsigned long long)validation,
                 m->class_count);
        st = info->note(info, text);
    }
    if (st != BIOFT_OK)
        return st;
    if (m->others) {
        snprintf(text, sizeof text, "%llu file%s in class folders passed over: no image by name",
                 (unsigned long long)m->others, m->others == 1 ? "" : "s");
        st = info->note(info, text);
    }
    return st;
}
