/* What the tests of this room share. */
#include "fixture.h"

#include "data/sample.h"
#include "data/identity.h"
#include "plugin/load.h"
#include <ftw.h>
#include <stdatomic.h>
#include <unistd.h>
#include <zlib.h>

struct fake fake;

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s;
    (void)type;
    (void)ftw;
    return remove(path);
}

int enter_folder(void **state)
{
    char folder[] = "data-test-XXXXXX", *made = mkdtemp(folder);
    *state = made ? realpath(made, NULL) : NULL;
    return *state ? chdir(*state) : -1;
}

int leave_folder(void **state)
{
    int status = chdir("..");
    status |= nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return status;
}

void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

void write_gzip(const char *path, const void *bytes, size_t size)
{
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    if (size)
        assert_int_equal(gzwrite(f, bytes, (unsigned)size), (int)size);
    assert_int_equal(gzclose(f), Z_OK);
}

void write_npy(const char *path, const char *descr, const char *shape, const void *data, size_t size)
{
    char header[128];
    const int n = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr,
                           shape);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(n > 0 && n < 117);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, f);
    fprintf(f, "%-117s\n", header);
    if (size)
        assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

const struct plugin *load_dataset(const char *name)
{
    const char *folder = getenv("BIOFT_TEST_PLUGINS");
    char path[4096];
    struct plugin **plugins;
    size_t count;
    struct error e;

    assert_non_null(folder);
    snprintf(path, sizeof path, "%s/datasets/%s.so", folder, name);
    if (plugin_load(path, BIOFT_KIND_DATASET, &plugins, &count, &e) != BIOFT_OK)
        fail_msg("%s", e.text);
    assert_int_equal(count, 1);
    const struct plugin *plugin = plugins[0]; /* stays loaded */
    free(plugins);
    return plugin;
}

struct dataset_spec plain_spec(const struct plugin *plugin, const char *root)
{
    struct dataset_spec spec = { .choice = { .plugin = plugin }, .root = root, .cache = "auto" };
    spec.broken = POLICY_DROP;
    spec.unlabelled = POLICY_DROP;
    return spec;
}

struct dataset *open_dataset(const struct dataset_spec *spec)
{
    struct dataset *d;
    struct error e;
    if (dataset_open(spec, NULL, NULL, &d, &e) != BIOFT_OK)
        fail_msg("%s", e.text);
    return d;
}

void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

void expect_refused(const struct dataset_spec *spec, const char *what, const char *parts)
{
    struct dataset *d = NULL;
    struct error e = { 0 };
    char copy[256];

    if (dataset_open(spec, NULL, NULL, &d, &e) == BIOFT_OK)
        fail_msg("%s: opened", what);
    assert_null(d);
    snprintf(copy, sizeof copy, "%s", parts);
    for (char *part = strtok(copy, "|"); part; part = strtok(NULL, "|"))
        if (!strstr(e.text, part))
            fail_msg("%s: '%s' is not in '%s'", what, part, e.text);
}

uint8_t fake_byte(uint32_t split, uint64_t index, uint32_t y, uint32_t x, uint32_t c)
{
    return (uint8_t)(split * 101 + index * 37 + y * 17 + x * 5 + c * 59);
}

static bioft_status fake_describe(void *self, bioft_info *ret)
{
    static const char *const names[4] = { "train", "test", "val", "database" };
    (void)self;
    for (uint32_t c = 0; c < fake.classes; c++) {
        char name[24];
        snprintf(name, sizeof name, "class %u", c);
        ret->class_name(ret, c, name);
    }
    for (uint32_t i = 0; i < fake.splits; i++)
        ret->split(ret, names[i], fake.counts[i]);
    return BIOFT_OK;
}

static bioft_status fake_labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t words)
{
    (void)self;
    assert_int_equal(words, (fake.classes + 63) / 64);
    if (fake.multi_label) {
        ret[0] = fake.labels(split, index);
        return BIOFT_OK;
    }
    const int32_t label = fake.label ? fake.label(split, index) : (int32_t)(index % fake.classes);
    if (label >= 0)
        ret[label / 64] |= UINT64_C(1) << (label % 64);
    return BIOFT_OK;
}

static bioft_status fake_name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    (void)self;
    snprintf(ret, size, "%u/%llu", split, (unsigned long long)index);
    return BIOFT_OK;
}

static bioft_status fake_sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const uint32_t h = fake.height, w = fake.width, c = fake.channels;
    const bool bytes = fake.format == BIOFT_SAMPLE_U8_HWC;
    const bioft_host *host = *(const bioft_host *const *)self;
    void *to;

    (void)reader;
    if (index == fake.fail_at)
        return (host->fail)(host, BIOFT_ERR_IO, "this one fails"); /* cmocka has a macro of the name */
    ret->format = fake.format;
    ret->height = h;
    ret->width = w;
    ret->channels = c;
    to = ret->reserve(ret, (size_t)h * w * c * (bytes ? 1 : sizeof(float)));
    if (!to)
        return BIOFT_ERR_MEMORY;
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++)
            for (uint32_t k = 0; k < c; k++) {
                const uint8_t v = fake_byte(split, index, y, x, k);
                if (bytes)
                    ((uint8_t *)to)[((size_t)y * w + x) * c + k] = v;
                else
                    ((float *)to)[((size_t)k * h + y) * w + x] = (float)v / 255.0f;
            }
    return BIOFT_OK;
}

static int32_t fake_multi(const void *self)
{
    (void)self;
    return fake.multi_label;
}

static bioft_status fake_create(void *self, const bioft_host *host)
{
    *(const bioft_host **)self = host;
    return BIOFT_OK;
}

const struct plugin *fake_plugin(void)
{
    static const struct plugin plugin = {
        .descriptor = {
            BIOFT_PLUGIN(BIOFT_KIND_DATASET, "fake", "1", "test", "MIT"), .summary = "a test's own", .reference = "",
            .instance_size = sizeof(const bioft_host *),
            .option_size = sizeof(bioft_option), .create = fake_create, .vtable = &plugin.api.dataset,
        },
        .api.dataset = {
            .struct_size = sizeof(bioft_dataset), .describe = fake_describe,
            .labels = fake_labels, .name = fake_name, .sample = fake_sample, .multi_label = fake_multi,
        },
    };
    return &plugin;
}

void fake_reset(void)
{
    fake = (struct fake){
        .classes = 5,
        .splits = 2,
        .counts = { 40, 20 },
        .height = 6,
        .width = 5,
        .channels = 1,
        .format = BIOFT_SAMPLE_U8_HWC,
        .fail_at = UINT64_MAX,
    };
}

struct hammering {
    const struct dataset *d;
    atomic_int wrong;
};

static void hammer_piece(void *ctx, size_t index, uint32_t thread)
{
    struct hammering *h = ctx;
    const struct dataset *d = h->d;
    const bioft_dataset *api = &d->instance->plugin->api.dataset;
    struct reader *r = NULL;
    bool right = reader_open(d, &r, NULL) == BIOFT_OK;

    (void)thread;
    for (size_t i = 0; right && i < d->split_count; i++) {
        const struct split *s = &d->splits[i];
        for (uint64_t k = 0; right && k < s->count && k < 200; k++) {
            const uint64_t position = (k * 7 + index) % s->count;
            uint64_t bits[16] = { 0 };
            char name[256], again[256];
            struct pixels p;
            right = api->labels(d->instance->self, s->number, s->index[position], bits, d->label_words) == BIOFT_OK &&
                    !memcmp(bits, s->labels + position * d->label_words, d->label_words * sizeof *bits) &&
                    dataset_name(d, s, position, name, sizeof name, NULL) == BIOFT_OK &&
                    reader_sample(r, s->number, s->index[position], &p, NULL, NULL) == BIOFT_OK &&
                    p.height == d->height && p.width == d->width &&
                    dataset_name(d, s, position, again, sizeof again, NULL) == BIOFT_OK && !strcmp(name, again);
        }
    }
    reader_close(r);
    if (!right)
        atomic_fetch_add(&h->wrong, 1);
}

void hammer(const struct dataset *d)
{
    struct hammering h = { .d = d };
    struct pool *pool;
    assert_true(d->label_words <= 16);
    assert_int_equal(pool_create(4, &pool, NULL), BIOFT_OK);
    pool_run(pool, 16, hammer_piece, &h);
    pool_destroy(pool);
    assert_int_equal(atomic_load(&h.wrong), 0);
}
