/* Labels in arrays of NumPy: one a sample, or a column of 0 and 1 for each class. */
#include "npy.h"

const char *const npy_label_forms[] = { "auto", "single", "several", NULL };

static int64_t label_at(const bioft_array *a, uint64_t i)
{
    return a->dtype == BIOFT_DTYPE_U8 ? ((const uint8_t *)a->data)[i] : ((const int64_t *)a->data)[i];
}

static bioft_status check_single(npy *d, const char *path, const bioft_array *a)
{
    /* The training split's labels say what classes there are. */
    const int64_t limit = d->split_count && !strcmp(d->splits[0].name, "train") ? d->classes : MAX_CLASSES;

    for (uint64_t i = 0; i < a->shape[0]; i++) {
        const int64_t v = label_at(a, i);
        if (v < 0 || v >= limit)
            return fail_at(d, path, "label %" PRId64 " at index %" PRIu64 " is out of range 0 to %" PRId64 "%s", v, i,
                           limit - 1, limit < MAX_CLASSES ? ", the training split's" : "");
        if ((uint64_t)v >= d->classes)
            d->classes = (uint32_t)v + 1;
    }
    return BIOFT_OK;
}

static bioft_status check_multi(npy *d, const char *path, const bioft_array *a)
{
    const uint64_t columns = a->shape[1];

    if (d->split_count && columns != d->classes)
        return fail_at(d, path, "labels of %" PRIu64 " classes; the other splits have %u", columns, d->classes);
    if (!columns || columns > MAX_CLASSES)
        return fail_at(d, path, "labels of %" PRIu64 " classes; 1 to %d are possible", columns, MAX_CLASSES);
    d->classes = (uint32_t)columns;
    for (uint64_t i = 0; i < a->shape[0] * columns; i++)
        if (label_at(a, i) < 0 || label_at(a, i) > 1)
            return fail_at(d, path,
                           "value %" PRId64 " at [%" PRIu64 ",%" PRIu64 "]: labels of several classes are 0 or 1",
                           label_at(a, i), i / columns, i % columns);
    return BIOFT_OK;
}

/* [n] and [n][1] are numbers of classes, [n][2 or more] columns of 0 and 1, unless the manifest
 * says otherwise. */
bioft_status npy_check_labels(npy *d, const char *path, const bioft_array *a, uint64_t count)
{
    const int single = a->dims == 1 || (a->dims == 2 && a->shape[1] == 1);
    const int multi = d->form == LABELS_SEVERAL || !single;

    if (a->dtype == BIOFT_DTYPE_F32 || a->dims < 1 || a->dims > 2)
        return fail_at(d, path,
                       "labels are integers: the numbers of classes as [n] or [n,1], or "
                       "[n,classes] of 0 and 1");
    if (d->form == LABELS_SINGLE && !single)
        return fail_at(d, path, "labels: single is given, and these are several columns");
    if (d->form == LABELS_SEVERAL && a->dims != 2)
        return fail_at(d, path, "labels: several is given, which are [n,classes] of 0 and 1");
    if (d->split_count && multi != d->multi_label)
        return fail_at(d, path, "one split has single labels, another several a sample");
    if (a->shape[0] != count)
        return fail_at(d, path, "the counts differ: %" PRIu64 " labels for %" PRIu64 " images", a->shape[0], count);
    d->multi_label = multi;
    return multi ? check_multi(d, path, a) : check_single(d, path, a);
}

bioft_status npy_labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    const npy *d = self;
    const bioft_array *a = &d->splits[split].labels;
    (void)label_words;
    if (!d->multi_label)
        set_label(ret, (uint32_t)label_at(a, index));
    for (uint32_t c = 0; d->multi_label && c < d->classes; c++)
        if (label_at(a, index * d->classes + c))
            set_label(ret, c);
    return BIOFT_OK;
}
