/* PyTorch's .pth: recognised, its storages found in the file, its tensors listed and summed. */
#include "formats/torch.h"

#include "base/text.h"
#include "formats/torch_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES_MOST = 16, ELEMENTS_FREE = 1 << 20, ITEM_MOST = 8, TAR_MAGIC_AT = 257 };

enum torch_kind torch_recognise(const uint8_t *bytes, size_t size)
{
    static const char magic[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
    if (size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        return TORCH_ZIP;
    if (size >= 15 && bytes[0] == 0x80 && (bytes[1] == 2 || bytes[1] == 3) && memcmp(bytes + 2, magic, 13) == 0)
        return TORCH_LEGACY;
    if (size >= TAR_MAGIC_AT + 5 && memcmp(bytes + TAR_MAGIC_AT, "ustar", 5) == 0)
        return TORCH_TAR;
    if (size >= 8 && memcmp(bytes, "PYTORCH1", 8) == 0)
        return TORCH_OLD;
    return TORCH_NONE;
}

bioft_status torch_storage_fail(struct torch_reading *r, uint32_t use, const char *format, ...)
{
    const struct pickle_storage *s = &r->pickle.storages[use];
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(r->err, BIOFT_ERR_FORMAT, "%s: storage '%.*s': %s", r->name, (int)s->key_length, s->key, what);
}

static int compare_keys(const char *a, size_t a_length, const char *b, size_t b_length)
{
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : a_length < b_length ? -1 : a_length > b_length;
}

struct sorted { /* a use beside its key, so that sorting needs nothing else */
    const struct pickle_storage *storage;
    uint32_t use;
};

static int compare_uses(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    const int order = compare_keys(x->storage->key, x->storage->key_length, y->storage->key, y->storage->key_length);
    return order ? order : x->use < y->use ? -1 : x->use > y->use;
}

bioft_status torch_group_storages(struct torch_reading *r)
{
    const size_t count = r->pickle.storage_count;
    struct sorted *sorted = mem_array(count, sizeof *sorted);
    bioft_status st = BIOFT_OK;
    r->order = mem_array(count, sizeof *r->order);
    r->first = mem_array(count, sizeof *r->first);
    r->data = mem_array(count, sizeof *r->data);
    r->entry = mem_array(count, sizeof *r->entry);
    r->used = mem_array(count, sizeof *r->used);
    if (!sorted || !r->order || !r->first || !r->data || !r->entry || !r->used) {
        free(sorted);
        return error_memory(r->err, r->name);
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct sorted){ &r->pickle.storages[i], (uint32_t)i };
    qsort(sorted, count, sizeof *sorted, compare_uses);
    for (size_t i = 0; i < count && st == BIOFT_OK; i++) {
        const uint32_t use = sorted[i].use;
        r->order[i] = r->first[use] = use;
        if (i == 0)
            continue;
        const struct pickle_storage *a = sorted[i - 1].storage, *b = sorted[i].storage;
        if (compare_keys(a->key, a->key_length, b->key, b->key_length) != 0)
            continue;
        r->first[use] = r->first[sorted[i - 1].use];
        if (a->type != b->type || a->numel != b->numel)
            st = torch_storage_fail(r, use, "declared twice, differently: %llu of %s, %llu of %s",
                                    (unsigned long long)a->numel, storage_name(a->type), (unsigned long long)b->numel,
                                    storage_name(b->type));
    }
    free(sorted);
    return st;
}

uint32_t torch_find_storage(const struct torch_reading *r, const char *key, size_t length)
{
    size_t low = 0, high = r->pickle.storage_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct pickle_storage *s = &r->pickle.storages[r->order[middle]];
        const int order = compare_keys(key, length, s->key, s->key_length);
        if (order == 0)
            return r->first[r->order[middle]];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return UINT32_MAX;
}

uint64_t torch_storage_bytes(const struct torch_reading *r, uint32_t use)
{
    const struct pickle_storage *s = &r->pickle.storages[use];
    return s->numel * storage_item(s->type); /* at most 2^40 * 8 */
}

static void finish(struct torch_reading *r)
{
    pickle_free(&r->pickle);
    zip_free(&r->zip);
    free(r->order);
    free(r->first);
    free(r->data);
    free(r->entry);
    free(r->used);
}

/* The sums of what is loaded, not of what else the file has. */
static bioft_status verify(struct torch_reading *r)
{
    const size_t count = r->pickle.storage_count;
    size_t used = 0;
    if (r->params->unverified || r->zip.count == 0)
        return BIOFT_OK;
    const struct zip_entry **entries = mem_array(count, sizeof *entries);
    if (!entries)
        return error_memory(r->err, r->name);
    for (size_t i = 0; i < count; i++)
        if (r->used[i])
            entries[used++] = r->entry[i];
    bioft_status st = zip_verify(r->name, entries, used, r->params->pool, r->err);
    free(entries);
    return st;
}

static bioft_status refuse(const char *name, enum torch_kind kind, struct error *err)
{
    if (kind == TORCH_TAR)
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "%s: written by PyTorch 0.1 (tar); use the newer file of the same network "
                         "(resnet18-f37072fd.pth, alexnet-owt-7be5be79.pth have the same weights "
                         "as their "
                         "tar files), or load it with torch.load and torch.save it again",
                         name);
    if (kind == TORCH_OLD)
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "%s: an experimental format of 2018 (PYTORCH1); load it with the PyTorch "
                         "that "
                         "wrote it and torch.save it again",
                         name);
    return error_set(err, BIOFT_ERR_FORMAT, "%s: not a PyTorch file", name);
}

bioft_status torch_parse(const char *name, const uint8_t *bytes, size_t size, const struct torch_params *params,
                         struct torch_file *ret, struct error *err)
{
    struct torch_reading r = {
        .name = name,
        .bytes = bytes,
        .size = size,
        .params = params,
        .err = err,
    };
    struct torch_file file = { .kind = torch_recognise(bytes, size) };
    uint64_t budget = 0;
    bioft_status st;
    if (file.kind != TORCH_ZIP && file.kind != TORCH_LEGACY)
        return refuse(name, file.kind, err);
    if (__builtin_mul_overflow((uint64_t)size, TIMES_MOST, &budget))
        budget = UINT64_MAX / 2;
    r.pickle.budget = budget + ELEMENTS_FREE * ITEM_MOST;
    file.arena = arena_create();
    if (!file.arena) {
        st = error_memory(err, name);
        goto end;
    }
    st = file.kind == TORCH_ZIP ? torch_read_zip(&r) : torch_read_legacy(&r);
    if (st != BIOFT_OK)
        goto end;
    st = torch_find_state(&r, &file);
    if (st != BIOFT_OK)
        goto end;
    st = verify(&r);
    if (st != BIOFT_OK)
        goto end;
    *ret = file;

end:
    finish(&r);
    if (st != BIOFT_OK)
        torch_free(&file);
    return st;
}

void torch_free(struct torch_file *file)
{
    arena_destroy(file->arena);
    *file = (struct torch_file){ .kind = TORCH_NONE };
}
