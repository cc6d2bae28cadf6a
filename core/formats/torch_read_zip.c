/* A .pth as zip (PyTorch 1.6 and later): data.pkl is the object, data/K the bytes of storage K. */
#include "base/text.h"
#include "formats/torch_private.h"

#include <stdio.h>
#include <string.h>

enum { PICKLE_MOST = 64 << 20, VERSION_MOST = 10 };

static bioft_status fail(struct torch_reading *r, const char *what)
{
    return error_set(r->err, BIOFT_ERR_FORMAT, "%s: %s", r->name, what);
}

static const struct zip_entry *find(const struct torch_reading *r, const char *path)
{
    return zip_find(&r->zip, path, strlen(path));
}

/* 1 to 10, as torch takes them. */
static bioft_status check_version(struct torch_reading *r, const struct zip_entry *e)
{
    size_t length = e->size, value = 0;
    if (length > 0 && e->bytes[length - 1] == '\n')
        length--;
    for (size_t i = 0; i < length && length <= 2; i++)
        value = e->bytes[i] >= '0' && e->bytes[i] <= '9' ? value * 10 + (e->bytes[i] - '0') : VERSION_MOST + 1;
    if (length == 0 || length > 2 || value == 0 || value > VERSION_MOST) {
        char escaped[TEXT_ESCAPED];
        return error_set(r->err, BIOFT_ERR_FORMAT, "%s: version '%s', 1 to %d are read", r->name,
                         text_escape(escaped, (const char *)e->bytes, e->size), VERSION_MOST);
    }
    return BIOFT_OK;
}

static bioft_status check_byteorder(struct torch_reading *r, const struct zip_entry *e)
{
    if (!e || (e->size == 6 && memcmp(e->bytes, "little", 6) == 0))
        return BIOFT_OK;
    if (e->size == 3 && memcmp(e->bytes, "big", 3) == 0)
        return fail(r, "written on a big-endian machine; load it with torch.load and torch.save it "
                       "again on a little-endian one");
    return fail(r, "its byteorder is neither 'little' nor 'big'");
}

/* What every .pth has beside its storages. */
static bioft_status open_archive(struct torch_reading *r, const struct zip_entry **ret_object)
{
    bioft_status st = BIOFT_OK;
    const struct zip_entry *entries[3] = { find(r, "data.pkl"), find(r, "version"), find(r, "byteorder") };
    if (!entries[0])
        return fail(r, "a zip archive without data.pkl: not a PyTorch file");
    if (!entries[1])
        return fail(r, "a zip archive without version: not a PyTorch file, or damaged");
    if (entries[0]->size > PICKLE_MOST)
        return fail(r, "its data.pkl is above 64 MiB");
    if (!r->params->unverified)
        st = zip_verify(r->name, entries, entries[2] ? 3 : 2, NULL, r->err);
    if (st == BIOFT_OK)
        st = check_version(r, entries[1]);
    if (st == BIOFT_OK)
        st = check_byteorder(r, entries[2]);
    *ret_object = entries[0];
    return st;
}

/* The entry of one storage, which must have exactly its size. */
static bioft_status locate(struct torch_reading *r, uint32_t use)
{
    const struct pickle_storage *s = &r->pickle.storages[use];
    char path[32];
    const int length = snprintf(path, sizeof path, "data/%.*s", (int)s->key_length, s->key);
    const struct zip_entry *e = zip_find(&r->zip, path, (size_t)length);
    if (!e)
        return torch_storage_fail(r, use, "not in the file");
    if (e->size != torch_storage_bytes(r, use))
        return torch_storage_fail(r, use, "has %zu bytes, needs %llu for %llu of %s", e->size,
                                  (unsigned long long)torch_storage_bytes(r, use), (unsigned long long)s->numel,
                                  storage_name(s->type));
    r->data[use] = e->bytes;
    r->entry[use] = e;
    return BIOFT_OK;
}

bioft_status torch_read_zip(struct torch_reading *r)
{
    const struct zip_entry *object = NULL;
    bioft_status st = zip_parse(r->name, r->bytes, r->size, ZIP_TORCH, &r->zip, r->err);
    if (st == BIOFT_OK)
        st = open_archive(r, &object);
    if (st != BIOFT_OK)
        return st;
    r->pickle.name = r->name;
    r->pickle.bytes = object->bytes;
    r->pickle.size = object->size;
    r->pickle.origin = (uint64_t)(object->bytes - r->bytes);
    st = pickle_run(&r->pickle, &r->object, r->err);
    if (st == BIOFT_OK && r->pickle.at != r->pickle.size)
        st = error_set(r->err, BIOFT_ERR_FORMAT, "%s: pickle: %zu bytes left over after its STOP", r->name,
                       r->pickle.size - r->pickle.at);
    if (st == BIOFT_OK)
        st = torch_group_storages(r);
    for (uint32_t i = 0; i < r->pickle.storage_count && st == BIOFT_OK; i++)
        if (r->first[i] == i)
            st = locate(r, i);
    return st;
}
