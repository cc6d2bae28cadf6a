/* Lists whose items are to differ. */
#include "base/repeats.h"
#include "manifest/read.h"

int read_compare_integers(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

int read_compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int read_compare_values(const void *a, const void *b)
{
    const struct option_value *x = a, *y = b;
    const int order = read_compare_numbers(&x->number, &y->number);

    return order ? order : read_compare_integers(&x->integer, &y->integer);
}

bool read_once(struct reader *r, const struct yaml *list, const char *key, const void *values, size_t size,
               int (*compare)(const void *a, const void *b))
{
    bool *repeats = read_array(r, list->count, sizeof *repeats), any = false;

    if (repeats && !find_repeats(values, list->count, size, compare, repeats, &any))
        r->failed = true;
    for (size_t i = 0; any && i < list->count; i++)
        if (repeats[i])
            read_error(r, list->items[i], "'%s': %s is in the list already", key, list->items[i]->text);
    return !any;
}
