/* COCO: the plugin on a host where both parts have the same annotations. What it takes has a category for each label
 * and a plain name for each image. The first byte's last bit asks for the splits of retrieval. */
#include "fuzz.h"

#include "../../plugins/datasets/coco.c"

struct host {
    bioft_host host;
    const uint8_t *bytes;
    size_t size;
    int retrieval;
    char message[1024];
    uint64_t counts[SPLIT_COUNT];
    uint32_t splits, classes;
};

static bioft_status say(const bioft_host *host, bioft_status status, const char *text)
{
    struct host *h = host->ctx;
    snprintf(h->message, sizeof h->message, "%s", text);
    return status;
}

static bioft_status say_where(const bioft_host *host, bioft_status status, const char *path, uint64_t line,
                              uint64_t byte, const char *text)
{
    const struct host *h = host->ctx;
    (void)line;
    MUST(path && byte <= h->size);
    return say(host, status, text);
}

static const char *root_of(const bioft_host *host)
{
    (void)host;
    return "/data";
}

static const char *protocol_of(const bioft_host *host)
{
    return ((const struct host *)host->ctx)->retrieval ? "retrieval" : NULL;
}

static bioft_status map_it(const bioft_host *host, const char *path, const uint8_t **ret, uint64_t *ret_size)
{
    const struct host *h = host->ctx;
    (void)path;
    *ret = h->bytes;
    *ret_size = h->size;
    return BIOFT_OK;
}

static int32_t kind_of(const bioft_host *host, const char *path)
{
    (void)host;
    return strchr(path, '.') || strncmp(path, "train2017", 9) ? 1 : 2;
}

static int32_t holds(const bioft_host *host, const char *folder, const char *name)
{
    (void)host;
    MUST(strstr(folder, "2017/") && !path_fault(name) && !strchr(name, '/'));
    return strcmp(name, "link") != 0;
}

static bioft_status in_order(const bioft_host *host, const char *stream, uint64_t n, uint64_t *ret)
{
    (void)host;
    (void)stream;
    for (uint64_t i = 0; i < n; i++)
        ret[i] = i;
    return BIOFT_OK;
}

static const void *extension(const bioft_host *host, const char *id)
{
    static const bioft_files files = { .struct_size = sizeof files,
                                       .root = root_of,
                                       .protocol = protocol_of,
                                       .map = map_it,
                                       .exists = kind_of,
                                       .fail_at = say_where,
                                       .permute = in_order,
                                       .holds = holds };
    (void)host;
    return strcmp(id, "bioft.files/1") == 0 ? &files : NULL;
}

static bioft_status take_class(bioft_info *info, uint32_t index, const char *text)
{
    struct host *h = info->ctx;
    MUST(index == h->classes++ && text && *text);
    return BIOFT_OK;
}

static bioft_status take_split(bioft_info *info, const char *text, uint64_t count)
{
    struct host *h = info->ctx;
    MUST(text && count && h->splits < SPLIT_COUNT);
    h->counts[h->splits++] = count;
    return BIOFT_OK;
}

static bioft_status note(bioft_info *info, const char *text)
{
    (void)info;
    MUST(*text);
    return BIOFT_OK;
}

static void check_images(coco *d, const struct host *h)
{
    const uint32_t words = (h->classes + 63) / 64;
    uint64_t *bits = calloc(words + 1, sizeof *bits);
    char name[4200];

    MUST(bits);
    for (uint32_t s = 0; s < h->splits; s++)
        for (uint64_t i = 0; i < h->counts[s]; i++) {
            memset(bits, 0, words * sizeof *bits);
            MUST(image_list_labels(d, s, i, bits, words) == BIOFT_OK);
            MUST(h->classes % 64 == 0 || bits[words - 1] >> (h->classes % 64) == 0);
            if (image_list_name(d, s, i, name, sizeof name) == BIOFT_OK)
                MUST(!path_fault(name) && strchr(name, '/') == strrchr(name, '/'));
        }
    free(bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host h = { .host = { .struct_size = sizeof h.host, .fail = say, .get_extension = extension } };
    bioft_info info = {
        .struct_size = sizeof info, .ctx = &h, .class_name = take_class, .split = take_split, .note = note
    };
    coco d = { .list.host = &h.host, .train_count = 1, .test_count = 1 };

    if (size == 0)
        return 0;
    h.host.ctx = &h;
    h.retrieval = data[0] & 1;
    h.bytes = data + 1;
    h.size = size - 1;
    if (describe(&d, &info) == BIOFT_OK)
        check_images(&d, &h);
    else
        MUST(h.message[0]);
    destroy(&d);
    return 0;
}
