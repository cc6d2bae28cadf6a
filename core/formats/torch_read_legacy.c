/* A .pth before zip (PyTorch before 1.6): pickles one after another, then the storages' bytes. */
#include "formats/torch_private.h"

#include <stdlib.h>
#include <string.h>

enum { MAGIC_SIZE = 15, PROTOCOL_VERSION = 1001 };

static bioft_status fail(struct torch_reading *r, const char *what, uint64_t at)
{
    return error_set(r->err, BIOFT_ERR_FORMAT, "%s: legacy .pth: %s (at byte %llu)", r->name, what,
                     (unsigned long long)at);
}

/* One of the small pickles: *p is the caller's to free. */
static bioft_status run_part(struct torch_reading *r, size_t *at, struct pickle *p, struct pickle_value *ret)
{
    *p = (struct pickle){
        .name = r->name,
        .bytes = r->bytes,
        .size = r->size,
        .at = *at,
        .legacy = true,
        .budget = r->pickle.budget,
    };
    bioft_status st = pickle_run(p, ret, r->err);
    *at = p->at;
    return st;
}

static bioft_status read_version(struct torch_reading *r, size_t *at)
{
    const size_t begin = *at;
    struct pickle p;
    struct pickle_value v;
    bioft_status st = run_part(r, at, &p, &v);
    if (st == BIOFT_OK && (v.type != PICKLE_INTEGER || v.as.integer != PROTOCOL_VERSION))
        st = fail(r, "its protocol version is not 1001", begin);
    pickle_free(&p);
    return st;
}

static bioft_status read_system(struct torch_reading *r, size_t *at)
{
    const size_t begin = *at;
    bool little = false;
    struct pickle p;
    struct pickle_value v;
    bioft_status st = run_part(r, at, &p, &v);
    if (st == BIOFT_OK && v.type != PICKLE_DICT)
        st = fail(r, "no dict describes the machine that wrote it", begin);
    for (uint32_t i = 0; st == BIOFT_OK && i + 1 < pickle_count(&p, &v) && i < 32; i += 2) {
        const struct pickle_value *key = pickle_item(&p, &v, i), *value = pickle_item(&p, &v, i + 1);
        if (pickle_is(key, "little_endian"))
            little = value->type == PICKLE_BOOL && value->as.integer == 1;
        if (pickle_is(key, "protocol_version") &&
            (value->type != PICKLE_INTEGER || value->as.integer != PROTOCOL_VERSION))
            st = fail(r, "its protocol version is not 1001", begin);
    }
    if (st == BIOFT_OK && !little)
        st = fail(r,
                  "not marked as little-endian; load it with torch.load on the machine that wrote "
                  "it and torch.save it again",
                  begin);
    pickle_free(&p);
    return st;
}

/* The storage that a key of the list names: its number of elements, then its bytes. */
static bioft_status read_storage(struct torch_reading *r, const struct pickle_value *key, size_t *at)
{
    uint64_t numel = 0;
    if (key->type != PICKLE_STRING)
        return fail(r, "a storage's key that is not text", *at);
    const uint32_t use = torch_find_storage(r, key->as.text, key->index);
    if (use == UINT32_MAX)
        return fail(r, "the list of storages has a key that the object has not", *at);
    if (r->data[use])
        return torch_storage_fail(r, use, "listed twice");
    if (r->size - *at < 8)
        return torch_storage_fail(r, use, "truncated: the file is cut short at %zu bytes", r->size);
    for (size_t i = 0; i < 8; i++)
        numel |= (uint64_t)r->bytes[*at + i] << (8 * i);
    if (numel != r->pickle.storages[use].numel)
        return torch_storage_fail(r, use, "%lld elements, the object declares %llu", (long long)numel,
                                  (unsigned long long)r->pickle.storages[use].numel);
    *at += 8;
    const uint64_t bytes = torch_storage_bytes(r, use);
    if (bytes > r->size - *at)
        return torch_storage_fail(r, use,
                                  "truncated: needs %llu bytes, %zu are left: the file is cut "
                                  "short",
                                  (unsigned long long)bytes, r->size - *at);
    r->data[use] = r->bytes + *at;
    *at += (size_t)bytes;
    return BIOFT_OK;
}

static bioft_status read_storages(struct torch_reading *r, size_t *at)
{
    struct pickle p;
    struct pickle_value list;
    bioft_status st = run_part(r, at, &p, &list);
    if (st == BIOFT_OK && list.type != PICKLE_LIST)
        st = fail(r, "no list of the storages' keys", *at);
    uint32_t left = st == BIOFT_OK ? pickle_count(&p, &list) : 0;
    for (uint32_t node = left ? p.containers[list.index].first : 0; left > 0 && st == BIOFT_OK;
         left--, node = p.nodes[node].next)
        st = read_storage(r, &p.nodes[node].value, at);
    pickle_free(&p);
    for (uint32_t i = 0; i < r->pickle.storage_count && st == BIOFT_OK; i++)
        if (r->first[i] == i && !r->data[i])
            st = torch_storage_fail(r, i, "not in the file");
    return st;
}

bioft_status torch_read_legacy(struct torch_reading *r)
{
    size_t at = MAGIC_SIZE;
    const uint64_t budget = r->pickle.budget;
    bioft_status st = read_version(r, &at);
    if (st != BIOFT_OK)
        return st;
    st = read_system(r, &at);
    if (st != BIOFT_OK)
        return st;
    r->pickle = (struct pickle){
        .name = r->name,
        .bytes = r->bytes,
        .size = r->size,
        .at = at,
        .legacy = true,
        .budget = budget,
    };
    st = pickle_run(&r->pickle, &r->object, r->err);
    at = r->pickle.at;
    if (st != BIOFT_OK)
        return st;
    st = torch_group_storages(r);
    if (st != BIOFT_OK)
        return st;
    st = read_storages(r, &at);
    if (st != BIOFT_OK)
        return st;
    if (at != r->size)
        return error_set(r->err, BIOFT_ERR_FORMAT, "%s: legacy .pth: %zu bytes left over after its storages", r->name,
                         r->size - at);
    return BIOFT_OK;
}
