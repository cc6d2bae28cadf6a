/* The binary and Python releases of CIFAR-10 and CIFAR-100. */
#include "cifar_records.h"

bioft_status cifar_map(const bioft_host *host, const char *path, uint32_t label_bytes, const uint32_t *limits,
                       struct cifar_file *ret)
{
    const bioft_files *files = files_of(host);
    const uint64_t record = label_bytes + CIFAR_PIXELS;
    struct cifar_file f = { .stride = record };
    uint64_t size;
    char text[200];
    bioft_status st = files->map(host, path, &f.bytes, &size);

    if (st != BIOFT_OK)
        return st;
    if (!size || size % record) {
        snprintf(text, sizeof text,
                 "%llu bytes are not a whole number of records of %llu bytes: cut short, or another file",
                 (unsigned long long)size, (unsigned long long)record);
        return files->fail_at(host, BIOFT_ERR_FORMAT, path, 0, 0, text);
    }
    f.records = size / record;
    f.pixels = f.bytes + label_bytes;
    for (uint64_t i = 0; i < f.records; i++)
        for (uint32_t k = 0; k < label_bytes; k++)
            if (cifar_label(&f, i, k) >= limits[k]) {
                snprintf(text, sizeof text, "label %u of record %llu is out of range 0 to %u", cifar_label(&f, i, k),
                         (unsigned long long)i, limits[k] - 1);
                return files->fail_at(host, BIOFT_ERR_FORMAT, path, 0, i * record + k, text);
            }
    *ret = f;
    return BIOFT_OK;
}

static bioft_status check_list(const bioft_host *host, const char *path, const char *key, const bioft_array *a,
                               uint64_t count, uint32_t limit)
{
    const int64_t *v = a->data;
    char text[200] = "";

    if (a->dtype != BIOFT_DTYPE_I64 || a->shape[0] != count)
        snprintf(text, sizeof text, "'%s' is not a list of %llu labels", key, (unsigned long long)count);
    for (uint64_t i = 0; !*text && i < count; i++)
        if (v[i] < 0 || v[i] >= limit)
            snprintf(text, sizeof text, "label %lld at index %llu of '%s' is out of range 0 to %u", (long long)v[i],
                     (unsigned long long)i, key, limit - 1);
    return *text ? files_of(host)->fail_at(host, BIOFT_ERR_FORMAT, path, 0, 0, text) : BIOFT_OK;
}

bioft_status cifar_unpickle(const bioft_host *host, const char *path, const char *const *keys, const uint32_t *limits,
                            struct cifar_file *ret)
{
    const bioft_files *files = files_of(host);
    const char *const names[] = { "data", keys[0], keys[1] };
    const uint32_t count = keys[1] ? 3 : 2;
    bioft_array a[3];
    struct cifar_file f = { .stride = CIFAR_PIXELS };
    bioft_status st;

    if (!BIOFT_HAS(files, bioft_files, pickle))
        return host->fail(host, BIOFT_ERR_UNSUPPORTED, "the host reads no pickles: it is too old");
    st = files->pickle(host, path, names, count, a);
    if (st != BIOFT_OK)
        return st;
    if (a[0].dtype != BIOFT_DTYPE_U8 || a[0].dims != 2 || !a[0].shape[0] || a[0].shape[1] != CIFAR_PIXELS)
        return files->fail_at(host, BIOFT_ERR_FORMAT, path, 0, 0, "'data' is not an array of uint8 [n,3072]");
    f.records = a[0].shape[0];
    f.bytes = f.pixels = a[0].data;
    for (uint32_t k = 1; st == BIOFT_OK && k < count; k++) {
        st = check_list(host, path, names[k], &a[k], f.records, limits[k - 1]);
        f.labels[k - 1] = a[k].data;
    }
    if (st == BIOFT_OK)
        *ret = f;
    return st;
}

bioft_status cifar_sample(const bioft_host *host, const struct cifar_file *f, uint64_t record, bioft_sample *ret)
{
    const uint8_t *planes = f->pixels + record * f->stride;
    uint8_t *to = ret->reserve(ret, CIFAR_PIXELS);

    if (!to)
        return host->fail(host, BIOFT_ERR_MEMORY, "out of memory for an image");
    ret->format = BIOFT_SAMPLE_U8_HWC;
    ret->height = ret->width = CIFAR_SIDE;
    ret->channels = 3;
    for (int i = 0; i < CIFAR_PLANE; i++)
        for (int c = 0; c < 3; c++)
            *to++ = planes[c * CIFAR_PLANE + i];
    return BIOFT_OK;
}

bioft_status cifar_names(const bioft_host *host, const char *path, uint32_t count, char *buffer, size_t size,
                         const char **ret)
{
    const bioft_files *files = files_of(host);
    const uint8_t *bytes;
    uint64_t length, line = 1;
    uint32_t n = 0;
    char *word;
    bioft_status st = files->read(host, path, size - 1, &bytes, &length);

    if (st != BIOFT_OK)
        return st;
    memcpy(buffer, bytes, length);
    buffer[length] = '\0';
    word = buffer;
    for (char *p = buffer; p <= buffer + length; p++) {
        if (*p != '\n' && p != buffer + length)
            continue;
        *p = '\0';
        if (p > word && p[-1] == '\r')
            p[-1] = '\0';
        if (*word && n < count)
            ret[n] = word;
        n += *word != '\0';
        if (n > count)
            return files->fail_at(host, BIOFT_ERR_FORMAT, path, line, 0, "more names than there are classes");
        word = p + 1;
        line++;
    }
    if (n < count)
        return files->fail_at(host, BIOFT_ERR_FORMAT, path, line, 0, "fewer names than there are classes");
    return BIOFT_OK;
}

bioft_status cifar_unpickle_names(const bioft_host *host, const char *path, const char *key, uint32_t count,
                                  const char **ret)
{
    const bioft_files *files = files_of(host);
    bioft_array a;
    char text[100];
    const bioft_status st = files->pickle(host, path, &key, 1, &a);

    if (st != BIOFT_OK)
        return st;
    snprintf(text, sizeof text, "'%s' is not a list of %u names", key, count);
    if (a.dtype != BIOFT_DTYPE_TEXT || a.shape[0] != count)
        return files->fail_at(host, BIOFT_ERR_FORMAT, path, 0, 0, text);
    memcpy(ret, a.data, count * sizeof *ret);
    return BIOFT_OK;
}
