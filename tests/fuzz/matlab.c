/* meta.mat of ImageNet's development kit: a MATLAB 5 file, with zlib inside. */
#include "fuzz.h"

#include "../../plugins/datasets/matlab.c"

struct input {
    const uint8_t *bytes;
    size_t size;
};

static bioft_status give(const bioft_host *host, const char *path, uint64_t max, const uint8_t **ret,
                         uint64_t *ret_size)
{
    const struct input *in = host->ctx;

    (void)path;
    if (in->size > max)
        return BIOFT_ERR_FORMAT;
    *ret = in->bytes;
    *ret_size = in->size;
    return BIOFT_OK;
}

static bioft_status fail(const bioft_host *host, bioft_status status, const char *text)
{
    (void)host;
    MUST(text && *text);
    return status;
}

static bioft_status fail_at(const bioft_host *host, bioft_status status, const char *path, uint64_t line, uint64_t byte,
                            const char *text)
{
    (void)path;
    (void)line;
    (void)byte;
    return fail(host, status, text);
}

static const bioft_files files = { .struct_size = sizeof files, .read = give, .fail_at = fail_at };

static const void *get_extension(const bioft_host *host, const char *id)
{
    (void)host;
    (void)id;
    return &files;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ROOM = 16 };
    struct input in = { data, size };
    const bioft_host host = { .struct_size = sizeof host, .ctx = &in, .fail = fail, .get_extension = get_extension };
    struct synset synsets[ROOM];
    uint32_t count = 0;

    if (matlab_synsets(&host, "meta.mat", ROOM, synsets, &count) != BIOFT_OK)
        return 0;
    MUST(count <= ROOM);
    for (uint32_t i = 0; i < count; i++)
        MUST(strnlen(synsets[i].wnid, WNID) < WNID);
    return 0;
}
