/* ILSVRC 2012 on disk. */
#include "ilsvrc.h"

#include "walk.h"

#include <stdlib.h>

static const char *const bases[] = { "", "ILSVRC/Data/CLS-LOC/", "Data/CLS-LOC/", NULL };

static bioft_status out_of_memory(const struct ilsvrc *m)
{
    return m->list.host->fail(m->list.host, BIOFT_ERR_MEMORY, "out of memory for the classes");
}

static int kind_of(const struct ilsvrc *m, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", m->base, name);
    return m->list.files->exists(m->list.host, path);
}

static bioft_status no_folder(const struct ilsvrc *m, const char *folder, const char *archive)
{
    return bioft_failf(m->list.host, BIOFT_ERR_IO,
                       "%s: no folder %s in it%s; %s of ILSVRC 2012 (https://image-net.org/download-images, or "
                       "Kaggle's imagenet-object-localization-challenge) is unpacked to %s",
                       m->list.files->root(m->list.host), folder,
                       m->list.files->exists(m->list.host, archive) == 1 ? ", but the archive is there" : "", archive,
                       !strcmp(folder, "val") ? "val/ILSVRC2012_val_00000001.JPEG, ... or val/WNID/"
                                              : "train/WNID/, each class's own archive too");
}

static bioft_status find_folders(struct ilsvrc *m)
{
    const bioft_host *host = m->list.host;

    if (!m->list.files->root(host))
        return host->fail(host, BIOFT_ERR_INVALID, "no root given: name the folder of the data with 'root'");
    if (m->list.files->exists(host, ".") != 2)
        return bioft_failf(host, BIOFT_ERR_IO, "%s: no such folder", m->list.files->root(host));
    for (const char *const *base = bases; *base; base++) {
        snprintf(m->base, sizeof m->base, "%s", *base);
        if (kind_of(m, "train") == 2 || kind_of(m, "val") == 2)
            break;
        m->base[0] = '\0';
    }
    m->has_train = kind_of(m, "train") == 2;
    if (kind_of(m, "val") != 2)
        return m->has_train ? no_folder(m, "val", "ILSVRC2012_img_val.tar")
                            : no_folder(m, "train", "ILSVRC2012_img_train.tar");
    return BIOFT_OK;
}

/* The class folders in train or val. *ret: free(). tars: archives of classes seen there. */
static bioft_status list_classes(struct ilsvrc *m, const char *folder, const char ***ret, uint32_t *ret_count,
                                 uint64_t *ret_tars)
{
    const char *const *entries, **wnids;
    uint64_t count;
    char path[128];
    uint32_t n = 0;
    bioft_status st;

    snprintf(path, sizeof path, "%s%s", m->base, folder);
    st = m->list.files->list(m->list.host, path, &entries, &count);
    if (st != BIOFT_OK)
        return st;
    wnids = malloc((count + 1) * sizeof *wnids);
    if (!wnids)
        return out_of_memory(m);
    *ret_tars = 0;
    for (uint64_t i = 0; i < count; i++) {
        const size_t length = strlen(entries[i]);
        if (is_folder(entries[i]) && is_wnid(entries[i], length - 1) && n < ILSVRC_CLASSES * 22u) {
            wnids[n] = image_list_text(&m->list, entries[i], length - 1);
            if (!wnids[n++]) {
                free(wnids);
                return out_of_memory(m);
            }
        } else if (length == 13 && !strcmp(entries[i] + 9, ".tar")) {
            ++*ret_tars;
        }
    }
    *ret = wnids;
    *ret_count = n;
    return BIOFT_OK;
}

static int compare(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Without train: the classes that the ground truth has. */
static bioft_status classes_of_truth(struct ilsvrc *m)
{
    uint32_t n = 0;

    free(m->there);
    m->there = malloc((m->truth.count + 1) * sizeof *m->there);
    if (!m->there)
        return out_of_memory(m);
    for (uint64_t i = 0; i < m->truth.count; i++)
        m->there[i] = m->truth.wnid[i];
    qsort(m->there, m->truth.count, sizeof *m->there, compare);
    for (uint64_t i = 0; i < m->truth.count; i++)
        if (!n || strcmp(m->there[n - 1], m->there[i]) != 0)
            m->there[n++] = m->there[i];
    m->there_count = n;
    return BIOFT_OK;
}

bioft_status ilsvrc_open(struct ilsvrc *m, const bioft_host *host)
{
    const char **val = NULL;
    uint32_t val_count = 0;
    uint64_t tars = 0;
    bioft_status st = find_folders(m);

    if (st == BIOFT_OK)
        st = list_classes(m, "val", &val, &val_count, &tars);
    if (st != BIOFT_OK)
        return st;
    m->flat = !val_count;
    if (m->flat) {
        free(val);
        st = truth_read(host, &m->truth);
        if (st == BIOFT_OK)
            st = m->has_train ? list_classes(m, "train", &m->there, &m->there_count, &tars) : classes_of_truth(m);
    } else if (m->has_train) {
        free(val);
        st = list_classes(m, "train", &m->there, &m->there_count, &tars);
    } else {
        m->there = val;
        m->there_count = val_count;
    }
    if (st != BIOFT_OK)
        return st;
    if (!m->there_count)
        return bioft_failf(host, BIOFT_ERR_IO, "%s/%strain: no class folders such as n01440764 in it%s",
                           m->list.files->root(host), m->base,
                           tars ? "; the classes' archives are there and not unpacked: each "
                                  "nXXXXXXXX.tar goes to a folder nXXXXXXXX"
                                : "");
    return BIOFT_OK;
}

bioft_status ilsvrc_classes(struct ilsvrc *m, const char *const *wnids, uint32_t count)
{
    m->wnids = malloc(count * sizeof *m->wnids);
    m->by_name = malloc(count * sizeof *m->by_name);
    m->number = malloc(count * sizeof *m->number);
    if (!m->wnids || !m->by_name || !m->number)
        return out_of_memory(m);
    m->class_count = count;
    for (uint32_t i = 0; i < count; i++)
        m->wnids[i] = m->by_name[i] = wnids[i];
    qsort(m->by_name, count, sizeof *m->by_name, compare);
    for (uint32_t i = 0; i < count; i++) {
        const char **at = bsearch(&wnids[i], m->by_name, count, sizeof *m->by_name, compare);
        m->number[at - m->by_name] = i;
    }
    return BIOFT_OK;
}

uint32_t ilsvrc_number(const struct ilsvrc *m, const char *wnid)
{
    const char **at = bsearch(&wnid, m->by_name, m->class_count, sizeof *m->by_name, compare);
    return at ? m->number[at - m->by_name] : BIOFT_NONE;
}

struct filling { /* of the list with a class's images */
    struct ilsvrc *m;
    uint32_t number;
};

static bioft_status on_image(void *ctx, const char *folder, const char *name)
{
    struct filling *f = ctx;
    return image_list_add(&f->m->list, folder, name, f->number);
}

static void on_other(void *ctx, const char *folder, const char *name)
{
    (void)folder;
    (void)name;
    ((struct filling *)ctx)->m->others++;
}

/* The images of train/WNID/ or val/WNID/. */
static bioft_status read_folder(struct ilsvrc *m, const char *part, uint32_t c)
{
    struct filling f = { m, c };
    const struct walk w = { &m->list, &f, on_image, on_other };
    const uint64_t before = m->list.count;
    char path[128];
    bioft_status st;

    snprintf(path, sizeof path, "%s%s/%s/", m->base, part, m->wnids[c]);
    st = walk_images(&w, path);
    if (st != BIOFT_OK)
        return st;
    if (m->list.count == before)
        return m->list.files->fail_at(m->list.host, BIOFT_ERR_FORMAT, path, 0, 0,
                                      "a class without images (files that end in .JPEG)");
    return BIOFT_OK;
}

static bioft_status unknown_class(const struct ilsvrc *m, const char *where, const char *wnid)
{
    return bioft_failf(m->list.host, BIOFT_ERR_FORMAT,
                       "%s/%s: class %s has validation images and no folder in train; the rank "
                       "of a class among all of them is its number, so train must be complete (for "
                       "some of the classes there is the dataset imagenet100)",
                       m->list.files->root(m->list.host), where, wnid);
}

/* The number in ILSVRC2012_val_00000001.JPEG, or 0. */
static uint64_t image_number(const char *name)
{
    static const char begin[] = "ILSVRC2012_val_";
    uint64_t n = 0;
    const char *p = name + sizeof begin - 1;

    if (strncmp(name, begin, sizeof begin - 1) != 0 || !is_image(name))
        return 0;
    for (; *p >= '0' && *p <= '9' && n < UINT32_MAX; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    return *p == '.' ? n : 0;
}

/* All images of the ground truth, there or not; but none may lie there that it does not have. */
static bioft_status read_flat(struct ilsvrc *m, int strict)
{
    const char *const *entries, *folder, *name;
    uint64_t count;
    char path[128];
    bioft_status st;

    snprintf(path, sizeof path, "%sval/", m->base);
    folder = image_list_text(&m->list, path, strlen(path));
    if (!folder)
        return out_of_memory(m);
    st = m->list.files->list(m->list.host, folder, &entries, &count);
    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++) {
        const uint64_t n = image_number(entries[i]);
        if (n > m->truth.count)
            st = bioft_failf(m->list.host, BIOFT_ERR_FORMAT, "%s/%s: ends after %llu images; of %s%s it names no class",
                             m->list.files->root(m->list.host), m->truth.path, (unsigned long long)m->truth.count,
                             folder, entries[i]);
    }
    for (uint64_t i = 0; st == BIOFT_OK && i < m->truth.count; i++) {
        const uint32_t c = ilsvrc_number(m, m->truth.wnid[i]);
        if (c == BIOFT_NONE) {
            st = strict ? unknown_class(m, m->truth.path, m->truth.wnid[i]) : BIOFT_OK;
            continue;
        }
        snprintf(path, sizeof path, "ILSVRC2012_val_%08llu.JPEG", (unsigned long long)i + 1);
        name = image_list_text(&m->list, path, strlen(path));
        st = name ? image_list_add(&m->list, folder, name, c) : out_of_memory(m);
    }
    return st;
}

static bioft_status read_validation_folders(struct ilsvrc *m, int strict)
{
    const char **val;
    uint32_t count;
    uint64_t tars;
    bioft_status st = list_classes(m, "val", &val, &count, &tars);

    if (st != BIOFT_OK)
        return st;
    for (uint32_t i = 0; st == BIOFT_OK && i < count; i++) {
        const uint32_t c = ilsvrc_number(m, val[i]);
        if (c != BIOFT_NONE)
            st = read_folder(m, "val", c);
        else if (strict)
            st = unknown_class(m, "val", val[i]);
    }
    free(val);
    return st;
}

bioft_status ilsvrc_read(struct ilsvrc *m, int strict)
{
    bioft_status st = BIOFT_OK;

    for (uint32_t c = 0; st == BIOFT_OK && m->has_train && c < m->class_count; c++)
        st = read_folder(m, "train", c);
    m->train_count = m->list.count;
    if (st != BIOFT_OK)
        return st;
    st = m->flat ? read_flat(m, strict) : read_validation_folders(m, strict);
    if (st != BIOFT_OK)
        return st;
    if (m->list.count == m->train_count)
        return bioft_failf(m->list.host, BIOFT_ERR_FORMAT, "%s/%sval: no image of these classes in it",
                           m->list.files->root(m->list.host), m->base);
    return BIOFT_OK;
}

void ilsvrc_free(struct ilsvrc *m)
{
    free(m->wnids);
    free(m->there);
    free(m->by_name);
    free(m->number);
    truth_free(&m->truth);
    image_list_free(&m->list);
}
