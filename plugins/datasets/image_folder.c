/* Images in folders: ROOT/train/CLASS/NAME.jpg, and val, test and database likewise, or
 * ROOT/CLASS/NAME.jpg, of which the manifest's `split` makes the splits. A class's number is the rank
 * of its folder's name, bytewise, in the first split there is; the other splits' classes are matched
 * by name. What is in folders below a class's folder is of that class. */
#include "class_folders.h"

static const char *const protocols[] = { "classification", "retrieval", NULL };

static void destroy(void *self) { class_folders_free(self); }

static bioft_status check_root(const bioft_host *host)
{
    const bioft_files *files = files_of(host);
    const char *root = files->root(host);

    if (!root)
        return host->fail(host, BIOFT_ERR_INVALID, "no root given: name the folder of the data with 'root'");
    if (files->exists(host, ".") != 2)
        return bioft_failf(host, BIOFT_ERR_IO, "%s: no such folder", root);
    return BIOFT_OK;
}

/* At least two class folders in the root itself: of one, it is the wrong folder. */
static bioft_status check_plain(const bioft_host *host)
{
    const bioft_files *files = files_of(host);
    const char *const *entries;
    uint64_t count, folders = 0;
    bioft_status st = files->list(host, ".", &entries, &count);

    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++)
        folders += is_folder(entries[i]) != 0;
    if (st != BIOFT_OK)
        return st;
    if (folders < 2)
        return bioft_failf(host, BIOFT_ERR_IO,
                           "%s: no folder train, val, test or database in it; images are expected as "
                           "train/CLASS/NAME.jpg and test/CLASS/NAME.jpg, or as CLASS/NAME.jpg with "
                           "'split: {test: 0.2}' in the dataset's section",
                           files->root(host));
    return BIOFT_OK;
}

static bioft_status read_folders(struct class_folders *c, bioft_info *info)
{
    char text[256];
    bioft_status st = class_folders_read(c, c->host);

    if (st != BIOFT_OK || c->split_count)
        return st;
    st = check_plain(c->host);
    if (st == BIOFT_OK)
        st = class_folders_read_plain(c, c->host);
    if (st != BIOFT_OK)
        return st;
    snprintf(text, sizeof text,
             "no folder train, val, test or database: the %u folders from '%.40s' to '%.40s' are "
             "classes, and all images are for training but what 'split' takes",
             c->class_count, c->classes[0], c->classes[c->class_count - 1]);
    return info->note(info, text);
}

static bioft_status describe(void *self, bioft_info *ret)
{
    struct class_folders *c = self;
    bioft_status st = open_files(c->host, protocols, &c->files);

    if (st == BIOFT_OK)
        st = check_root(c->host);
    if (st == BIOFT_OK)
        st = read_folders(c, ret);
    for (uint32_t i = 0; st == BIOFT_OK && i < c->class_count; i++)
        st = ret->class_name(ret, i, c->classes[i]);
    for (uint32_t i = 0; st == BIOFT_OK && i < c->split_count; i++)
        st = ret->split(ret, c->splits[i].name, c->splits[i].count);
    return st == BIOFT_OK ? class_folders_notes(c, ret) : st;
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    (void)label_words;
    set_label(ret, ((const struct class_folders *)self)->splits[split].files[index].class_number);
    return BIOFT_OK;
}

static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    return class_folders_name(self, split, index, ret, size);
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    (void)reader;
    return class_folders_sample(self, split, index, ret);
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
    .layout = "train/CLASS/NAME.jpg, and val, test and database likewise, or "
              "CLASS/NAME.jpg, of which the manifest's split makes the splits",
    .samples = "JPEG and PNG files, grey or colour, of any size; a class is a folder, "
               "numbered by its name's rank",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "image_folder", "1.0", "bioft", "MIT"),
    .summary = "JPEG and PNG images in folders: train/CLASS/NAME.jpg, test/CLASS/NAME.jpg, or CLASS/NAME.jpg",
    .reference = "",
    .instance_size = sizeof(struct class_folders),
    BIOFT_HOST_AT(struct class_folders, host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
