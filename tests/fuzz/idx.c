/* IDX: the reader of Fashion-MNIST on a host that has one file. What it takes
 * has pixels and labels for every image that it announces. The input: how
 * many bytes the images' file has (4, big-endian), that file, the labels' file.
 */
#include "fuzz.h"

#include "../../plugins/datasets/fashion_mnist.c"

struct host {
    bioft_host host;
    const uint8_t *files[2];
    size_t sizes[2];
    char message[1024];
    uint64_t counts[2];
};

static bioft_status say(const bioft_host *host, bioft_status status, const char *text)
{
    struct host *h = host->ctx;
    snprintf(h->message, sizeof h->message, "%s", text);
    return status;
}

static const char *no_text(const bioft_host *host)
{
    (void)host;
    return NULL;
}

static bioft_status read_one(const bioft_host *host, const char *path, uint64_t max, const uint8_t **ret,
                             uint64_t *ret_size)
{
    const struct host *h = host->ctx;
    const int k = strstr(path, "labels") != NULL;
    MUST(h->sizes[k] <= max);
    *ret = h->files[k];
    *ret_size = h->sizes[k];
    return BIOFT_OK;
}

static int32_t always(const bioft_host *host, const char *path)
{
    (void)host;
    (void)path;
    return 1;
}

static bioft_status say_where(const bioft_host *host, bioft_status status, const char *path, uint64_t line,
                              uint64_t byte, const char *text)
{
    struct host *h = host->ctx;
    (void)line;
    MUST(path && (byte <= h->sizes[0] || byte <= h->sizes[1]));
    return say(host, status, text);
}

static void no_sum(const void *bytes, size_t count, char ret[65])
{
    (void)bytes;
    (void)count;
    ret[0] = '\0';
}

static const void *extension(const bioft_host *host, const char *id)
{
    static const bioft_files files = { .struct_size = sizeof files,
                                       .root = no_text,
                                       .protocol = no_text,
                                       .read = read_one,
                                       .exists = always,
                                       .fail_at = say_where,
                                       .sha256 = no_sum };
    (void)host;
    return strcmp(id, "bioft.files/1") == 0 ? &files : NULL;
}

/* A split's image is seen where the file has it. */
static bioft_status take(bioft_sample *s, const void *bytes, size_t size)
{
    volatile uint8_t first = ((const uint8_t *)bytes)[0], last = ((const uint8_t *)bytes)[size - 1];
    (void)s;
    (void)first;
    (void)last;
    return BIOFT_OK;
}

static bioft_status count_class(bioft_info *info, uint32_t index, const char *text)
{
    (void)info;
    return index < CLASSES && text ? BIOFT_OK : BIOFT_ERR_INVALID;
}

static bioft_status count_split(bioft_info *info, const char *text, uint64_t count)
{
    struct host *h = info->ctx;
    h->counts[strcmp(text, "test") == 0] = count;
    return BIOFT_OK;
}

static bioft_status note(bioft_info *info, const char *text)
{
    (void)info;
    MUST(text[0] != '\0');
    return BIOFT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host h = { .host = { .struct_size = sizeof h.host, .fail = say, .get_extension = extension } };
    fashion_mnist f = { 0 };

    if (size < 4)
        return 0;
    h.host.ctx = &h;
    const size_t first = big_endian(data) < size - 4 ? big_endian(data) : size - 4;
    /* Of their own, so that a read beyond one is not one of the other. */
    uint8_t *images = malloc(first + 1), *classes = malloc(size - 4 - first + 1);
    MUST(images && classes);
    memcpy(images, data + 4, first);
    memcpy(classes, data + 4 + first, size - 4 - first);
    images = realloc(images, first ? first : 1);
    classes = realloc(classes, size - 4 - first ? size - 4 - first : 1);
    h.files[0] = images;
    h.files[1] = classes;
    h.sizes[0] = first;
    h.sizes[1] = size - 4 - first;
    bioft_info info = {
        .struct_size = sizeof info, .ctx = &h, .class_name = count_class, .split = count_split, .note = note
    };
    f.host = &h.host;
    if (describe(&f, &info) != BIOFT_OK)
        MUST(h.message[0] != '\0');
    else
        for (uint64_t i = 0; i < h.counts[0]; i++) {
            bioft_sample s = { .struct_size = sizeof s, .map = take };
            uint64_t label = 0;
            MUST(labels(&f, 0, i, &label, 1) == BIOFT_OK && label && label < 1u << CLASSES);
            MUST(sample(&f, NULL, 0, i, &s) == BIOFT_OK && s.height && s.width);
        }
    free(images);
    free(classes);
    return 0;
}
