/* The datasets cifar10 and cifar100: the binary releases, their splits, files that lie. */
#include "fixture.h"
#include "data/identity.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct plugin *cifar10, *cifar100;

static int setup_all(void **state)
{
    (void)state;
    cifar10 = load_dataset("cifar10");
    cifar100 = load_dataset("cifar100");
    return 0;
}

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE, BATCH = 20 };

/* Pixel of a record of file f. */
static uint8_t pixel(uint32_t f, uint32_t record, uint32_t c, uint32_t y, uint32_t x)
{
    return (uint8_t)(f * 31 + record * 7 + c * 80 + y * 3 + x * 11);
}

/* Records with `labels` label bytes; label k of record r is (r + file) * (k + 3) % modulus. */
static void write_records(const char *path, uint32_t file, uint32_t records, uint32_t labels, uint32_t modulus)
{
    uint8_t *bytes = malloc((size_t)records * (labels + 3 * PLANE)), *p = bytes;
    assert_non_null(bytes);
    for (uint32_t r = 0; r < records; r++) {
        for (uint32_t k = 0; k < labels; k++)
            *p++ = (uint8_t)((r + file) * (k + 3) % modulus);
        for (uint32_t c = 0; c < 3; c++)
            for (uint32_t y = 0; y < SIDE; y++)
                for (uint32_t x = 0; x < SIDE; x++)
                    *p++ = pixel(file, r, c, y, x);
    }
    write_file(path, bytes, (size_t)(p - bytes));
    free(bytes);
}

static void write_cifar10(const char *folder)
{
    char path[64];
    if (*folder)
        mkdir(folder, 0777);
    for (uint32_t i = 0; i < 6; i++) {
        if (i < 5)
            snprintf(path, sizeof path, "%s%sdata_batch_%u.bin", folder, *folder ? "/" : "", i + 1);
        else
            snprintf(path, sizeof path, "%s%stest_batch.bin", folder, *folder ? "/" : "");
        write_records(path, i, BATCH, 1, 10);
    }
}

static void check_pixels(struct dataset *d, const struct split *s)
{
    const struct batches_params p = {
        .dataset = d, .split = s, .batch_size = 16, .image = { .channels = 3, .height = SIDE, .width = SIDE }
    };
    struct batches *b;
    struct error e;
    bioft_batch batch;
    assert_int_equal(batches_create(&p, &b, &e), BIOFT_OK);
    while (batches_next(b, &batch, &e) == BIOFT_OK && batch.n)
        for (uint32_t i = 0; i < batch.n; i++) {
            /* The name says which published image it is. */
            char name[64];
            unsigned number;
            assert_int_equal(dataset_name(d, s, batch.sample[i], name, sizeof name, &e), BIOFT_OK);
            const bool test = sscanf(name, "test/%u", &number) == 1;
            assert_true(test || sscanf(name, "train/%u", &number) == 1);
            const uint32_t file = test ? 5 : number / BATCH, record = number % BATCH;
            assert_int_equal(batch.label[i], (record + file) * 3 % 10);
            for (uint32_t k = 0; k < 3 * PLANE; k++)
                assert_true(batch.x[i * 3 * PLANE + k] ==
                            (float)pixel(file, record, k / PLANE, k % PLANE / SIDE, k % SIDE) / 255.0f);
        }
    assert_int_equal(batch.n, 0);
    batches_destroy(b);
}

static void test_binary(void **state)
{
    struct dataset_spec spec = plain_spec(cifar10, *state);
    for (int way = 0; way < 2; way++) {
        write_cifar10(way ? "" : "cifar-10-batches-bin");
        struct dataset *d = open_dataset(&spec);
        assert_int_equal(d->classes, 10);
        assert_string_equal(d->class_names[3], "cat");
        assert_true(d->channels == 3 && d->height == SIDE && d->width == SIDE && !d->encoded);
        assert_int_equal(d->split_count, 2);
        assert_int_equal(d->splits[0].count, 100);
        assert_int_equal(d->splits[1].count, 20);
        assert_int_equal(d->note_count, 1);
        assert_contains(d->notes[0], "not the whole CIFAR-10: 100 images");
        check_pixels(d, &d->splits[0]);
        check_pixels(d, &d->splits[1]);
        hammer(d);
        dataset_close(d);
    }
}

static void set_option(struct option_value *values, const char *name, int64_t value)
{
    size_t index = 0;
    assert_non_null(options_find(cifar10, name, &index));
    values[index].integer = value;
    values[index].given = true;
}

/* Every published image is in exactly one split, with as many a class as asked for. */
static void check_partition(struct dataset *d, const char *const *names, const uint64_t *per_class, uint64_t all)
{
    uint8_t seen[120] = { 0 };
    uint64_t sum = 0;
    for (size_t i = 0; i < d->split_count; i++) {
        const struct split *s = &d->splits[i];
        uint64_t counts[10] = { 0 };
        assert_string_equal(s->name, names[i]);
        for (uint64_t k = 0; k < s->count; k++) {
            char name[32];
            unsigned number;
            assert_int_equal(dataset_name(d, s, k, name, sizeof name, NULL), BIOFT_OK);
            assert_int_equal(sscanf(strchr(name, '/'), "/%u", &number), 1);
            number += name[1] == 'e' ? 100 : 0;
            assert_int_equal(seen[number]++, 0);
            counts[s->label[k]]++;
        }
        for (int c = 0; per_class[i] && c < 10; c++)
            assert_int_equal(counts[c], per_class[i]);
        check_pixels(d, s);
        sum += s->count;
    }
    assert_int_equal(sum, all);
}

static void test_splits(void **state)
{
    static const char *const four[] = { "train", "val", "test", "database" }, *const three[] = { "train", "val",
                                                                                                 "test" };
    static const uint64_t drawn[] = { 5, 1, 2, 4 }, validation[] = { 7, 3, 2 };
    struct dataset_spec spec = plain_spec(cifar10, *state);
    struct arena *arena = arena_create();
    struct option_value *values;
    char fingerprint[17];
    struct error e;

    write_cifar10("");
    assert_int_equal(options_defaults(cifar10, arena, &values, &e), BIOFT_OK);
    spec.choice.values = values;
    set_option(values, "val_per_class", 3);
    struct dataset *d = open_dataset(&spec);
    check_partition(d, three, validation, 120);
    dataset_close(d);

    spec.protocol = "retrieval";
    expect_refused(&spec, "too few", "class 'airplane' has 12 images, and 603 are to be drawn|train_per_class");
    set_option(values, "train_per_class", 5);
    set_option(values, "val_per_class", 1);
    set_option(values, "test_per_class", 2);
    d = open_dataset(&spec);
    assert_string_equal(d->protocol, "retrieval");
    check_partition(d, four, drawn, 120);
    strcpy(fingerprint, d->splits[2].fingerprint);
    dataset_close(d);
    d = open_dataset(&spec);
    assert_string_equal(d->splits[2].fingerprint, fingerprint);
    dataset_close(d);
    spec.split_seed = 1;
    d = open_dataset(&spec);
    check_partition(d, four, drawn, 120);
    assert_string_not_equal(d->splits[2].fingerprint, fingerprint);
    dataset_close(d);
    arena_destroy(arena);
}

static void test_cifar10_refused(void **state)
{
    struct dataset_spec spec = plain_spec(cifar10, *state);
    spec.root = NULL;
    expect_refused(&spec, "no root", "root|cifar-10-batches-bin/");
    spec.root = *state;
    expect_refused(&spec, "empty", "cifar-10-batches-bin/data_batch_1.bin|https://");
    mkdir("cifar-10-batches-py", 0777);
    expect_refused(&spec, "python", "cifar-10-batches-py/data_batch_1|No such file");
    write_cifar10("");
    remove("data_batch_4.bin");
    expect_refused(&spec, "missing", "data_batch_4.bin");
    write_cifar10("");
    assert_int_equal(truncate("data_batch_2.bin", BATCH * RECORD - 1), 0);
    expect_refused(&spec, "short by one", "data_batch_2.bin: 61459 bytes|records of 3073 bytes");
    write_records("data_batch_2.bin", 0, 3, 2, 10);
    expect_refused(&spec, "CIFAR-100 file", "data_batch_2.bin: 9222 bytes");
    write_file("data_batch_2.bin", "", 0);
    expect_refused(&spec, "empty file", "data_batch_2.bin: 0 bytes");
    write_records("data_batch_2.bin", 1, BATCH, 1, 11);
    expect_refused(&spec, "label 10", "data_batch_2.bin: label 10 of record 6 is out of range 0 to 9 (at byte 18438)");
}

static void write_names(const char *path, const char *prefix, int count, const char *end)
{
    FILE *f = fopen(path, "w");
    for (int i = 0; i < count; i++)
        fprintf(f, "%s%d%s", prefix, i, end);
    fclose(f);
}

static void test_cifar100(void **state)
{
    struct dataset_spec spec = plain_spec(cifar100, *state);
    static const struct {
        int coarse;
        uint32_t classes, factor;
        const char *last;
    } ways[] = { { 0, 100, 4, "fine 99" }, { 1, 20, 3, "coarse 19" } };
    struct arena *arena = arena_create();
    struct option_value *values;

    mkdir("cifar-100-binary", 0777);
    assert_int_equal(chdir("cifar-100-binary"), 0);
    write_records("train.bin", 0, 30, 2, 20);
    write_records("test.bin", 1, 10, 2, 20);
    write_names("fine_label_names.txt", "fine ", 100, "\n");
    write_names("coarse_label_names.txt", "coarse ", 20, "\r\n");
    for (size_t i = 0; i < COUNT(ways); i++) {
        assert_int_equal(options_defaults(cifar100, arena, &values, NULL), BIOFT_OK);
        values[0].integer = ways[i].coarse;
        spec.choice.values = values;
        struct dataset *d = open_dataset(&spec);
        assert_int_equal(d->classes, ways[i].classes);
        assert_string_equal(d->class_names[ways[i].classes - 1], ways[i].last);
        assert_int_equal(d->splits[0].count, 30);
        assert_int_equal(d->splits[1].count, 10);
        for (uint32_t k = 0; k < 30; k++)
            assert_int_equal(d->splits[0].label[k], k * ways[i].factor % 20);
        dataset_close(d);
    }
    spec.choice.values = NULL;
    write_names("fine_label_names.txt", "fine ", 99, "\n");
    expect_refused(&spec, "few names", "fine_label_names.txt|fewer names");
    write_names("fine_label_names.txt", "fine ", 101, "\n");
    expect_refused(&spec, "many names", "fine_label_names.txt:101|more names");
    write_names("fine_label_names.txt", "fine ", 100, "\n");
    write_records("test.bin", 1, 30, 2, 101);
    expect_refused(&spec, "label", "test.bin: label 21 of record 6 is out of range 0 to 19");
    write_records("test.bin", 1, 10, 1, 10);
    expect_refused(&spec, "CIFAR-10 file", "test.bin: 30730 bytes|3074");
    assert_int_equal(chdir(".."), 0);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_binary, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_splits, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_cifar10_refused, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_cifar100, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, setup_all, NULL);
}
