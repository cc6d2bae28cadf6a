/* The host extension "bioft.files/1": bounded reads below a root, with errors that name the
 * absolute path. */
#include "data/files.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/root.h"
#include "formats/gzip.h"
#include "formats/npz.h"
#include "formats/pickle_dict.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char EXTENSION_ID[] = "bioft.files/1";

struct kept_file { /* something read, owned here */
    void *bytes;
    size_t size;
    struct file_map map;
    struct npy npy;
    void *owned; /* made of a map that is kept too */
    char **names;
    size_t name_count;
};

struct files {
    struct root root;
    char *protocol;
    uint64_t split_seed;
    struct kept_file *kept;
    size_t count, capacity;
};

static struct files *files_of(const bioft_host *host) { return instance_extension_ctx(host, EXTENSION_ID); }

static bioft_status fail(const bioft_host *host, bioft_status status, const struct error *err)
{
    return status == BIOFT_OK ? status : host->fail(host, status, err->text);
}

/* Room for one more thing to hold, zeroed: it counts once the caller adds one to f->count. */
static bioft_status new_kept(struct files *f, struct kept_file **ret, struct error *err)
{
    if (!mem_grow(&f->kept, &f->capacity, f->count + 1, sizeof *f->kept))
        return error_memory(err, "a dataset's files");
    memset(&f->kept[f->count], 0, sizeof *f->kept);
    *ret = &f->kept[f->count];
    return BIOFT_OK;
}

static const char *ext_root(const bioft_host *host) { return files_of(host)->root.path; }

static const char *ext_protocol(const bioft_host *host) { return files_of(host)->protocol; }

/* A file may be somewhat larger compressed than unpacked: gzip's own headers and stored blocks. */
static uint64_t compressed_bound(uint64_t max)
{
    const uint64_t extra = max / 1000 + (1u << 20);
    return max > UINT64_MAX - extra ? UINT64_MAX : max + extra;
}

static bioft_status read_bytes(const char *full, uint64_t max, struct kept_file *ret, struct error *err)
{
    uint8_t *bytes, *unpacked;
    size_t size, unpacked_size;
    bioft_status st = file_read(full, compressed_bound(max), &bytes, &size, err);
    if (st != BIOFT_OK)
        return st;
    if (gzip_is(bytes, size)) {
        st = gzip_unpack(full, bytes, size, max, &unpacked, &unpacked_size, err);
        free(bytes);
        if (st != BIOFT_OK)
            return st;
        bytes = unpacked;
        size = unpacked_size;
    } else if (size > max) {
        free(bytes);
        return error_set(err, BIOFT_ERR_FORMAT, "%s: %zu bytes, at most %llu are allowed", full, size,
                         (unsigned long long)max);
    }
    ret->bytes = bytes;
    ret->size = size;
    return BIOFT_OK;
}

static bioft_status read_list(const char *full, uint64_t unused, struct kept_file *ret, struct error *err)
{
    (void)unused;
    return file_list(full, &ret->names, &ret->name_count, err);
}

static bioft_status read_map(const char *full, uint64_t unused, struct kept_file *ret, struct error *err)
{
    (void)unused;
    return file_map_open(full, &ret->map, err);
}

static bioft_status read_npy(const char *full, uint64_t unused, struct kept_file *ret, struct error *err)
{
    (void)unused;
    return npy_read(full, &ret->npy, err);
}

/* Reads a file or folder in one of the ways above and keeps what comes of it. */
static bioft_status keep_file(const bioft_host *host, const char *path, uint64_t max,
                              bioft_status (*how)(const char *full, uint64_t max, struct kept_file *ret,
                                                  struct error *err),
                              const struct kept_file **ret)
{
    struct files *f = files_of(host);
    struct kept_file *kept = NULL;
    struct error e;
    char *full = NULL;
    bioft_status st = new_kept(f, &kept, &e);
    if (st == BIOFT_OK)
        st = root_path(&f->root, path, &full, &e);
    if (st == BIOFT_OK)
        st = how(full, max, kept, &e);
    free(full);
    if (st != BIOFT_OK)
        return fail(host, st, &e);
    f->count++;
    *ret = kept;
    return BIOFT_OK;
}

static bioft_status ext_read(const bioft_host *host, const char *path, uint64_t max, const uint8_t **ret,
                             uint64_t *ret_size)
{
    const struct kept_file *kept;
    const bioft_status st = keep_file(host, path, max, read_bytes, &kept);
    if (st != BIOFT_OK)
        return st;
    *ret = kept->bytes;
    *ret_size = kept->size;
    return BIOFT_OK;
}

static bioft_status ext_map(const bioft_host *host, const char *path, const uint8_t **ret, uint64_t *ret_size)
{
    const struct kept_file *kept;
    const bioft_status st = keep_file(host, path, 0, read_map, &kept);
    if (st != BIOFT_OK)
        return st;
    *ret = kept->map.bytes;
    *ret_size = kept->map.size;
    return BIOFT_OK;
}

static bioft_status ext_npy(const bioft_host *host, const char *path, bioft_array *ret)
{
    const struct kept_file *kept;
    const bioft_status st = keep_file(host, path, 0, read_npy, &kept);
    if (st != BIOFT_OK)
        return st;
    ret->dtype = (uint32_t)kept->npy.dtype;
    ret->dims = kept->npy.dims;
    memcpy(ret->shape, kept->npy.shape, sizeof ret->shape);
    ret->data = kept->npy.data;
    return BIOFT_OK;
}

/* Takes memory over, or frees it. */
static bioft_status keep_owned(struct files *f, void *owned, struct error *err)
{
    struct kept_file *kept = NULL;
    const bioft_status st = owned ? new_kept(f, &kept, err) : BIOFT_OK;
    if (st != BIOFT_OK) {
        free(owned);
    } else if (owned) {
        kept->owned = owned;
        f->count++;
    }
    return st;
}

enum { MOST_NAMES = 64 }; /* of one call */

/* What the two below begin with: the map and the path for messages, free(). */
static bioft_status map_named(const bioft_host *host, const char *path, uint32_t count, struct file_map *ret,
                              char **ret_full)
{
    const struct kept_file *kept;
    struct error e;
    bioft_status st = count <= MOST_NAMES ? BIOFT_OK
                                          : host->fail(host, BIOFT_ERR_INVALID, "more than 64 names at once");
    if (st == BIOFT_OK)
        st = keep_file(host, path, 0, read_map, &kept);
    if (st != BIOFT_OK)
        return st;
    *ret = kept->map;
    return fail(host, root_path(&files_of(host)->root, path, ret_full, &e), &e);
}

static bioft_status ext_npz(const bioft_host *host, const char *path, const char *const *names, uint32_t count,
                            bioft_array *ret)
{
    struct npy found[MOST_NAMES];
    struct file_map map;
    struct error e;
    char *full = NULL;
    bioft_status st = map_named(host, path, count, &map, &full);
    if (st != BIOFT_OK)
        return st;
    st = npz_parse(full, map.bytes, map.size, names, count, found, &e);
    free(full);
    if (st != BIOFT_OK)
        return fail(host, st, &e);
    for (uint32_t i = 0; i < count; i++) {
        ret[i].dtype = found[i].data ? (uint32_t)found[i].dtype : 0;
        ret[i].dims = found[i].dims;
        memcpy(ret[i].shape, found[i].shape, sizeof ret[i].shape);
        ret[i].data = found[i].data;
        const bioft_status kept = keep_owned(files_of(host), found[i].data, &e);
        st = st == BIOFT_OK ? kept : st;
    }
    return fail(host, st, &e);
}

static bioft_status ext_pickle(const bioft_host *host, const char *path, const char *const *keys, uint32_t count,
                               bioft_array *ret)
{
    static const uint32_t dtypes[] = { [PICKLE_FIELD_ARRAY] = BIOFT_DTYPE_U8,
                                       [PICKLE_FIELD_INTEGERS] = BIOFT_DTYPE_I64,
                                       [PICKLE_FIELD_TEXTS] = BIOFT_DTYPE_TEXT };
    struct pickle_field found[MOST_NAMES];
    struct file_map map;
    struct error e;
    char *full = NULL;
    bioft_status st = map_named(host, path, count, &map, &full);
    if (st != BIOFT_OK)
        return st;
    for (uint32_t i = 0; i < count; i++)
        found[i] = (struct pickle_field){ .key = keys[i] };
    st = pickle_dict_read(full, map.bytes, map.size, found, count, &e);
    free(full);
    if (st != BIOFT_OK)
        return fail(host, st, &e);
    for (uint32_t i = 0; i < count; i++) {
        ret[i].dtype = dtypes[found[i].kind];
        ret[i].dims = found[i].dims;
        memcpy(ret[i].shape, found[i].shape, sizeof ret[i].shape);
        ret[i].data = found[i].data;
        const bioft_status kept = keep_owned(files_of(host), found[i].owned, &e);
        st = st == BIOFT_OK ? kept : st;
    }
    return fail(host, st, &e);
}

static bioft_status ext_list(const bioft_host *host, const char *folder, const char *const **ret, uint64_t *ret_count)
{
    const struct kept_file *kept;
    const bioft_status st = keep_file(host, folder, 0, read_list, &kept);
    if (st != BIOFT_OK)
        return st;
    *ret = (const char *const *)kept->names;
    *ret_count = kept->name_count;
    return BIOFT_OK;
}

static int32_t ext_exists(const bioft_host *host, const char *path) { return root_kind(&files_of(host)->root, path); }

static int32_t ext_holds(const bioft_host *host, const char *folder, const char *name)
{
    return root_holds(&files_of(host)->root, folder, name);
}

static bioft_status ext_fail_at(const bioft_host *host, bioft_status status, const char *path, uint64_t line,
                                uint64_t byte, const char *text)
{
    const struct files *f = files_of(host);
    char *full = NULL;
    struct text t = { 0 };

    if (root_path(&f->root, path, &full, NULL) != BIOFT_OK)
        full = NULL;
    text_add(&t, full ? full : path);
    if (line)
        text_printf(&t, ":%llu", (unsigned long long)line);
    text_printf(&t, ": %s", text);
    if (byte)
        text_printf(&t, " (at byte %llu)", (unsigned long long)byte);
    status = host->fail(host, status, t.failed ? text : t.data);
    text_free(&t);
    free(full);
    return status;
}

static bioft_status ext_permute(const bioft_host *host, const char *stream, uint64_t n, uint64_t *ret)
{
    random_permutation(files_of(host)->split_seed, stream, 0, n, ret);
    return BIOFT_OK;
}

/* Reads all of a regular file of at most max bytes into the sample. */
static bioft_status fill_sample(int fd, const char *full, uint64_t max, bioft_sample *ret, struct error *err)
{
    struct stat s;
    uint8_t *bytes;
    size_t size, at = 0;

    if (fstat(fd, &s) != 0)
        return error_set(err, BIOFT_ERR_IO, "%s: %s", full, strerror(errno));
    if (!S_ISREG(s.st_mode))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: not a regular file", full);
    if ((uint64_t)s.st_size > max)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: %lld bytes, at most %llu are allowed", full, (long long)s.st_size,
                         (unsigned long long)max);
    size = (size_t)s.st_size;
    bytes = ret->reserve(ret, size);
    if (!bytes)
        return error_memory(err, full);
    while (at < size) {
        const ssize_t n = read(fd, bytes + at, size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, BIOFT_ERR_IO, "%s: %s", full, strerror(errno));
        if (n == 0)
            return error_set(err, BIOFT_ERR_IO, "%s: shrank while it was read", full);
        at += (size_t)n;
    }
    ret->format = BIOFT_SAMPLE_ENCODED;
    return BIOFT_OK;
}

static bioft_status ext_sample(const bioft_host *host, const char *path, uint64_t max, bioft_sample *ret)
{
    const struct files *f = files_of(host);
    struct error e;
    char *full = NULL;
    int fd;
    bioft_status st = root_path(&f->root, path, &full, &e);
    if (st == BIOFT_OK)
        st = root_open(full, &fd, &e);
    if (st == BIOFT_OK) {
        st = fill_sample(fd, full, max, ret, &e);
        close(fd);
    }
    free(full);
    return fail(host, st, &e);
}

static const bioft_files table = {
    .struct_size = sizeof table,
    .root = ext_root,
    .protocol = ext_protocol,
    .read = ext_read,
    .map = ext_map,
    .npy = ext_npy,
    .list = ext_list,
    .exists = ext_exists,
    .fail_at = ext_fail_at,
    .permute = ext_permute,
    .sha256 = sha256_bytes,
    .sample = ext_sample,
    .holds = ext_holds,
    .npz = ext_npz,
    .pickle = ext_pickle,
};

bioft_status files_create(const char *root, const char *protocol, uint64_t split_seed, struct files **ret,
                          struct error *err)
{
    struct files *f = mem_array(1, sizeof *f);
    bioft_status st;

    if (!f)
        return error_memory(err, "a dataset's files");
    f->split_seed = split_seed;
    st = root_init(&f->root, root, err);
    if (st == BIOFT_OK && protocol) {
        f->protocol = strdup(protocol);
        if (!f->protocol)
            st = error_memory(err, "a dataset's files");
    }
    if (st != BIOFT_OK) {
        files_destroy(f);
        return st;
    }
    *ret = f;
    return BIOFT_OK;
}

void files_destroy(struct files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++) {
        struct kept_file *h = &f->kept[i];
        free(h->bytes);
        file_map_close(&h->map);
        npy_free(&h->npy);
        free(h->owned);
        file_list_free(h->names, h->name_count);
    }
    free(f->kept);
    free(f->protocol);
    root_finish(&f->root);
    free(f);
}

bioft_status files_check(const struct files *f, bioft_status status, struct error *err)
{
    for (size_t i = 0; i < f->count; i++)
        status = file_map_check(&f->kept[i].map, status, err);
    return status;
}

struct extension files_extension(struct files *f)
{
    return (struct extension){ .id = EXTENSION_ID, .table = &table, .ctx = f };
}

void files_digest(const struct files *f, struct sha256 *sum)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct kept_file *h = &f->kept[i];
        if (h->bytes)
            sha256_add(sum, h->bytes, h->size);
        if (h->map.bytes)
            sha256_add(sum, h->map.bytes, h->map.size);
        if (h->npy.data) {
            const size_t item = h->npy.dtype == NPY_U8 ? 1 : h->npy.dtype == NPY_F32 ? 4 : 8;
            sha256_add(sum, h->npy.shape, h->npy.dims * sizeof h->npy.shape[0]);
            sha256_add(sum, h->npy.data, h->npy.count * item);
        }
    }
}
