/* The dataset npy: bytes, floats, single labels and several, and arrays that do not fit. */
#include "fixture.h"
#include "data/identity.h"

#include <math.h>
#include <unistd.h>

static const struct plugin *plugin;
static struct dataset_spec spec;

static int setup_all(void **state)
{
    (void)state;
    plugin = load_dataset("npy");
    return 0;
}

static int setup(void **state)
{
    const int failed = enter_folder(state);
    spec = plain_spec(plugin, *state);
    return failed;
}

/* 6 images of 2x3 with 3 channels; bytes in NHWC, the same as floats in NCHW. */
enum { N = 6, H = 2, W = 3, C = 3, IMAGE = H * W * C };
static uint8_t bytes[N * IMAGE];
static float floats[N * IMAGE];
static const int64_t single[N] = { 2, 0, 1, 1, 0, 2 };
static const uint8_t several[N * 4] = { 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1 };

static void make_pixels(void)
{
    for (int i = 0; i < N; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < C; c++) {
                    const uint8_t v = (uint8_t)(i * 41 + y * 90 + x * 13 + c * 7);
                    bytes[((i * H + y) * W + x) * C + c] = v;
                    floats[((i * C + c) * H + y) * W + x] = (float)v / 255.0f;
                }
}

static void write_all(bool as_floats, bool multi)
{
    static const char *const splits[] = { "train", "test" };
    make_pixels();
    for (int i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s_images.npy", splits[i]);
        if (as_floats)
            write_npy(name, "<f4", "(6, 3, 2, 3)", floats, sizeof floats);
        else
            write_npy(name, "|u1", "(6, 2, 3, 3)", bytes, sizeof bytes);
        snprintf(name, sizeof name, "%s_labels.npy", splits[i]);
        if (multi)
            write_npy(name, "|u1", "(6, 4)", several, sizeof several);
        else
            write_npy(name, "<i8", "(6,)", single, sizeof single);
    }
}

static void test_contents(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct error e;
        struct batches *b;
        bioft_batch batch;
        char name[32];
        write_all(way == 1, false);
        struct dataset *d = open_dataset(&spec);
        assert_int_equal(d->classes, 3);
        assert_string_equal(d->class_names[2], "2");
        assert_true(d->channels == C && d->height == H && d->width == W && !d->encoded && !d->multi_label);
        assert_int_equal(d->split_count, 2);
        assert_int_equal(dataset_name(d, &d->splits[0], 3, name, sizeof name, &e), BIOFT_OK);
        assert_string_equal(name, "train/3");
        const struct batches_params p = {
            .dataset = d, .split = &d->splits[1], .batch_size = N, .image = { .channels = C, .height = H, .width = W }
        };
        assert_int_equal(batches_create(&p, &b, &e), BIOFT_OK);
        assert_int_equal(batches_next(b, &batch, &e), BIOFT_OK);
        assert_memory_equal(batch.x, floats, sizeof floats);
        for (int i = 0; i < N; i++)
            assert_int_equal(batch.label[i], single[i]);
        batches_destroy(b);
        hammer(d);
        dataset_close(d);
    }
}

static void test_multi_label(void **state)
{
    (void)state;
    write_all(false, true);
    struct dataset *d = open_dataset(&spec);
    const struct split *s = &d->splits[0];
    assert_true(d->multi_label);
    assert_int_equal(d->classes, 4);
    assert_int_equal(s->count, 5); /* the third has no label */
    assert_int_equal(s->left_out, 1);
    assert_int_equal(s->labels[0], 9);
    assert_int_equal(s->label[0], -1);
    assert_int_equal(s->label[1], 1);
    assert_int_equal(s->labels[2], 15);
    assert_int_equal(s->index[2], 3);
    dataset_close(d);
}

/* More classes than one word of labels holds. */
static void test_many_classes(void **state)
{
    (void)state;
    static const int64_t labels[N] = { 0, 63, 64, 129, 128, 1 };
    write_all(false, false);
    write_npy("train_labels.npy", "<i8", "(6,)", labels, sizeof labels);
    struct dataset *d = open_dataset(&spec);
    const struct split *s = &d->splits[0];
    assert_int_equal(d->classes, 130);
    assert_int_equal(d->label_words, 3);
    for (int i = 0; i < N; i++)
        for (int w = 0; w < 3; w++)
            assert_int_equal(s->labels[i * 3 + w], labels[i] / 64 == w ? UINT64_C(1) << labels[i] % 64 : 0);
    static const int64_t kept[] = { 129, 63 };
    dataset_close(d);
    spec.classes = kept;
    spec.class_count = 2;
    d = open_dataset(&spec);
    assert_int_equal(d->label_words, 1);
    assert_int_equal(d->splits[0].count, 2);
    assert_int_equal(d->splits[0].labels[0], 2);
    assert_int_equal(d->splits[0].labels[1], 1);
    dataset_close(d);
}

/* [n][1] is [n], of any integer type; several columns of 0 and 1 are several labels of any integer
 * type; the manifest may say that one column is as well. */
static void test_label_shapes(void **state)
{
    static const uint8_t narrow[N] = { 2, 0, 1, 1, 0, 2 };
    static const int64_t wide[N * 2] = { 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1 };
    static const struct {
        const char *descr, *shape;
        const void *data;
        size_t size;
    } ways[] = { { "|u1", "(6, 1)", narrow, sizeof narrow },
                 { "|u1", "(6,)", narrow, sizeof narrow },
                 { "<i8", "(6, 1)", single, sizeof single } };
    (void)state;
    for (size_t w = 0; w < COUNT(ways); w++) {
        write_all(false, false);
        for (int i = 0; i < 2; i++)
            write_npy(i ? "test_labels.npy" : "train_labels.npy", ways[w].descr, ways[w].shape, ways[w].data,
                      ways[w].size);
        struct dataset *d = open_dataset(&spec);
        assert_true(!d->multi_label && d->classes == 3 && d->splits[0].count == N);
        for (int i = 0; i < N; i++)
            assert_int_equal(d->splits[1].label[i], single[i]);
        dataset_close(d);
    }
    write_npy("train_labels.npy", "<i8", "(6, 2)", wide, sizeof wide);
    write_npy("test_labels.npy", "<i8", "(6, 2)", wide, sizeof wide);
    struct dataset *d = open_dataset(&spec);
    assert_true(d->multi_label && d->classes == 2);
    assert_int_equal(d->splits[0].labels[2], 3);
    assert_int_equal(d->splits[0].labels[0], 2);
    dataset_close(d);
}

/* Grey images without a dimension for the channel are those with one. */
static void test_grey(void **state)
{
    (void)state;
    write_all(false, false);
    for (int i = 0; i < 2; i++)
        write_npy(i ? "test_images.npy" : "train_images.npy", "|u1", "(6, 6, 3)", bytes, sizeof bytes);
    struct dataset *d = open_dataset(&spec);
    assert_true(d->channels == 1 && d->height == 6 && d->width == 3);
    dataset_close(d);
    for (int i = 0; i < 2; i++)
        write_npy(i ? "test_images.npy" : "train_images.npy", "<f4", "(6, 9, 2)", floats, sizeof floats);
    d = open_dataset(&spec);
    assert_true(d->channels == 1 && d->height == 9 && d->width == 2);
    dataset_close(d);
}

static bool notes(const struct dataset *d, const char *part)
{
    for (size_t i = 0; i < d->note_count; i++)
        if (strstr(d->notes[i], part))
            return true;
    return false;
}

/* Classes that a split has no sample of, and labels that begin at 1, are reported. */
static void test_absent_classes(void **state)
{
    static const int64_t from_one[N] = { 1, 2, 3, 1, 2, 3 }, two[N] = { 0, 2, 0, 2, 0, 2 };
    (void)state;
    write_all(false, false);
    struct dataset *d = open_dataset(&spec);
    assert_int_equal(d->note_count, 0);
    dataset_close(d);
    write_npy("test_labels.npy", "<i8", "(6,)", two, sizeof two);
    d = open_dataset(&spec);
    assert_int_equal(d->note_count, 1);
    assert_true(notes(d, "split 'test': no sample of 1 of the 3 classes: 1"));
    dataset_close(d);
    write_npy("train_labels.npy", "<i8", "(6,)", from_one, sizeof from_one);
    write_npy("test_labels.npy", "<i8", "(6,)", from_one, sizeof from_one);
    d = open_dataset(&spec);
    assert_true(notes(d, "the labels begin at 1"));
    dataset_close(d);
}

static void test_which_files(void **state)
{
    (void)state;
    expect_refused(&spec, "empty",
                   "none of the files is there; expected in the root: train_images.npy and train_labels.npy");
    spec.root = "/nowhere/at/all";
    expect_refused(&spec, "no folder", "/nowhere/at/all: no such folder");
    spec.root = NULL;
    expect_refused(&spec, "no root",
                   "no root given: name the folder of the data with 'root'; expected in the root: "
                   "train_images.npy");
    spec.root = *state;
    write_all(false, false);
    remove("test_labels.npy");
    expect_refused(&spec, "no labels", "test_labels.npy: missing|only test_images.npy");
    remove("test_images.npy");
    struct dataset *d = open_dataset(&spec); /* a training split alone is data */
    assert_int_equal(d->split_count, 1);
    dataset_close(d);
    write_npy("database_images.npy", "|u1", "(6, 2, 3, 3)", bytes, sizeof bytes);
    write_npy("database_labels.npy", "<i8", "(6,)", single, sizeof single);
    spec.protocol = "retrieval";
    d = open_dataset(&spec);
    assert_non_null(dataset_split(d, "database"));
    assert_string_equal(d->protocol, "retrieval");
    dataset_close(d);
}

static void test_refused(void **state)
{
    (void)state;
    static int64_t labels[N];
    static float bad[N * IMAGE];
    static const struct {
        const char *file, *descr, *shape;
        const void *data;
        size_t size;
        const char *says;
    } cases[] = {
        { "train_images.npy", "<i8", "(1, 1, 1, 1)", labels, 8, "train_images.npy|integers" },
        { "train_images.npy", "|u1", "(6, 18)", bytes, 108, "2 dimensions" },
        { "train_images.npy", "|u1", "(1, 6, 2, 3, 3)", bytes, 108, "5 dimensions|[n,h,w]" },
        { "train_images.npy", "|u1", "(6, 1, 2, 9)", bytes, 108, "9 channels|[n,h,w,c]" },
        { "train_images.npy", "|u1", "(6, 0, 2, 3)", bytes, 0, "0 rows" },
        { "train_images.npy", "<f4", "(6, 3, 2, 3)", bad, sizeof bad, "[3,1,0,2] is nan" },
        { "train_images.npy", "|O", "(6,)", bytes, 8, "pickle" },
        { "train_labels.npy", "<f4", "(6,)", floats, 24, "train_labels.npy|integers" },
        { "train_labels.npy", "<i8", "(6, 1, 1)", labels, 48, "[n,1]" },
        { "train_labels.npy", "<i8", "(3,)", labels, 24, "counts differ: 3 labels for 6 images" },
        { "train_labels.npy", "<i8", "(6,)", labels, 48, "label -1 at index 4" },
        { "train_labels.npy", "|u1", "(6, 4)", bytes, 24, "labels of several classes are 0 or 1" },
        { "test_images.npy", "|u1", "(6, 3, 2, 3)", bytes, 108, "test_images.npy|3x2x3|2x3x3" },
        { "test_images.npy", "<f4", "(6, 3, 2, 3)", floats, 432, "floats|the others" },
        { "test_labels.npy", "|u1", "(6, 4)", several, 24, "one split has single labels" },
    };
    labels[4] = -1;
    make_pixels();
    memcpy(bad, floats, sizeof bad);
    bad[((3 * C + 1) * H + 0) * W + 2] = NAN;
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_all(false, false);
        write_npy(cases[i].file, cases[i].descr, cases[i].shape, cases[i].data, cases[i].size);
        expect_refused(&spec, cases[i].says, cases[i].says);
    }
    static const float values[] = { -0.001f, 1.0001f, INFINITY };
    for (size_t i = 0; i < COUNT(values); i++) {
        write_all(true, false);
        memcpy(bad, floats, sizeof bad);
        bad[IMAGE * N - 1] = values[i];
        write_npy("test_images.npy", "<f4", "(6, 3, 2, 3)", bad, sizeof bad);
        expect_refused(&spec, "pixel out of range", "test_images.npy|[5,2,1,2]|[0,1]");
    }
    /* What the training split does not know, no other split may ask for. */
    static const int64_t larger[N] = { 0, 1, 2, 3, 0, 0 };
    write_all(false, false);
    write_npy("test_labels.npy", "<i8", "(6,)", larger, sizeof larger);
    expect_refused(&spec, "new class", "test_labels.npy|label 3 at index 3|0 to 2, the training split's");
    spec.protocol = "other";
    expect_refused(&spec, "protocol", "'classification' and 'retrieval'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_contents, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_multi_label, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_many_classes, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_label_shapes, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_grey, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_absent_classes, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_which_files, setup, leave_folder),
        cmocka_unit_test_setup_teardown(test_refused, setup, leave_folder),
    };
    return cmocka_run_group_tests(tests, setup_all, NULL);
}
