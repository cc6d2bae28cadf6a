/* Pictures in folders: ROOT/train/CLASS/NAME.jpg, and val, test and database likewise. A class's
 * number is the rank of its folder's name, bytewise, in the first split there is; the other splits'
 * classes are matched by name. */
#include "class_folders.h"

static const char *const protocols[] = { "classification", "retrieval", NULL };

static bioft_status create(void *self, const bioft_host *host)
{
    ((struct class_folders *)self)->host = host;
    return files_of(host)
               ? BIOFT_OK
               : host->fail(host, BIOFT_ERR_UNSUPPORTED, "the host has no bioft.files/1");
}

static void destroy(void *self)
{
    class_folders_free(self);
}

static bioft_status check_root(const bioft_host *host)
{
    const bioft_files *files = files_of(host);
    const char *root = files->root(host);

    if (!root)
        return host->fail(host, BIOFT_ERR_INVALID,
                          "no root given: name the folder that has train/CLASS/NAME.jpg and "
                          "test/CLASS/NAME.jpg with 'root'");
    if (files->exists(host, ".") != 2)
        return bioft_failf(host, BIOFT_ERR_IO, "%s: no such folder", root);
    return BIOFT_OK;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    struct class_folders *c = self;
    bioft_status st = check_protocol(c->host, protocols);

    if (st == BIOFT_OK)
        st = check_root(c->host);
    if (st == BIOFT_OK)
        st = class_folders_read(c, c->host);
    if (st == BIOFT_OK && !c->split_count)
        st = bioft_failf(c->host, BIOFT_ERR_IO,
                         "%s: no folder train, val, test or database in it; pictures are expected "
                         "as train/CLASS/NAME.jpg, test/CLASS/NAME.jpg",
                         c->files->root(c->host));
    for (uint32_t i = 0; st == BIOFT_OK && i < c->class_count; i++)
        st = ret->class_name(ret, i, c->classes[i]);
    for (uint32_t i = 0; st == BIOFT_OK && i < c->split_count; i++)
        st = ret->split(ret, c->splits[i].name, c->splits[i].count);
    return st == BIOFT_OK ? class_folders_notes(c, ret) : st;
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret,
                           uint32_t label_words)
{
    (void)label_words;
    set_label(ret, ((const struct class_folders *)self)->splits[split].files[index].class_number);
    return BIOFT_OK;
}

static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    return class_folders_name(self, split, index, ret, size);
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index,
                           bioft_sample *ret)
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
};

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC,
    .struct_size = sizeof plugin,
    .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_DATASET,
    .name = "image_folder",
    .version = "1.0",
    .author = "bioft",
    .license = "MIT",
    .summary = "JPEG and PNG pictures in folders: train/CLASS/NAME.jpg, test/CLASS/NAME.jpg",
    .reference = "",
    .instance_size = sizeof(struct class_folders),
    .create = create,
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : NULL;
}
