/* Opening a dataset: classes kept and renumbered, samples left out, limited and drawn; identity. */
#include "fixture.h"

#include "data/choose.h"
#include "data/identity.h"
#include "golden_choices.h"

static struct dataset_spec spec;

static int setup(void **state)
{
    (void)state;
    fake_reset();
    spec = plain_spec(fake_plugin(), NULL);
    return 0;
}

static void test_all(void **state)
{
    (void)state;
    struct dataset *d = open_dataset(&spec);
    const struct split *s = dataset_split(d, "train");

    assert_string_equal(d->name, "fake");
    assert_string_equal(d->protocol, "classification");
    assert_int_equal(d->classes, 5);
    assert_int_equal(d->label_words, 1);
    assert_false(d->multi_label);
    assert_false(d->encoded);
    assert_int_equal(d->channels, 1);
    assert_int_equal(d->height, 6);
    assert_int_equal(d->width, 5);
    assert_string_equal(d->class_names[3], "class 3");
    assert_int_equal(d->split_count, 2);
    assert_int_equal(s->count, 40);
    for (uint64_t i = 0; i < 40; i++) {
        assert_int_equal(s->index[i], i);
        assert_int_equal(s->label[i], i % 5);
        assert_int_equal(s->labels[i], 1u << (i % 5));
    }
    dataset_close(d);
}

static void test_subset(void **state)
{
    (void)state;
    static const int64_t classes[] = { 4, 1 };
    spec.classes = classes;
    spec.class_count = 2;
    struct dataset *d = open_dataset(&spec);
    const struct split *s = dataset_split(d, "test");

    assert_int_equal(d->classes, 2);
    assert_string_equal(d->class_names[0], "class 4");
    assert_string_equal(d->class_names[1], "class 1");
    assert_int_equal(s->count, 8);
    assert_int_equal(s->left_out, 0);
    for (uint64_t i = 0; i < 8; i++) {
        assert_int_equal(s->index[i], i / 2 * 5 + (i % 2 ? 4 : 1));
        assert_int_equal(s->label[i], i % 2 ? 0 : 1);
        assert_int_equal(s->labels[i], i % 2 ? 1 : 2);
    }
    dataset_close(d);
}

/* Shares of the training split become splits: of each class within one sample its share, the whole within one too,
 * every sample in one of them, drawn by split_seed, and the test part the same with another beside it. */
static void test_parts(void **state)
{
    (void)state;
    uint64_t first[400];
    char fingerprint[17];
    fake.splits = 1;
    fake.counts[0] = 397;
    spec.parts[PART_TEST] = 0.2;
    for (int way = 0; way < 3; way++) {
        uint8_t seen[397] = { 0 };
        if (way == 1)
            spec.parts[PART_VAL] = 0.1;
        if (way == 2)
            spec.split_seed = 7;
        struct dataset *d = open_dataset(&spec);
        const struct split *test = dataset_split(d, "test"), *val = dataset_split(d, "val");
        assert_int_equal(test->count, 79); /* 0.2 x 397 = 79.4 */
        if (way)
            assert_int_equal(val->count, 40);
        for (size_t i = 0; i < d->split_count; i++) {
            const struct split *s = &d->splits[i];
            uint64_t each[5] = { 0 };
            for (uint64_t k = 0; k < s->count; k++) {
                assert_int_equal(seen[s->index[k]]++, 0);
                assert_int_equal(s->label[k], s->index[k] % 5);
                assert_int_equal(s->labels[k], 1u << s->label[k]);
                each[s->label[k]]++;
            }
            for (int c = 0; s != dataset_split(d, "train") && c < 5; c++)
                assert_true(each[c] * 5 + 5 >= s->count && each[c] * 5 <= s->count + 5);
        }
        for (int i = 0; i < 397; i++)
            assert_int_equal(seen[i], 1);
        if (way == 0) {
            memcpy(first, test->index, test->count * sizeof *first);
            memcpy(fingerprint, test->fingerprint, sizeof fingerprint);
        } else {
            assert_int_equal(memcmp(first, test->index, test->count * sizeof *first) == 0, way == 1);
            assert_int_equal(strcmp(fingerprint, test->fingerprint) == 0, way == 1);
        }
        dataset_close(d);
    }
    fake.splits = 2;
    expect_refused(&spec, "a test split of its own", "split: the data has a split 'test' of its own");
    fake.splits = 1;
    spec.parts[PART_VAL] = 0.001;
    expect_refused(&spec, "nothing", "split: 0.001 of 397 samples leave none for 'val'");
}

static void test_wrong_classes(void **state)
{
    (void)state;
    static const int64_t beyond[] = { 1, 5 }, twice[] = { 1, 2, 1 }, negative[] = { -1 },
                         many[] = { 0, 1, 2, 3, 4, 0, 1, 2 };
    spec.classes = beyond;
    spec.class_count = 2;
    expect_refused(&spec, "beyond", "classes: 5|0 to 4|class 0|class 4");
    spec.classes = twice;
    spec.class_count = 3;
    expect_refused(&spec, "twice", "1 is named twice");
    spec.classes = negative;
    spec.class_count = 1;
    expect_refused(&spec, "negative", "classes: -1");
    spec.classes = many;
    spec.class_count = 8;
    expect_refused(&spec, "many", "0 is named twice");
}

static int32_t third_has_none(uint32_t split, uint64_t index)
{
    (void)split;
    return index % 3 == 0 ? -1 : (int32_t)(index % 5);
}

static void test_unlabelled(void **state)
{
    (void)state;
    fake.label = third_has_none;
    struct dataset *d = open_dataset(&spec);
    assert_int_equal(d->splits[0].count, 26);
    assert_int_equal(d->splits[0].left_out, 14);
    assert_int_equal(d->splits[1].left_out, 7);
    assert_int_equal(d->note_count, 2);
    assert_contains(d->notes[0], "14 samples without a label");
    dataset_close(d);

    spec.unlabelled = POLICY_KEEP;
    d = open_dataset(&spec);
    assert_int_equal(d->splits[0].count, 40);
    assert_int_equal(d->splits[0].left_out, 0);
    assert_int_equal(d->splits[0].label[3], -1);
    assert_int_equal(d->splits[0].labels[3], 0);
    dataset_close(d);
}

static uint64_t bits_of_index(uint32_t split, uint64_t index)
{
    (void)split;
    return index & 31;
}

static void test_multi_label(void **state)
{
    (void)state;
    static const int64_t classes[] = { 3, 0 };
    fake.multi_label = true;
    fake.labels = bits_of_index;
    spec.classes = classes;
    spec.class_count = 2;
    struct dataset *d = open_dataset(&spec);
    const struct split *s = &d->splits[0];
    uint64_t n = 0, empty = 0;

    assert_true(d->multi_label);
    for (uint64_t i = 0; i < 40; i++) {
        const uint64_t want = (i >> 3 & 1) | (i & 1) << 1;
        empty += !(i & 31);
        if (!want)
            continue;
        assert_int_equal(s->index[n], i);
        assert_int_equal(s->labels[n], want);
        assert_int_equal(s->label[n], want == 3 ? -1 : want == 1 ? 0 : 1);
        n++;
    }
    assert_int_equal(s->count, n);
    assert_int_equal(s->left_out, empty);
    dataset_close(d);
}

static int32_t too_large(uint32_t split, uint64_t index) { return split == 1 && index == 7 ? 9 : 0; }

static uint64_t two_at_three(uint32_t split, uint64_t index)
{
    (void)split;
    return index == 3 ? 3 : 1;
}

static int32_t fake_single(const void *self)
{
    (void)self;
    return 0;
}

static void test_wrong_labels(void **state)
{
    (void)state;
    struct plugin single = *fake_plugin();
    fake.label = too_large;
    expect_refused(&spec, "label 9", "1/7|index 7|label 9|0 to 4");
    single.api.dataset.multi_label = fake_single;
    single.descriptor.vtable = &single.api.dataset;
    spec.choice.plugin = &single;
    fake.multi_label = true;
    fake.labels = two_at_three;
    expect_refused(&spec, "two labels", "0/3|2 labels in data of single labels");
}

static int32_t one_class(uint32_t split, uint64_t index)
{
    (void)split, (void)index;
    return 2;
}

static void test_nothing_left(void **state)
{
    (void)state;
    static const int64_t classes[] = { 0 };
    fake.label = one_class;
    spec.classes = classes;
    spec.class_count = 1;
    expect_refused(&spec, "nothing", "no sample is left");
}

static void test_need(void **state)
{
    (void)state;
    const struct split *s = NULL;
    struct error e;
    fake.splits = 3;
    struct dataset *d = open_dataset(&spec);
    assert_int_equal(dataset_need(d, "train", &s, &e), BIOFT_OK);
    assert_ptr_equal(s, &d->splits[0]);
    assert_int_equal(dataset_need(d, "database", &s, &e), BIOFT_ERR_INVALID);
    assert_contains(e.text, "train (40), test (20), val (0)");
    assert_int_equal(dataset_need(d, "val", &s, &e), BIOFT_ERR_INVALID);
    assert_contains(e.text, "no samples");
    assert_null(dataset_split(d, "database"));
    dataset_close(d);
}

static void test_limit(void **state)
{
    (void)state;
    spec.limit = 15;
    struct dataset *d = open_dataset(&spec);
    for (int i = 0; i < 2; i++) {
        const struct split *s = &d->splits[i];
        int per_class[5] = { 0 };
        assert_int_equal(s->count, 15);
        for (uint64_t k = 0; k < 15; k++) {
            assert_true(k == 0 || s->index[k] > s->index[k - 1]);
            assert_int_equal(s->label[k], s->index[k] % 5);
            assert_int_equal(s->labels[k], 1u << s->label[k]);
            per_class[s->label[k]]++;
        }
        for (int c = 0; c < 5; c++)
            assert_int_equal(per_class[c], 3);
    }
    dataset_close(d);
}

static void test_golden_choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_choices); i++) {
        int32_t label[64];
        uint64_t got[64];
        const uint64_t wanted = golden_choices[i].wanted;
        for (int32_t k = 0; k < (int32_t)golden_choices[i].count; k++) {
            label[k] = k * k % golden_choices[i].modulus;
            label[k] -= golden_choices[i].gaps && label[k] == 0;
        }
        assert_int_equal(choose_balanced(golden_choices[i].seed, "choose/test",
                                         golden_choices[i].classes ? label : NULL, golden_choices[i].count,
                                         (uint32_t)golden_choices[i].classes, wanted, got, NULL),
                         BIOFT_OK);
        assert_memory_equal(got, golden_choices[i].taken, wanted * sizeof *got);
    }
}

/* Every draw is ascending, as even as the classes allow, and part of the next larger draw. */
static void test_choose_is_nested(void **state)
{
    (void)state;
    enum { N = 60, CLASSES = 4 };
    static const int have[CLASSES] = { 30, 2, 0, 28 };
    int32_t label[N];
    uint64_t before[N], now[N];
    for (int i = 0, c = 0, left = have[0]; i < N; i++, left--) {
        while (!left)
            left = have[++c];
        label[i] = c;
    }
    for (uint64_t n = 0; n <= N; n++) {
        int taken[CLASSES] = { 0 };
        uint64_t common = 0;
        assert_int_equal(choose_balanced(3, "s", label, N, CLASSES, n, now, NULL), BIOFT_OK);
        for (uint64_t i = 0, k = 0; i < n; i++) {
            assert_true(i == 0 || now[i] > now[i - 1]);
            taken[label[now[i]]]++;
            while (n && k < n - 1 && before[k] < now[i])
                k++;
            common += n && k < n - 1 && before[k] == now[i];
        }
        assert_int_equal(common, n ? n - 1 : 0);
        assert_int_equal(taken[1] > 2, 0);
        if (taken[0] < 30 && taken[3] < 28)
            assert_true(taken[0] + 1 >= taken[3] && taken[0] + 1 - taken[3] <= 2);
        if (n >= 6)
            assert_int_equal(taken[1], 2);
        memcpy(before, now, sizeof now);
    }
}

static void test_choose(void **state)
{
    (void)state;
    uint64_t *a, *b, n;
    struct error e;
    struct dataset *d = open_dataset(&spec);

    assert_int_equal(dataset_choose(d, &d->splits[1], 10, &a, &n, &e), BIOFT_OK);
    assert_int_equal(n, 10);
    spec.split_seed = 1;
    assert_int_equal(dataset_choose(d, &d->splits[1], 10, &b, &n, &e), BIOFT_OK);
    assert_memory_not_equal(a, b, 10 * sizeof *a);
    free(b);
    spec.split_seed = 0;
    assert_int_equal(dataset_choose(d, &d->splits[1], 10, &b, &n, &e), BIOFT_OK);
    assert_memory_equal(a, b, 10 * sizeof *a);
    free(a);
    free(b);
    for (uint64_t samples = 0; samples < 100; samples += 99) {
        assert_int_equal(dataset_choose(d, &d->splits[1], samples, &a, &n, &e), BIOFT_OK);
        assert_int_equal(n, 20);
        for (uint64_t i = 0; i < 20; i++)
            assert_int_equal(a[i], i);
        free(a);
    }
    dataset_close(d);
}

static void test_identity(void **state)
{
    (void)state;
    static const int64_t classes[] = { 1, 0 }, others[] = { 0, 1 };
    char sums[3][SHA256_HEX], want[SHA256_HEX], name[64];
    char text[4096] = "40\n";
    struct error e;
    struct dataset *d = open_dataset(&spec);

    for (int i = 0; i < 40; i++)
        sprintf(text + strlen(text), "0/%d\n", i);
    sha256_bytes(text, strlen(text), want);
    assert_int_equal(strlen(d->splits[0].fingerprint), 16);
    assert_memory_equal(d->splits[0].fingerprint, want, 16);
    assert_string_not_equal(d->splits[0].fingerprint, d->splits[1].fingerprint);
    assert_int_equal(dataset_name(d, &d->splits[1], 7, name, sizeof name, &e), BIOFT_OK);
    assert_string_equal(name, "1/7");
    dataset_close(d);

    /* The same samples under other labels are other data. */
    for (int i = 0; i < 3; i++) {
        spec.classes = i == 1 ? others : classes;
        spec.class_count = 2;
        d = open_dataset(&spec);
        assert_int_equal(dataset_digest(d, sums[i], &e), BIOFT_OK);
        dataset_close(d);
    }
    assert_int_equal(strlen(sums[0]), 64);
    assert_string_equal(sums[0], sums[2]);
    assert_string_not_equal(sums[0], sums[1]);
}

static bioft_status odd_describe(void *self, bioft_info *ret)
{
    bioft_status st;
    (void)self;
    switch (fake.classes) {
    case 100: return ret->split(ret, "training", 5);
    case 101: st = ret->split(ret, "train", 5); return st ? st : ret->split(ret, "train", 5);
    case 102: return ret->class_name(ret, 1, "x");
    case 103:
        ret->class_name(ret, 0, "x");
        ret->class_name(ret, 1, "x");
        return ret->split(ret, "train", 1);
    case 104: return ret->class_name(ret, 0, "x");
    case 105: return ret->split(ret, "train", 5);
    case 106: return ret->split(ret, "train", UINT64_C(1) << 40);
    default: return ret->class_name(ret, 0, "");
    }
}

static void test_descriptions(void **state)
{
    (void)state;
    static const char *const says[] = { "'training'|train, val, test and database",
                                        "named twice",
                                        "out of order",
                                        "two classes are named 'x'",
                                        "no split",
                                        "no class",
                                        "more samples",
                                        "without a name" };
    static struct plugin odd;
    odd = *fake_plugin();
    odd.api.dataset.describe = odd_describe;
    odd.descriptor.vtable = &odd.api.dataset;
    spec.choice.plugin = &odd;
    for (size_t i = 0; i < COUNT(says); i++) {
        fake.classes = 100 + (uint32_t)i;
        expect_refused(&spec, says[i], says[i]);
    }
}

static void test_bad_sample(void **state)
{
    (void)state;
    fake.channels = 5;
    expect_refused(&spec, "channels", "0/0|5 channels");
    fake.channels = 1;
    fake.fail_at = 0;
    struct dataset *d = open_dataset(&spec); /* the first that can be read says what the data is */
    assert_int_equal(d->height, 6);
    dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all, setup),
        cmocka_unit_test_setup(test_subset, setup),
        cmocka_unit_test_setup(test_parts, setup),
        cmocka_unit_test_setup(test_wrong_classes, setup),
        cmocka_unit_test_setup(test_unlabelled, setup),
        cmocka_unit_test_setup(test_multi_label, setup),
        cmocka_unit_test_setup(test_wrong_labels, setup),
        cmocka_unit_test_setup(test_nothing_left, setup),
        cmocka_unit_test_setup(test_need, setup),
        cmocka_unit_test_setup(test_limit, setup),
        cmocka_unit_test_setup(test_choose_is_nested, setup),
        cmocka_unit_test_setup(test_choose, setup),
        cmocka_unit_test_setup(test_identity, setup),
        cmocka_unit_test_setup(test_descriptions, setup),
        cmocka_unit_test_setup(test_bad_sample, setup),
        cmocka_unit_test(test_golden_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
