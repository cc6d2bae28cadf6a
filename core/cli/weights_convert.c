/* Weights from one file format into another: what is written, in which order, and its bytes. */
#include "cli/weights_convert.h"

#include "base/memory.h"
#include "base/text.h"
#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *s, const char *ending)
{
    const size_t n = strlen(s), m = strlen(ending);
    return n > m && strcmp(s + n - m, ending) == 0;
}

static bool is_torch(const char *path) { return ends_with(path, ".pth") || ends_with(path, ".pt"); }

bool weights_can_write(const char *path) { return is_torch(path) || ends_with(path, ".safetensors"); }

struct conversion {
    const struct weights *from;
    const char *path;
    const struct tensor_entry **entries; /* [count], in the order of the new file */
    struct tensor_out *outs;
    size_t count;
    void *room; /* for tensors that are not row-major */
    size_t room_size;
};

/* The order in which safetensors has them, the file's own among equals. */
static int by_group(const void *a, const void *b)
{
    const struct tensor_entry *x = *(const struct tensor_entry *const *)a, *y = *(const struct tensor_entry *const *)b;
    const int p = safetensors_group(x->dtype), q = safetensors_group(y->dtype);
    return p != q ? (p < q ? -1 : 1) : x < y ? -1 : x > y;
}

static bioft_status choose(struct conversion *c, const char *from, struct error *err)
{
    const bool checkpoint = checkpoint_is(c->from);
    char name[TEXT_ESCAPED], dtype[TEXT_ESCAPED];

    c->entries = mem_array(c->from->count, sizeof *c->entries);
    c->outs = mem_array(c->from->count, sizeof *c->outs);
    if (!c->entries || !c->outs)
        return error_memory(err, from);
    for (size_t i = 0; i < c->from->count; i++) {
        const struct tensor_entry *t = &c->from->tensors[i];
        if (checkpoint && strchr(t->name, '/'))
            continue;
        if (tensor_dtype_size(t->dtype) == 0)
            return error_set(err, BIOFT_ERR_UNSUPPORTED, "%s: tensor '%s': dtype %s is not converted", from,
                             text_escape(name, t->name, strlen(t->name)),
                             text_escape(dtype, t->dtype_name, strlen(t->dtype_name)));
        c->entries[c->count++] = t;
    }
    if (!is_torch(c->path))
        qsort(c->entries, c->count, sizeof *c->entries, by_group);
    for (size_t i = 0; i < c->count; i++) {
        const struct tensor_entry *t = c->entries[i];
        c->outs[i] = (struct tensor_out){ .name = t->name, .dtype = t->dtype, .dims = t->dims };
        memcpy(c->outs[i].shape, t->shape, sizeof t->shape);
    }
    return BIOFT_OK;
}

/* A tensor's bytes, row-major: in the file, or in the room. */
static bioft_status bytes_of(struct conversion *c, const struct tensor_entry *t, const void **ret, size_t *ret_size,
                             struct error *err)
{
    const size_t size = t->count * tensor_dtype_size(t->dtype);

    *ret = t->bytes;
    *ret_size = size;
    if (!t->strided)
        return BIOFT_OK;
    if (size > c->room_size) {
        free(c->room);
        c->room = mem_array(size, 1);
        c->room_size = c->room ? size : 0;
    }
    if (!c->room)
        return error_memory(err, c->path);
    tensor_gather(t, c->room);
    *ret = c->room;
    return BIOFT_OK;
}

static bioft_status write_torch(struct conversion *c, struct error *err)
{
    struct torch_writer *w = NULL;
    bioft_status st = torch_begin(c->path, c->outs, c->count, &w, err);

    for (size_t i = 0; i < c->count && st == BIOFT_OK; i++) {
        const void *bytes;
        size_t size;
        st = bytes_of(c, c->entries[i], &bytes, &size, err);
        if (st == BIOFT_OK)
            st = torch_add(w, bytes, size, err);
    }
    st = weights_check(c->from, st, err);
    if (st == BIOFT_OK)
        return torch_commit(w, err);
    torch_abort(w);
    return st;
}

static bioft_status write_safetensors(struct conversion *c, struct error *err)
{
    const struct safetensors_meta metadata = { "format", "pt" }; /* other readers look for it */
    struct safetensors_writer *w = NULL;
    bioft_status st = safetensors_begin(c->path, c->outs, c->count, &metadata, 1, &w, err);

    for (size_t i = 0; i < c->count && st == BIOFT_OK; i++) {
        const void *bytes;
        size_t size;
        st = bytes_of(c, c->entries[i], &bytes, &size, err);
        if (st == BIOFT_OK)
            st = safetensors_add(w, bytes, size, err);
    }
    st = weights_check(c->from, st, err);
    if (st == BIOFT_OK)
        return safetensors_commit(w, err);
    safetensors_abort(w);
    return st;
}

bioft_status weights_convert(const struct weights *w, const char *from, const char *to, size_t *ret_written,
                             struct error *err)
{
    struct conversion c = { .from = w, .path = to };
    bioft_status st;

    if (!weights_can_write(to))
        return error_set(err, BIOFT_ERR_INVALID, "%s: the new file's name ends in .safetensors or .pth", to);
    st = choose(&c, from, err);
    if (st == BIOFT_OK)
        st = is_torch(to) ? write_torch(&c, err) : write_safetensors(&c, err);
    if (st == BIOFT_OK)
        *ret_written = c.count;
    free(c.entries);
    free(c.outs);
    free(c.room);
    return st;
}
