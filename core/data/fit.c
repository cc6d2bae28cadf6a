/* Images that a transform cannot take: very long and narrow ones, which would be resized beyond all bounds. */
#include "data/fit.h"

#include "data/private.h"
#include "data/transform.h"
#include "data/identity.h"
#include "formats/resize.h"

static bool fits(const struct transform *t, struct size size)
{
    struct placement p;
    return transform_place(t, size.height, size.width, 0, &p, NULL) == BIOFT_OK && p.height <= RESIZE_LARGEST &&
           p.width <= RESIZE_LARGEST;
}

bioft_status dataset_fits(const struct dataset *d, const struct image_format *image, struct error *err)
{
    uint64_t wrong = 0, first = 0;
    const struct split *where = NULL;
    struct size size = { 0 };
    char name[512];

    for (size_t i = 0; i < d->split_count; i++) {
        const struct split *s = &d->splits[i];
        const struct size *sizes = d->private->stored[i].size;
        struct transform t;
        transform_init(&t, &(struct batches_params){ .dataset = d, .split = s, .image = *image });
        for (uint64_t k = 0; sizes && k < s->count; k++) {
            if (fits(&t, sizes[k]) || wrong++)
                continue;
            where = s;
            first = k;
            size = sizes[k];
        }
    }
    if (!wrong)
        return BIOFT_OK;
    if (dataset_name(d, where, first, name, sizeof name, NULL) != BIOFT_OK)
        name[0] = '\0';
    return error_set(err, BIOFT_ERR_INVALID,
                     "dataset '%s': %llu image%s cannot be resized for the network's %ux%u: the "
                     "first is %s, of %ux%u pixels; at most %d a side are possible when resized: leave %s out of the "
                     "data",
                     d->name, (unsigned long long)wrong, wrong == 1 ? "" : "s", image->width, image->height, name,
                     size.width, size.height, RESIZE_LARGEST, wrong == 1 ? "it" : "them");
}
