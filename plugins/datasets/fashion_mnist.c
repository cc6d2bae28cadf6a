/* Fashion-MNIST, and any data in MNIST's four IDX files: 8-bit grey images of ten classes (Xiao,
 * Rasul and Vollgraf, arXiv:1708.07747; the format: LeCun, Cortes and Burges, "The MNIST database",
 * http://yann.lecun.com/exdb/mnist). */
#include "dataset_util.h"

#define DEBIAN_FOLDER "/usr/share/datasets/fashion-mnist"

enum {
    CLASSES = 10,
    LONGEST_SIDE = 4096,
    IMAGE_HEADER = 16,
    LABEL_HEADER = 8,
    TYPE_U8 = 0x08,
    LARGEST_FILE = 1 << 30 /* unpacked; Fashion-MNIST's largest has 47 MB */
};

static const char *const class_names[CLASSES] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
};
static const char *const split_names[2] = { "train", "test" };
static const char *const protocols[] = { "classification", NULL };

static const struct { /* [split]: images, labels; SHA-256 of the unpacked files */
    const char *name, *sha256;
} published[2][2] = {
    { { "train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888" },
      { "train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9" } },
    { { "t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b" },
      { "t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34" } },
};

struct idx_split {
    const uint8_t *pixels, *labels; /* [count][height][width], [count] */
    uint64_t count;
};

typedef struct {
    const bioft_host *host;
    const bioft_files *files;
    struct idx_split splits[2];
    uint32_t height, width;
} fashion_mnist;

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* An error with the file's absolute path before it. */
static bioft_status fail_at(const fashion_mnist *f, const char *path, uint64_t byte, const char *text)
{
    return f->files->fail_at(f->host, BIOFT_ERR_FORMAT, path, 0, byte, text);
}

/* The path of one of the four files, packed or not. */
static bioft_status find(const fashion_mnist *f, const char *name, char *ret, size_t size)
{
    const char *root = f->files->root(f->host);
    const char *folder = root ? "" : DEBIAN_FOLDER "/";

    for (int packed = 0; packed < 2; packed++) {
        snprintf(ret, size, "%s%s%s", folder, name, packed ? ".gz" : "");
        if (f->files->exists(f->host, ret) == 1)
            return BIOFT_OK;
    }
    return bioft_failf(f->host, BIOFT_ERR_IO,
                       "%s: neither %s.gz nor %s exists; apt-get install dataset-fashion-mnist, or "
                       "name the folder of the four IDX files with 'root'",
                       root ? root : DEBIAN_FOLDER, name, name);
}

/* The first bytes: two zeros, the element's type, the number of dimensions, which is `dims`. */
static bioft_status check_header(const fashion_mnist *f, const char *path, const uint8_t *bytes, uint64_t size,
                                 uint32_t dims)
{
    static const struct {
        uint8_t type;
        const char *name;
    } others[] = { { 0x09, "int8" }, { 0x0b, "int16" }, { 0x0c, "int32" }, { 0x0d, "float" }, { 0x0e, "double" } };
    char text[160];

    if (size >= 4 && (bytes[0] || bytes[1]))
        return fail_at(f, path, 0, "not an IDX file: it does not begin with two zero bytes");
    for (size_t i = 0; size >= 4 && i < sizeof others / sizeof *others; i++)
        if (bytes[2] == others[i].type) {
            snprintf(text, sizeof text, "element type %s is not supported, only unsigned bytes", others[i].name);
            return fail_at(f, path, 2, text);
        }
    if (size >= 4 && bytes[2] != TYPE_U8)
        return fail_at(f, path, 2, "not an IDX file: unknown element type");
    if (size >= 4 && bytes[3] != dims) {
        snprintf(text, sizeof text, "not an IDX file of %s: %u dimensions where %u are expected",
                 dims == 3 ? "images" : "labels", bytes[3], dims);
        return fail_at(f, path, 3, text);
    }
    if (size < 4 + 4 * dims) {
        snprintf(text, sizeof text, "truncated header: %llu of %u bytes", (unsigned long long)size, 4 + 4 * dims);
        return fail_at(f, path, 0, text);
    }
    return BIOFT_OK;
}

/* The file must hold `count` items of `item` bytes after its header, and nothing more. */
static bioft_status check_size(const fashion_mnist *f, const char *path, uint64_t size, uint64_t header, uint64_t count,
                               uint64_t item, const char *word)
{
    const uint64_t have = size - header;
    char text[200];

    if (count > UINT64_MAX / item || count * item > UINT64_MAX - header) {
        snprintf(text, sizeof text, "the size overflows: %llu %ss of %llu bytes", (unsigned long long)count, word,
                 (unsigned long long)item);
        return fail_at(f, path, 4, text);
    }
    if (have < count * item) {
        snprintf(text, sizeof text,
                 "truncated at %s %llu: %llu are announced (%llu bytes), which is more than the file "
                 "holds (%llu bytes)",
                 word, (unsigned long long)(have / item), (unsigned long long)count, (unsigned long long)(count * item),
                 (unsigned long long)have);
        return fail_at(f, path, 0, text);
    }
    if (have > count * item) {
        snprintf(text, sizeof text, "%llu bytes left over after %llu %ss", (unsigned long long)(have - count * item),
                 (unsigned long long)count, word);
        return fail_at(f, path, header + count * item, text);
    }
    return BIOFT_OK;
}

static bioft_status parse_images(fashion_mnist *f, const char *path, const uint8_t *bytes, uint64_t size,
                                 struct idx_split *s)
{
    uint32_t height, width;
    char text[160];
    bioft_status st = check_header(f, path, bytes, size, 3);
    if (st != BIOFT_OK)
        return st;
    s->count = big_endian(bytes + 4);
    height = big_endian(bytes + 8);
    width = big_endian(bytes + 12);
    if (!height || !width) {
        snprintf(text, sizeof text, "images of %ux%u: a side is zero", height, width);
        return fail_at(f, path, 8, text);
    }
    st = check_size(f, path, size, IMAGE_HEADER, s->count, (uint64_t)height * width, "image");
    if (st != BIOFT_OK)
        return st;
    if (height > LONGEST_SIDE || width > LONGEST_SIDE) {
        snprintf(text, sizeof text, "images of %ux%u: sides are 1 to %d", height, width, LONGEST_SIDE);
        return fail_at(f, path, 8, text);
    }
    if (f->height && (f->height != height || f->width != width)) {
        snprintf(text, sizeof text, "images of %ux%u, the training split's are %ux%u", height, width, f->height,
                 f->width);
        return fail_at(f, path, 8, text);
    }
    f->height = height;
    f->width = width;
    s->pixels = bytes + IMAGE_HEADER;
    return BIOFT_OK;
}

static bioft_status parse_labels(const fashion_mnist *f, const char *path, const uint8_t *bytes, uint64_t size,
                                 struct idx_split *s)
{
    uint64_t count;
    char text[160];
    bioft_status st = check_header(f, path, bytes, size, 1);
    if (st != BIOFT_OK)
        return st;
    count = big_endian(bytes + 4);
    st = check_size(f, path, size, LABEL_HEADER, count, 1, "label");
    if (st != BIOFT_OK)
        return st;
    if (count != s->count) {
        snprintf(text, sizeof text, "the counts differ: %llu images and %llu labels", (unsigned long long)s->count,
                 (unsigned long long)count);
        return fail_at(f, path, 4, text);
    }
    s->labels = bytes + LABEL_HEADER;
    for (uint64_t i = 0; i < count; i++)
        if (s->labels[i] >= CLASSES) {
            snprintf(text, sizeof text, "label %u is out of range 0 to %d, at index %llu", s->labels[i], CLASSES - 1,
                     (unsigned long long)i);
            return fail_at(f, path, LABEL_HEADER + i, text);
        }
    return BIOFT_OK;
}

/* Reads and checks one split; *ret_unknown names the files whose sums are not known. */
static bioft_status load(fashion_mnist *f, int split, char *ret_unknown, size_t size)
{
    for (int k = 0; k < 2; k++) {
        const uint8_t *bytes;
        uint64_t count;
        char path[256], sum[65];
        bioft_status st = find(f, published[split][k].name, path, sizeof path);
        if (st == BIOFT_OK)
            st = f->files->read(f->host, path, LARGEST_FILE, &bytes, &count);
        if (st == BIOFT_OK)
            st = k == 0 ? parse_images(f, path, bytes, count, &f->splits[split])
                        : parse_labels(f, path, bytes, count, &f->splits[split]);
        if (st != BIOFT_OK)
            return st;
        f->files->sha256(bytes, (size_t)count, sum);
        if (strcmp(sum, published[split][k].sha256) != 0)
            snprintf(ret_unknown + strlen(ret_unknown), size - strlen(ret_unknown), " %s", published[split][k].name);
    }
    return BIOFT_OK;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    fashion_mnist *f = self;
    char unknown[160] = "", note[240];
    bioft_status st = open_files(f->host, protocols, &f->files);

    for (int i = 0; st == BIOFT_OK && i < 2; i++)
        st = load(f, i, unknown, sizeof unknown);
    for (uint32_t i = 0; st == BIOFT_OK && i < CLASSES; i++)
        st = ret->class_name(ret, i, class_names[i]);
    for (int i = 0; st == BIOFT_OK && i < 2; i++)
        st = ret->split(ret, split_names[i], f->splits[i].count);
    if (st != BIOFT_OK)
        return st;
    if (*unknown) {
        snprintf(note, sizeof note, "not the published Fashion-MNIST: other checksums in%s", unknown);
        st = ret->note(ret, note);
    }
    return st;
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    const fashion_mnist *f = self;
    (void)label_words;
    set_label(ret, f->splits[split].labels[index]);
    return BIOFT_OK;
}

static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    return sample_name(((const fashion_mnist *)self)->host, split_names[split], index, ret, size);
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const fashion_mnist *f = self;
    const size_t size = (size_t)f->height * f->width;
    (void)reader;
    ret->format = BIOFT_SAMPLE_U8_HWC;
    ret->height = f->height;
    ret->width = f->width;
    ret->channels = 1;
    return ret->map(ret, f->splits[split].pixels + index * size, size);
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
    .layout = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and"
              " t10k-labels-idx1-ubyte, each also with .gz",
    .samples = "IDX of uint8: images [n,height,width] 0 to 255, labels [n] 0 to 9; 60,000 for "
               "training, 10,000 for test; any IDX files of these names and types are taken",
    .source = "Debian's package dataset-fashion-mnist, where it is found without a root, or"
              " https://github.com/zalandoresearch/fashion-mnist",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "fashion_mnist", "1.0", "bioft", "MIT"),
    .summary = "70,000 grey images of clothes in ten classes, 28x28, from four IDX files, gzip or plain",
    .reference = "Xiao, Rasul and Vollgraf, arXiv:1708.07747",
    .instance_size = sizeof(fashion_mnist),
    BIOFT_HOST_AT(fashion_mnist, host),
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
