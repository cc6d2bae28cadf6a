/* What MS-COCO's files of instances must hold beyond being well formed: unique ids and names, and
 * references that lead somewhere. */
#include "coco_json.h"

#include <stdlib.h>

struct checking {
    const char *path;
    const struct image_list *texts;
    struct coco_file *file;
};

static int compare_images(const void *a, const void *b)
{
    const struct coco_image *x = a, *y = b;
    return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (x->at > y->at) - (x->at < y->at);
}

static int compare_categories(const void *a, const void *b)
{
    const struct coco_category *x = a, *y = b;
    return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (x->at > y->at) - (x->at < y->at);
}

uint32_t coco_find_image(const struct coco_file *f, uint64_t id)
{
    uint64_t low = 0, high = f->image_count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (f->images[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->image_count && f->images[low].id == id ? (uint32_t)low : BIOFT_NONE;
}

uint32_t coco_find_category(const struct coco_file *f, uint64_t id)
{
    for (uint64_t i = 0; i < f->category_count; i++)
        if (f->categories[i].id == id)
            return (uint32_t)i;
    return BIOFT_NONE;
}

static int compare_names(const void *a, const void *b)
{
    const struct coco_image *const *x = a, *const *y = b;
    const int c = strcmp((*x)->file_name, (*y)->file_name);
    return c ? c : ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

static bioft_status fail_at(const struct checking *c, uint64_t at, const char *text)
{
    return c->texts->files->fail_at(c->texts->host, BIOFT_ERR_FORMAT, c->path, 0, at, text);
}

/* No id and no file twice. */
static bioft_status check_unique(const struct checking *c)
{
    struct coco_file *f = c->file;
    const struct coco_image **names;
    uint64_t twice = 0;
    char text[100];

    if (f->image_count)
        qsort(f->images, f->image_count, sizeof *f->images, compare_images);
    if (f->category_count)
        qsort(f->categories, f->category_count, sizeof *f->categories, compare_categories);
    for (uint64_t i = 1; i < f->image_count; i++)
        if (f->images[i - 1].id == f->images[i].id) {
            snprintf(text, sizeof text, "a second image of id %llu", (unsigned long long)f->images[i].id);
            return fail_at(c, f->images[i].at, text);
        }
    for (uint64_t i = 1; i < f->category_count; i++)
        if (f->categories[i - 1].id == f->categories[i].id) {
            snprintf(text, sizeof text, "a second category of id %llu", (unsigned long long)f->categories[i].id);
            return fail_at(c, f->categories[i].at, text);
        }
    names = malloc((f->image_count + 1) * sizeof *names);
    if (!names)
        return c->texts->host->fail(c->texts->host, BIOFT_ERR_MEMORY, "out of memory for the annotations");
    for (uint64_t i = 0; i < f->image_count; i++)
        names[i] = &f->images[i];
    qsort(names, f->image_count, sizeof *names, compare_names);
    for (uint64_t i = 1; !twice && i < f->image_count; i++)
        if (!strcmp(names[i - 1]->file_name, names[i]->file_name))
            twice = names[i]->at;
    free(names);
    return twice ? fail_at(c, twice, "a second image of the same file_name") : BIOFT_OK;
}

/* Annotations are of images and categories that there are: the first that is not is named. */
static bioft_status check_references(const struct checking *c)
{
    const struct coco_file *f = c->file;
    const struct coco_annotation *first = NULL;
    uint64_t wrong = 0;
    char text[200];

    for (uint64_t i = 0; i < f->annotation_count; i++) {
        const struct coco_annotation *a = &f->annotations[i];
        if (coco_find_image(f, a->image) != BIOFT_NONE && coco_find_category(f, a->category) != BIOFT_NONE)
            continue;
        first = first ? first : a;
        wrong++;
    }
    if (!wrong)
        return BIOFT_OK;
    if (coco_find_image(f, first->image) == BIOFT_NONE)
        snprintf(text, sizeof text, "an annotation of image %llu, which is not there; %llu such in all",
                 (unsigned long long)first->image, (unsigned long long)wrong);
    else
        snprintf(text, sizeof text, "an annotation of category %u, which is not there; %llu such in all",
                 first->category, (unsigned long long)wrong);
    return fail_at(c, first->at, text);
}

bioft_status coco_check(const char *path, const struct image_list *texts, struct coco_file *f)
{
    const struct checking c = { .path = path, .texts = texts, .file = f };
    const bioft_status st = check_unique(&c);
    return st == BIOFT_OK ? check_references(&c) : st;
}

void coco_free(struct coco_file *f)
{
    free(f->images);
    free(f->annotations);
    free(f->categories);
}
