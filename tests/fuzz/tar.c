/* tar: every member lies within the archive and has a name with an end. Where the first byte's last bit is set the headers'
 * sums are made right first, or nothing behind them would be tested. */
#include "fuzz.h"

#include "../../plugins/datasets/tar.h"

struct input {
    size_t size;
    int failed;
};

static bioft_status fail(const bioft_host *host, bioft_status status, const char *text)
{
    struct input *in = host->ctx;
    MUST(text && *text);
    in->failed = 1;
    return status;
}

static bioft_status fail_at(const bioft_host *host, bioft_status status, const char *path, uint64_t line, uint64_t byte,
                            const char *text)
{
    const struct input *in = host->ctx;
    (void)line;
    MUST(path && byte <= in->size);
    return fail(host, status, text);
}

static const void *get_extension(const bioft_host *host, const char *id)
{
    static const bioft_files files = { .struct_size = sizeof files, .fail_at = fail_at };
    (void)host;
    (void)id;
    return &files;
}

static void mend_sums(uint8_t *bytes, size_t size)
{
    for (size_t at = 0; size - at >= 512; at += 512) {
        char text[8];
        unsigned sum = 0;
        memset(bytes + at + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
            sum += bytes[at + i];
        if (sum == 8 * ' ') { /* the end's zeros */
            memset(bytes + at + 148, 0, 8);
            continue;
        }
        snprintf(text, sizeof text, "%06o", sum);
        memcpy(bytes + at + 148, text, sizeof text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { .size = size };
    const bioft_host host = { .struct_size = sizeof host, .ctx = &in, .fail = fail, .get_extension = get_extension };
    struct tar_member *m = malloc(sizeof *m);
    int more = 1;

    if (size == 0) {
        free(m);
        return 0;
    }
    in.size = --size;
    uint8_t *bytes = malloc(size ? size : 1);
    MUST(bytes && m);
    memcpy(bytes, data + 1, size);
    if (data[0] & 1)
        mend_sums(bytes, size);
    struct tar t = { .host = &host, .path = "t.tar", .bytes = bytes, .size = size };
    bioft_status st = BIOFT_OK;
    while (st == BIOFT_OK && more) {
        const uint64_t before = t.at;
        st = tar_next(&t, m, &more);
        if (st != BIOFT_OK || !more)
            break;
        MUST(t.at > before && t.at <= size && memchr(m->path, 0, sizeof m->path));
        MUST(m->bytes >= bytes && m->size <= size && m->bytes + m->size <= bytes + size && m->header < size);
    }
    MUST(st == BIOFT_OK || in.failed);
    free(bytes);
    free(m);
    return 0;
}
