/* The dataset fashion_mnist: the real data, and files that lie. */
#include "fixture.h"
#include "data/identity.h"
#include "data/choose.h"

#include <unistd.h>

static const struct plugin *plugin;
static struct dataset_spec spec;

static int setup_all(void **state)
{
    (void)state;
    plugin = load_dataset("fashion_mnist");
    return 0;
}

static int setup(void **state)
{
    spec = plain_spec(plugin, NULL);
    return enter_folder(state);
}

/* Sums by Python's gzip from the same files; labels and counts as published. */
static void test_real(void **state)
{
    (void)state;
    static const struct {
        const char *split;
        uint64_t count, sum, first, last;
        int32_t labels[10];
        uint8_t eighth[10]; /* bytes 400 to 409 of image 7 */
    } facts[] = {
        { "train",
          60000,
          3431114169,
          76247,
          16684,
          { 9, 0, 0, 3, 0, 2, 7, 2, 5, 5 },
          { 0xe5, 0xed, 0xdf, 0xe7, 0xe5, 0xe7, 0xe5, 0xe7, 0xe7, 0xe6 } },
        { "test",
          10000,
          573469082,
          33456,
          24390,
          { 9, 2, 1, 1, 6, 1, 4, 6, 5, 7 },
          { 0x95, 0x86, 0x70, 0x6d, 0xe0, 0x72, 0x9a, 0xa1, 0xc1, 0x49 } },
    };
    struct error e;

    if (access("/usr/share/datasets/fashion-mnist", R_OK) != 0) {
        print_message("Debian's package dataset-fashion-mnist is not installed\n");
        skip();
    }
    struct dataset *d = open_dataset(&spec);
    assert_int_equal(d->classes, 10);
    assert_string_equal(d->class_names[0], "T-shirt/top");
    assert_string_equal(d->class_names[9], "Ankle boot");
    assert_int_equal(d->note_count, 0); /* the published checksums */
    assert_true(d->channels == 1 && d->height == 28 && d->width == 28);
    for (size_t i = 0; i < COUNT(facts); i++) {
        const struct split *s = dataset_split(d, facts[i].split);
        uint64_t sum = 0, first = 0, last = 0, counts[10] = { 0 };
        struct batches *b;
        bioft_batch batch;
        assert_int_equal(s->count, facts[i].count);
        assert_memory_equal(s->label, facts[i].labels, sizeof facts[i].labels);
        const struct batches_params p = {
            .dataset = d, .split = s, .batch_size = 1000, .image = { .channels = 1, .height = 28, .width = 28 }
        };
        assert_int_equal(batches_create(&p, &b, &e), BIOFT_OK);
        for (uint64_t n = 0; batches_next(b, &batch, &e) == BIOFT_OK && batch.n; n += batch.n) {
            for (size_t k = 0; k < batch.n; k++) {
                uint64_t image = 0;
                for (size_t v = 0; v < 784; v++)
                    image += (uint64_t)(batch.x[k * 784 + v] * 255.0f + 0.5f);
                counts[batch.label[k]]++;
                sum += image;
                first = n + k == 0 ? image : first;
                last = image;
            }
            for (size_t v = 0; n == 0 && v < 10; v++)
                assert_true(batch.x[7 * 784 + 400 + v] == (float)facts[i].eighth[v] / 255.0f);
        }
        batches_destroy(b);
        assert_int_equal(sum, facts[i].sum);
        assert_int_equal(first, facts[i].first);
        assert_int_equal(last, facts[i].last);
        for (int c = 0; c < 10; c++)
            assert_int_equal(counts[c], facts[i].count / 10);
    }
    uint64_t *chosen, n;
    int drawn[10] = { 0 };
    assert_int_equal(dataset_choose(d, dataset_split(d, "test"), 500, &chosen, &n, &e), BIOFT_OK);
    for (uint64_t i = 0; i < n; i++)
        drawn[dataset_split(d, "test")->label[chosen[i]]]++;
    for (int c = 0; c < 10; c++)
        assert_int_equal(drawn[c], 50);
    free(chosen);
    dataset_close(d);
}

static void test_real_subset(void **state)
{
    (void)state;
    static const int64_t classes[] = { 5, 6, 7, 8, 9 };
    static const int32_t first[] = { 4, 2, 0, 0, 4 }; /* 9 7 5 5 9 ... of 9 0 0 3 0 2 7 2 5 5 0 9 */

    if (access("/usr/share/datasets/fashion-mnist", R_OK) != 0)
        skip();
    spec.classes = classes;
    spec.class_count = 5;
    struct dataset *d = open_dataset(&spec);
    assert_int_equal(d->classes, 5);
    assert_string_equal(d->class_names[0], "Sandal");
    assert_int_equal(d->splits[0].count, 30000);
    assert_int_equal(d->splits[1].count, 5000);
    assert_memory_equal(d->splits[0].label, first, sizeof first);
    assert_int_equal(d->splits[0].index[1], 6);
    dataset_close(d);
}

/* A small set of four files: 3 training and 2 test images of 4x5. */
enum { H = 4, W = 5, TRAIN = 3, TEST = 2 };

static size_t images(uint8_t *ret, uint32_t count, uint8_t first)
{
    const uint8_t header[16] = { 0, 0, 8, 3, 0, 0, 0, (uint8_t)count, 0, 0, 0, H, 0, 0, 0, W };
    memcpy(ret, header, sizeof header);
    for (uint32_t i = 0; i < count * H * W; i++)
        ret[16 + i] = (uint8_t)(first + i * 7);
    return 16 + (size_t)count * H * W;
}

static size_t labels(uint8_t *ret, uint32_t count)
{
    const uint8_t header[8] = { 0, 0, 8, 1, 0, 0, 0, (uint8_t)count };
    memcpy(ret, header, sizeof header);
    for (uint32_t i = 0; i < count; i++)
        ret[8 + i] = (uint8_t)(9 - i);
    return 8 + (size_t)count;
}

static const char TRAIN_IMAGES[] = "train-images-idx3-ubyte", TRAIN_LABELS[] = "train-labels-idx1-ubyte",
                  TEST_IMAGES[] = "t10k-images-idx3-ubyte", TEST_LABELS[] = "t10k-labels-idx1-ubyte";

static void write_small(const char *folder)
{
    uint8_t bytes[256];
    char gz[64];
    spec.root = folder;
    write_file(TRAIN_IMAGES, bytes, images(bytes, TRAIN, 1));
    write_file(TRAIN_LABELS, bytes, labels(bytes, TRAIN));
    snprintf(gz, sizeof gz, "%s.gz", TEST_IMAGES);
    write_gzip(gz, bytes, images(bytes, TEST, 100));
    snprintf(gz, sizeof gz, "%s.gz", TEST_LABELS);
    write_gzip(gz, bytes, labels(bytes, TEST));
}

static void test_small(void **state)
{
    char name[32];
    struct error e;
    struct batches *b;
    bioft_batch batch;
    write_small(*state);
    struct dataset *d = open_dataset(&spec);
    assert_int_equal(d->splits[0].count, TRAIN);
    assert_int_equal(d->splits[1].count, TEST);
    assert_int_equal(d->splits[0].label[2], 7);
    assert_int_equal(d->note_count, 3); /* and classes that each split has no sample of */
    assert_contains(d->notes[0], "not the published Fashion-MNIST");
    assert_contains(d->notes[0], TEST_LABELS);
    assert_int_equal(dataset_name(d, &d->splits[1], 1, name, sizeof name, &e), BIOFT_OK);
    assert_string_equal(name, "test/1");
    assert_int_equal(dataset_name(d, &d->splits[1], 1, name, 6, &e), BIOFT_ERR_INVALID);
    const struct batches_params p = {
        .dataset = d, .split = &d->splits[1], .batch_size = 2, .image = { .channels = 1, .height = H, .width = W }
    };
    assert_int_equal(batches_create(&p, &b, &e), BIOFT_OK);
    assert_int_equal(batches_next(b, &batch, &e), BIOFT_OK);
    for (int i = 0; i < TEST * H * W; i++)
        assert_true(batch.x[i] == (float)(uint8_t)(100 + i * 7) / 255.0f);
    batches_destroy(b);
    hammer(d);
    dataset_close(d);
}

static void test_missing(void **state)
{
    spec.root = *state;
    expect_refused(&spec, "empty folder", "train-images-idx3-ubyte|dataset-fashion-mnist|root|data-test-");
    write_small(*state);
    assert_int_equal(remove(TRAIN_LABELS), 0);
    expect_refused(&spec, "one missing", "train-labels-idx1-ubyte.gz");
    spec.root = "/nowhere/at/all";
    expect_refused(&spec, "no folder", "/nowhere/at/all");
    spec.root = *state;
    spec.protocol = "retrieval";
    expect_refused(&spec, "protocol", "'retrieval'|classification");
}

/* Each: one of the four files replaced by a patched copy, and what the error says. */
static void test_hostile(void **state)
{
    static const struct {
        const char *file;
        int cut;      /* bytes kept; negative: cut from the end; 0: all */
        int patch_at; /* -1: nothing; else these bytes are put there */
        const char *patch;
        int patch_size, extra; /* extra: bytes added at the end */
        const char *says;
    } cases[] = {
        { TRAIN_IMAGES, -1000, -1, "", 0, 0, "truncated header: 0 of 16 bytes" },
        { TRAIN_IMAGES, 3, -1, "", 0, 0, "truncated header: 3 of 16 bytes" },
        { TRAIN_IMAGES, 11, -1, "", 0, 0, "truncated header: 11 of 16 bytes" },
        { TRAIN_LABELS, 7, -1, "", 0, 0, "truncated header: 7 of 8 bytes" },
        { TRAIN_IMAGES, 0, 2, "\x0d", 1, 0, "float is not supported" },
        { TRAIN_IMAGES, 0, 2, "\x07", 1, 0, "unknown element type" },
        { TRAIN_IMAGES, 0, 0, "\x01", 1, 0, "not an IDX file" },
        { TRAIN_IMAGES, 0, 3, "\x00", 1, 0, "0 dimensions" },
        { TRAIN_IMAGES, 0, 3, "\xff", 1, 0, "255 dimensions" },
        { TRAIN_LABELS, 0, 3, "\x03", 1, 0, "IDX file of labels: 3 dimensions" },
        { TRAIN_IMAGES, 0, 4, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, 0, "size overflows" },
        { TRAIN_IMAGES, 0, 4, "\xff\xff\xff\xff", 4, 0, "more than the file holds" },
        { TRAIN_IMAGES, 0, 4, "\x00\x00\xea\x60\x00\x00\x00\x1c\x00\x00\x00\x1c", 12, 0,
          "truncated at image 0: 60000 are announced (47040000 bytes)" },
        { TRAIN_IMAGES, -1, -1, "", 0, 0, "truncated at image 2" },
        { TRAIN_IMAGES, 0, -1, "", 0, 1, "1 bytes left over" },
        { TRAIN_LABELS, -1, -1, "", 0, 0, "truncated at label 2" },
        { TRAIN_LABELS, 0, -1, "", 0, 2, "2 bytes left over after 3 labels" },
        { TRAIN_LABELS, 0, 9, "\x0a", 1, 0, "label 10 is out of range 0 to 9, at index 1" },
        { TRAIN_LABELS, 10, 7, "\x02", 1, 0, "counts differ: 3 images and 2 labels" },
        { TRAIN_IMAGES, 0, 4, "\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x1c", 12, 0,
          "images of 0x28: a side is zero" },
        { TRAIN_IMAGES, 0, 4, "\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00\x00\x01", 12, -60, "sides are 1 to 4096" },
        { TEST_IMAGES, 0, 8, "\x00\x00\x00\x05\x00\x00\x00\x04", 8, 0, "images of 5x4, the training split's are 4x5" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int packed = 0; packed < 2; packed++) {
            uint8_t bytes[256] = { 0 };
            char name[64];
            size_t size;
            write_small(*state);
            if (strstr(cases[i].file, "labels"))
                size = labels(bytes, TRAIN);
            else
                size = images(bytes, cases[i].file == TEST_IMAGES ? TEST : TRAIN, 1);
            if (cases[i].patch_at >= 0)
                memcpy(bytes + cases[i].patch_at, cases[i].patch, (size_t)cases[i].patch_size);
            if (cases[i].cut)
                size = cases[i].cut > 0               ? (size_t)cases[i].cut
                       : size > (size_t)-cases[i].cut ? size - (size_t)-cases[i].cut
                                                      : 0;
            size = (size_t)((int)size + cases[i].extra);
            for (int k = 0; k < 2; k++) {
                snprintf(name, sizeof name, "%s%s", cases[i].file, k ? ".gz" : "");
                remove(name);
            }
            snprintf(name, sizeof name, "%s%s", cases[i].file, packed ? ".gz" : "");
            (packed ? write_gzip : write_file)(name, bytes, size);
            expect_refused(&spec, cases[i].says, cases[i].says);
            expect_refused(&spec, "the path", name);
            remove(name);
        }
}

static void test_bomb(void **state)
{
    static uint8_t zeros[10 << 20];
    const uint8_t header[16] = { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28 };
    write_small(*state);
    memcpy(zeros, header, sizeof header);
    remove(TRAIN_IMAGES);
    write_gzip("train-images-idx3-ubyte.gz", zeros, sizeof zeros);
    expect_refused(&spec, "10 MiB for 784 bytes", "10484960 bytes left over");
}

static uint8_t packed[512];
static size_t packed_size;

static void read_packed(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    packed_size = fread(packed, 1, sizeof packed, f);
    fclose(f);
    assert_true(packed_size > 20 && packed_size < sizeof packed);
}

/* Every prefix of each file, and every single byte of the labels' gzip changed, is refused. */
static void test_prefixes(void **state)
{
    static const char *const names[] = { "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz",
                                         "train-images-idx3-ubyte", "train-labels-idx1-ubyte" };
    for (size_t i = 0; i < COUNT(names); i++) {
        write_small(*state);
        FILE *f = fopen(names[i], "rb");
        packed_size = fread(packed, 1, sizeof packed, f);
        fclose(f);
        for (size_t n = 0; n < packed_size; n++) {
            write_file(names[i], packed, n);
            expect_refused(&spec, names[i], names[i]);
        }
        write_file(names[i], packed, packed_size);
        dataset_close(open_dataset(&spec));
    }
}

static void test_damaged_gzip(void **state)
{
    static const char name[] = "t10k-labels-idx1-ubyte.gz";
    uint8_t copy[512];
    write_small(*state);
    read_packed(name);
    static const struct {
        int at, mask; /* from the end where negative */
        const char *says;
    } flips[] = { { 2, 0x0f, name }, { 3, 0x80, name }, { -8, 1, "checksum" }, { -1, 1, "size" }, { -4, 1, "size" } };
    for (size_t i = 0; i < COUNT(flips); i++) {
        memcpy(copy, packed, packed_size);
        copy[flips[i].at < 0 ? (int)packed_size + flips[i].at : flips[i].at] ^= (uint8_t)flips[i].mask;
        write_file(name, copy, packed_size);
        expect_refused(&spec, flips[i].says, flips[i].says);
    }
    memcpy(copy, packed, packed_size);
    memcpy(copy + packed_size, "garbage", 7);
    write_file(name, copy, packed_size + 7);
    expect_refused(&spec, "garbage", "trailing garbage");
    memset(copy + packed_size, 0, 16);
    write_file(name, copy, packed_size + 16); /* zeros are padding */
    dataset_close(open_dataset(&spec));
    memcpy(copy + packed_size, packed, packed_size);
    write_file(name, copy, packed_size * 2); /* a second member goes on: twice the labels */
    expect_refused(&spec, "two members", "10 bytes left over after 2 labels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_real, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_real_subset, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_small, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_missing, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_hostile, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_bomb, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_prefixes, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_damaged_gzip, setup, leave_folder),
    };
    return cmocka_run_group_tests(tests, setup_all, NULL);
}
