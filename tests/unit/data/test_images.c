/* Encoded images: class folders, decoding, resizing, what is missing or broken. */
#include "fixture.h"

#include "base/file.h"
#include "formats/png.h"
#include "data/identity.h"
#include "data/input.h"
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct plugin *image_folder, *cifar10;

static int setup_all(void **state)
{
    (void)state;
    image_folder = load_dataset("image_folder");
    cifar10 = load_dataset("cifar10");
    return 0;
}

static uint8_t level(uint32_t seed, uint32_t y, uint32_t x, uint32_t c)
{
    return (uint8_t)(seed * 41 + y * 23 + x * 7 + c * 90);
}

static void write_image(const char *path, uint32_t width, uint32_t height, uint32_t seed)
{
    uint8_t *pixels = malloc((size_t)width * height * 3);
    struct error e;
    for (uint32_t i = 0; i < width * height * 3; i++)
        pixels[i] = level(seed, i / 3 / width, i / 3 % width, i % 3);
    if (png_write(path, width, height, 3, pixels, &e) != BIOFT_OK)
        fail_msg("%s", e.text);
    free(pixels);
}

static void make_folders(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(mkdir(names[i], 0777), 0);
}

/* Two classes; five training images, two to test with, all 9x7. */
static void write_set(void)
{
    static const char *const folders[] = { "train", "test", "train/b c", "train/B", "test/B", "test/b c" };
    make_folders(folders, COUNT(folders));
    write_image("train/b c/2.png", 9, 7, 2);
    write_image("train/b c/10.PNG", 9, 7, 10);
    write_image("train/B/0.JPEG", 9, 7, 0); /* a PNG by another name */
    write_image("train/B/1.png", 9, 7, 1);
    write_image("train/B/3.jpg", 9, 7, 3);
    write_image("test/B/4.png", 9, 7, 4);
    write_image("test/b c/5.png", 9, 7, 5);
    write_image("train/B/.hidden.png", 9, 7, 5);
    write_file("train/B/notes.txt", "x", 1);
    write_file("train/readme", "x", 1);
}

static void test_folders(void **state)
{
    static const struct {
        const char *name;
        int32_t label;
        uint32_t seed;
    } want[] = { { "train/B/0.JPEG", 0, 0 },
                 { "train/B/1.png", 0, 1 },
                 { "train/B/3.jpg", 0, 3 },
                 { "train/b c/10.PNG", 1, 10 },
                 { "train/b c/2.png", 1, 2 } };
    struct dataset_spec spec = plain_spec(image_folder, *state);
    write_set();
    for (int way = 0; way < 2; way++) { /* held in memory, and decoded at each use */
        struct batches *b;
        struct error e;
        bioft_batch batch;
        spec.cache = way ? "off" : "auto";
        struct dataset *d = open_dataset(&spec);
        assert_true(d->encoded && d->channels == 3 && d->height == 7 && d->width == 9);
        assert_int_equal(d->classes, 2);
        assert_string_equal(d->class_names[0], "B");
        assert_string_equal(d->class_names[1], "b c");
        assert_int_equal(d->splits[0].count, 5);
        assert_int_equal(d->note_count, 1);
        assert_contains(d->notes[0], "2 files passed over");
        const struct batches_params p = {
            .dataset = d, .split = &d->splits[0], .batch_size = 5, .image = { .channels = 3, .height = 7, .width = 9 }
        };
        assert_int_equal(batches_create(&p, &b, &e), BIOFT_OK);
        assert_int_equal(batches_next(b, &batch, &e), BIOFT_OK);
        for (uint32_t i = 0; i < 5; i++) {
            char name[64];
            assert_int_equal(dataset_name(d, &d->splits[0], i, name, sizeof name, &e), BIOFT_OK);
            assert_string_equal(name, want[i].name);
            assert_int_equal(batch.label[i], want[i].label);
            for (uint32_t k = 0; k < 3 * 63; k++)
                assert_true(batch.x[i * 3 * 63 + k] == (float)level(want[i].seed, k % 63 / 9, k % 9, k / 63) / 255.0f);
        }
        batches_destroy(b);
        hammer(d);
        dataset_close(d);
    }
}

/* An empty folder, a cut image, one that is a folder of text. */
static void test_broken(void **state)
{
    struct dataset_spec spec = plain_spec(image_folder, *state);
    struct error e;
    struct dataset *d = NULL;
    write_set();
    assert_int_equal(truncate("train/B/0.JPEG", 60), 0);
    write_file("train/b c/10.PNG", "<html>not found</html>", 22);
    write_file("test/B/4.png", "", 0);
    d = open_dataset(&spec);
    assert_int_equal(d->splits[0].count, 3);
    assert_int_equal(d->splits[0].left_out, 2);
    assert_int_equal(d->splits[1].count, 1);
    assert_int_equal(d->splits[1].left_out, 1);
    assert_int_equal(d->note_count, 3);
    assert_contains(d->notes[1], "split 'train': 2 broken images left out");
    assert_contains(d->notes[1], "train/B/0.JPEG");
    assert_contains(d->notes[1], "HTML");
    assert_contains(d->notes[2], "test/B/4.png: an empty file");
    /* What is kept is what lies in memory. */
    const struct batches_params p = {
        .dataset = d, .split = &d->splits[0], .batch_size = 3, .image = { .channels = 3, .height = 7, .width = 9 }
    };
    struct batches *b;
    bioft_batch batch;
    static const uint32_t seeds[] = { 1, 3, 2 };
    assert_int_equal(batches_create(&p, &b, &e), BIOFT_OK);
    assert_int_equal(batches_next(b, &batch, &e), BIOFT_OK);
    for (int i = 0; i < 3; i++)
        assert_true(batch.x[i * 189] == (float)level(seeds[i], 0, 0, 0) / 255.0f);
    batches_destroy(b);
    dataset_close(d);

    spec.broken = POLICY_ERROR;
    expect_refused(&spec, "policy error", "train/B/0.JPEG");
    spec.broken = POLICY_DROP;
    assert_int_equal(chmod("train/B/1.png", 0), 0);
    if (access("train/B/1.png", R_OK) != 0) {
        expect_refused(&spec, "unreadable", "train/B/1.png");
        spec.missing = POLICY_DROP;
        d = open_dataset(&spec);
        assert_int_equal(d->splits[0].left_out, 3);
        dataset_close(d);
        spec.missing = POLICY_ERROR;
    }
    remove("train/B/1.png");
    assert_int_equal(symlink("nowhere", "train/B/1.png"), 0);
    expect_refused(&spec, "dangling link", "train/B/1.png: No such file");
    remove("train/B/1.png");
    assert_int_equal(mkfifo("train/B/1.png", 0666), 0);
    spec.broken = POLICY_ERROR;
    remove("train/B/0.JPEG");
    remove("train/b c/10.PNG");
    expect_refused(&spec, "a FIFO", "train/B/1.png: not a regular file");
    spec.broken = POLICY_DROP;
    write_file("train/B/0.JPEG", "GIF89a", 6);
    write_file("train/b c/10.PNG", "x", 1);
    spec.missing = POLICY_DROP;
    d = open_dataset(&spec);
    assert_int_equal(d->splits[0].left_out, 3);
    dataset_close(d);
}

/* First value of an image of the training split. */
static float first_value(struct dataset *d, uint64_t position)
{
    const struct batches_params p = { .dataset = d,
                                      .split = &d->splits[0],
                                      .positions = &position,
                                      .count = 1,
                                      .batch_size = 1,
                                      .image = { .channels = 3, .height = 7, .width = 9 } };
    struct batches *b;
    bioft_batch batch;
    float v;
    assert_int_equal(batches_create(&p, &b, NULL), BIOFT_OK);
    assert_int_equal(batches_next(b, &batch, NULL), BIOFT_OK);
    v = batch.x[0];
    batches_destroy(b);
    return v;
}

static void write_numbered(uint32_t i, uint32_t seed)
{
    char path[64];
    snprintf(path, sizeof path, "train/a/%02u.png", i);
    write_image(path, 9, 7, seed);
}

/* The only file of the cache. */
static void cache_file(char *ret, size_t size)
{
    char **names;
    size_t count;
    assert_int_equal(file_list("cache", &names, &count, NULL), BIOFT_OK);
    assert_int_equal(count, 1);
    snprintf(ret, size, "cache/%s", names[0]);
    file_list_free(names, count);
}

static void test_cache(void **state)
{
    static const char *const folders[] = { "train", "train/a" };
    struct dataset_spec spec = plain_spec(image_folder, *state);
    char folder[4200], path[4200];
    struct dataset *d;
    make_folders(folders, COUNT(folders));
    for (uint32_t i = 0; i < 40; i++)
        write_numbered(i, i);
    write_file("train/a/20.png", "no image", 8);
    snprintf(folder, sizeof folder, "%s/cache", (const char *)*state);
    spec.cache = folder;
    d = open_dataset(&spec);
    assert_int_equal(d->splits[0].count, 39);
    assert_true(first_value(d, 38) == (float)level(39, 0, 0, 0) / 255.0f);
    dataset_close(d);
    cache_file(path, sizeof path);

    /* Only some files are compared with it: a change of the last but one is not seen, so it is in
     * use. */
    write_numbered(39, 200);
    d = open_dataset(&spec);
    assert_int_equal(d->splits[0].count, 39);
    assert_int_equal(d->splits[0].left_out, 1);
    assert_contains(d->notes[0], "20.png");
    assert_true(first_value(d, 38) == (float)level(39, 0, 0, 0) / 255.0f);
    assert_true(first_value(d, 20) == (float)level(21, 0, 0, 0) / 255.0f);
    hammer(d);
    dataset_close(d);

    /* A change of the first is, and a damaged or cut file is rebuilt. */
    write_numbered(0, 100);
    for (int way = 0; way < 3; way++) {
        if (way == 1)
            assert_int_equal(truncate(path, 5000), 0);
        if (way == 2) {
            FILE *f = fopen(path, "r+b");
            assert_int_equal(fseek(f, -1000, SEEK_END), 0);
            const int byte = fgetc(f);
            assert_int_equal(fseek(f, -1000, SEEK_END), 0);
            assert_int_equal(fputc(byte ^ 1, f), byte ^ 1);
            assert_int_equal(fclose(f), 0);
        }
        d = open_dataset(&spec);
        assert_true(first_value(d, 0) == (float)level(100, 0, 0, 0) / 255.0f);
        assert_true(first_value(d, 38) == (float)level(200, 0, 0, 0) / 255.0f);
        dataset_close(d);
    }
    /* What was broken is looked at again. */
    write_numbered(20, 20);
    d = open_dataset(&spec);
    assert_int_equal(d->splits[0].count, 40);
    dataset_close(d);
    /* Where nothing can be written, the data is as good. */
    spec.cache = "/dev/null/nowhere";
    d = open_dataset(&spec);
    assert_int_equal(d->splits[0].count, 40);
    dataset_close(d);
}

/* Opens the set and compares every image with what is in its file. */
static bool opens_right(const struct dataset_spec *spec, uint32_t count)
{
    struct dataset *d = open_dataset(spec);
    bool right = d->splits[0].count == count;
    for (uint32_t i = 0; right && i < count; i++)
        right = first_value(d, i) == (float)level(i, 0, 0, 0) / 255.0f;
    dataset_close(d);
    return right;
}

/* Two processes that make the cache at once both have the right images and leave one good file. */
static void test_cache_made_twice(void **state)
{
    static const char *const folders[] = { "train", "train/a" };
    struct dataset_spec spec = plain_spec(image_folder, *state);
    char folder[4200], path[4200];
    pid_t builders[2];
    make_folders(folders, COUNT(folders));
    for (uint32_t i = 0; i < 40; i++)
        write_numbered(i, i);
    snprintf(folder, sizeof folder, "%s/cache", (const char *)*state);
    spec.cache = folder;
    for (size_t k = 0; k < COUNT(builders); k++) {
        builders[k] = fork();
        assert_true(builders[k] >= 0);
        if (builders[k] == 0)
            _exit(opens_right(&spec, 40) ? 0 : 1);
    }
    for (size_t k = 0; k < COUNT(builders); k++) {
        int status;
        assert_int_equal(waitpid(builders[k], &status, 0), builders[k]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    cache_file(path, sizeof path);
    assert_true(opens_right(&spec, 40));
}

static void test_layouts(void **state)
{
    static const char *const folders[] = { "train", "train/a", "test", "test/a", "test/z" };
    struct dataset_spec spec = plain_spec(image_folder, NULL);
    expect_refused(&spec, "no root", "root|train/CLASS");
    spec.root = "/nowhere/at/all";
    expect_refused(&spec, "no folder", "/nowhere/at/all: no such folder");
    spec.root = *state;
    expect_refused(&spec, "empty", "no folder train, val, test or database|train/CLASS/NAME.jpg");
    make_folders(folders, COUNT(folders));
    expect_refused(&spec, "empty class", "train/a|a class without images");
    write_image("train/a/1.png", 3, 3, 0);
    write_image("test/a/1.png", 3, 3, 0);
    write_image("test/z/1.png", 3, 3, 0);
    expect_refused(&spec, "unknown class", "split 'test' has a class 'z' that split 'train' has not");
    remove("test/z/1.png");
    remove("test/z");
    dataset_close(open_dataset(&spec));
}

/* Links are followed, and folders below a class's are its own, in the order of torchvision's
 * ImageFolder, which sorts folders by their paths: "a", "a/b", "a/b-c", "a/b/d". */
static void test_nested(void **state)
{
    static const char *const folders[] = {
        "root", "root/train", "root/train/a", "root/train/a/b", "root/train/a/b/d", "root/train/a/b-c", "away"
    };
    static const char *const names[] = { "train/a/9.png", "train/a/b/2.png", "train/a/b-c/3.png", "train/a/b/d/1.png",
                                         "train/z/7.png" };
    struct dataset_spec spec = plain_spec(image_folder, NULL);
    char path[4200], name[64];
    make_folders(folders, COUNT(folders));
    write_image("away/7.png", 3, 3, 0);
    assert_int_equal(symlink("../../away", "root/train/z"), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "root/%s", names[i]);
        write_image(path, 3, 3, (uint32_t)i);
    }
    write_file("root/train/a/b/notes.txt", "x", 1);
    snprintf(path, sizeof path, "%s/root", (const char *)*state);
    spec.root = path;
    struct dataset *d = open_dataset(&spec);
    assert_int_equal(d->classes, 2);
    assert_int_equal(d->splits[0].count, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(dataset_name(d, &d->splits[0], i, name, sizeof name, NULL), BIOFT_OK);
        assert_string_equal(name, names[i]);
        assert_true(first_value(d, i) == (float)level((uint32_t)i, 0, 0, 0) / 255.0f);
    }
    assert_int_equal(d->note_count, 1);
    assert_contains(d->notes[0], "1 file passed over");
    assert_contains(d->notes[0], "train/a/b/notes.txt");
    dataset_close(d);
    assert_int_equal(symlink("..", "root/train/a/b/up"), 0);
    expect_refused(&spec, "a link that leads back", "train/a/b|does a link in them lead back?");
}

/* Images of several sizes: what each transform makes of them. */
static void test_sizes(void **state)
{
    struct dataset_spec spec = plain_spec(image_folder, *state);
    struct image_format p = { 0 };
    struct error e;
    write_set();
    write_image("train/B/1.png", 12, 10, 1);
    struct dataset *d = open_dataset(&spec);
    struct transform_spec t = { .kind = TRANSFORM_NONE };
    assert_int_equal(input_size(d, &t, 3, 224, 224, &p, &e), BIOFT_ERR_INVALID);
    assert_contains(e.text, "7 to 10 rows and 9 to 12 columns");
    t.kind = TRANSFORM_AUTO;
    assert_int_equal(input_size(d, &t, 3, 224, 224, &p, &e), BIOFT_OK);
    assert_int_equal(p.height, 224);
    dataset_close(d);
}

/* One flat colour stays that colour however it is resized; the sizes are the network's. */
static void test_resized(void **state)
{
    static const struct transform_spec specs[] = {
        { .kind = TRANSFORM_AUTO },
        { .kind = TRANSFORM_MAP, .size = 16, .resize = 20 },
        { .kind = TRANSFORM_MAP, .size = 16, .train = CROP_RANDOM_RESIZED, .flip = true },
        { .kind = TRANSFORM_MAP, .size = 16, .resize = 18, .train = CROP_RANDOM },
    };
    static const char *const folders[] = { "train", "train/a" };
    uint8_t flat[50 * 30 * 3];
    struct dataset_spec spec = plain_spec(image_folder, *state);
    struct error e;
    make_folders(folders, COUNT(folders));
    for (size_t i = 0; i < sizeof flat; i++)
        flat[i] = (uint8_t)(i % 3 * 100 + 7);
    assert_int_equal(png_write("train/a/1.png", 50, 30, 3, flat, &e), BIOFT_OK);
    assert_int_equal(png_write("train/a/2.png", 4, 5, 3, flat, &e), BIOFT_OK);
    assert_int_equal(png_write("train/a/3.png", 15, 100, 3, flat, &e), BIOFT_OK);
    for (size_t i = 0; i < COUNT(specs); i++)
        for (int train = 0; train < 2; train++) {
            struct batches_params p = { .batch_size = 3, .train = train };
            struct batches *b;
            bioft_batch batch;
            spec.transform = specs[i];
            struct dataset *d = open_dataset(&spec);
            p.dataset = d;
            p.split = &d->splits[0];
            assert_int_equal(input_size(d, &spec.transform, 3, 16, 16, &p.image, &e), BIOFT_OK);
            assert_int_equal(batches_create(&p, &b, &e), BIOFT_OK);
            assert_int_equal(batches_next(b, &batch, &e), BIOFT_OK);
            assert_int_equal(batch.n, 3);
            for (size_t k = 0; k < 3 * 3 * 256; k++)
                assert_true(batch.x[k] == (float)(k / 256 % 3 * 100 + 7) / 255.0f);
            batches_destroy(b);
            dataset_close(d);
        }
}

static void test_cifar10_folders(void **state)
{
    static const char *const classes[] = { "airplane", "automobile", "bird",  "cat",  "deer",
                                           "dog",      "frog",       "horse", "ship", "truck" };
    struct dataset_spec spec = plain_spec(cifar10, *state);
    char path[64];
    mkdir("train", 0777);
    mkdir("test", 0777);
    for (uint32_t c = 0; c < 10; c++)
        for (uint32_t k = 0; k < 6; k++) {
            snprintf(path, sizeof path, "%s/%s", k < 4 ? "train" : "test", classes[c]);
            mkdir(path, 0777);
            snprintf(path, sizeof path, "%s/%s/%04u.png", k < 4 ? "train" : "test", classes[c], k);
            write_image(path, 32, 32, c * 6 + k);
        }
    struct dataset *d = open_dataset(&spec);
    char name[64];
    assert_true(d->encoded && d->height == 32);
    assert_int_equal(d->splits[0].count, 40);
    assert_int_equal(d->splits[1].count, 20);
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(d->splits[0].label[i], i / 4);
    assert_int_equal(dataset_name(d, &d->splits[1], 5, name, sizeof name, NULL), BIOFT_OK);
    assert_string_equal(name, "test/bird/0005.png");
    hammer(d);
    dataset_close(d);

    struct arena *arena = arena_create();
    struct option_value *values;
    assert_int_equal(options_defaults(cifar10, arena, &values, NULL), BIOFT_OK);
    for (size_t i = 0; i < 3; i++)
        values[i].integer = 1;
    spec.choice.values = values;
    spec.protocol = "retrieval";
    d = open_dataset(&spec);
    assert_int_equal(d->split_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(d->splits[i].count, i == 3 ? 30 : 10);
    hammer(d);
    dataset_close(d);
    arena_destroy(arena);
    spec.choice.values = NULL;
    spec.protocol = NULL;

    mkdir("val", 0777);
    mkdir("val/dog", 0777);
    write_image("val/dog/1.png", 32, 32, 1);
    expect_refused(&spec, "val", "train and test are expected");
    remove("val/dog/1.png");
    remove("val/dog");
    remove("val");
    rename("train/horse", "train/hound");
    rename("test/horse", "test/hound");
    expect_refused(&spec, "another class", "class folder 8 is 'hound' where CIFAR-10 has 'horse'|image_folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_folders, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_broken, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_cache, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_cache_made_twice, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_layouts, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_nested, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_sizes, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_resized, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_cifar10_folders, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, setup_all, NULL);
}
