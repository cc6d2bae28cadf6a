/* Photographs kept resized: the same floats as without, in memory, from the first run's file and
 * from a later run's. */
#include "fixture.h"

#include "base/file.h"
#include "data/private.h"
#include "data/pixel_store_resize.h"
#include "data/input.h"
#include "formats/png.h"
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IMAGES = 40, INPUT = 16 };

static const struct plugin *image_folder;

static int setup_all(void **state)
{
    (void)state;
    image_folder = load_dataset("image_folder");
    return 0;
}

/* Noise, so that every pixel counts; every fifth one grey. */
static void write_image(const char *path, uint32_t width, uint32_t height, uint32_t seed)
{
    const uint32_t channels = seed % 5 ? 3 : 1;
    uint8_t *pixels = malloc((size_t)width * height * channels);
    uint32_t state = seed * 2654435761u + 12345;
    struct error e;
    assert_non_null(pixels);
    for (uint32_t i = 0; i < width * height * channels; i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(state >> 24);
    }
    if (png_write(path, width, height, channels, pixels, &e) != BIOFT_OK)
        fail_msg("%s", e.text);
    free(pixels);
}

/* Wide, tall, smaller than the input, and one whose shorter side is what `resize: 20` wants. */
static void write_numbered(const char *folder, uint32_t i, uint32_t seed)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%02u.png", folder, i);
    write_image(path, i == 7 ? 20 : 9 + i * 13 % 50, i == 7 ? 33 : 11 + i * 7 % 41, seed);
}

static struct dataset_spec write_set(const char *root, char *folder, size_t size)
{
    struct dataset_spec spec = plain_spec(image_folder, root);
    assert_int_equal(mkdir("train", 0777), 0);
    assert_int_equal(mkdir("train/a", 0777), 0);
    assert_int_equal(mkdir("test", 0777), 0);
    assert_int_equal(mkdir("test/a", 0777), 0);
    for (uint32_t i = 0; i < IMAGES; i++)
        write_numbered("train/a", i, i + 1);
    for (uint32_t i = 0; i < 5; i++)
        write_numbered("test/a", i, i + 100);
    snprintf(folder, size, "%s/cache", root);
    return spec;
}

/* What the log said, newest last. */
struct heard {
    char text[8192];
};

static void listen(void *ctx, enum log_level level, const char *text)
{
    struct heard *s = ctx;
    const size_t used = strlen(s->text);
    (void)level;
    snprintf(s->text + used, sizeof s->text - used, "%s\n", text);
}

/* Opens and holds for an input of INPUT x INPUT; said may be NULL. */
static struct dataset *open_held(const struct dataset_spec *spec, struct pool *pool, struct heard *said,
                                 struct image_format *ret)
{
    const struct log log = { .write = listen, .ctx = said };
    struct dataset *d;
    struct error e;

    *ret = (struct image_format){ 0 };
    if (said)
        said->text[0] = '\0';
    if (dataset_open(spec, pool, said ? &log : NULL, &d, &e) != BIOFT_OK ||
        input_size(d, &spec->transform, 3, INPUT, INPUT, ret, &e) != BIOFT_OK ||
        pixel_store_keep_resized(d, ret, true, pool, said ? &log : NULL, &e) != BIOFT_OK)
        fail_msg("%s", e.text);
    return d;
}

enum { VALUES = 3 * INPUT * INPUT };

/* Everything a run could ask for: both splits, in evaluation and in two epochs of training. */
struct everything {
    float x[3][2][IMAGES][VALUES];
};

static void ask(const struct dataset *d, const struct image_format *image, uint32_t ahead, struct everything *ret)
{
    memset(ret, 0, sizeof *ret);
    for (int way = 0; way < 3; way++)
        for (size_t k = 0; k < 2; k++) {
            const struct batches_params p = { .dataset = d,
                                              .split = &d->splits[k],
                                              .batch_size = 7,
                                              .train = way > 0,
                                              .normalise = false,
                                              .image = *image,
                                              .seed = 3,
                                              .epoch = (uint64_t)way,
                                              .ahead = ahead };
            struct batches *b;
            bioft_batch batch;
            struct error e;
            if (batches_create(&p, &b, &e) != BIOFT_OK)
                fail_msg("%s", e.text);
            for (uint64_t at = 0; at < d->splits[k].count; at += batch.n) {
                if (batches_next(b, &batch, &e) != BIOFT_OK)
                    fail_msg("%s", e.text);
                assert_true(batch.n > 0 && at + batch.n <= IMAGES);
                memcpy(ret->x[way][k][at], batch.x, batch.n * sizeof ret->x[way][k][at]);
            }
            batches_destroy(b);
        }
}

static bool is_resized(const struct dataset *d, const char *split, bool mapped)
{
    const struct split *s = dataset_split(d, split);
    const struct pixel_store *h = &d->private->resized[s - d->splits];
    return h->pixels && (mapped ? h->map.bytes != NULL : h->own != NULL);
}

/* The file of a split's resized images; "" where there is none. */
static void resized_file(const char *split, char *ret, size_t size)
{
    char **names;
    size_t count;
    ret[0] = '\0';
    assert_int_equal(file_list("cache", &names, &count, NULL), BIOFT_OK);
    for (size_t i = 0; i < count; i++)
        if (strstr(names[i], split) && strstr(names[i], ".resized")) {
            assert_int_equal(ret[0], 0);
            snprintf(ret, size, "cache/%s", names[i]);
        }
    file_list_free(names, count);
}

static const struct transform_spec specs[] = {
    { .kind = TRANSFORM_AUTO },
    { .kind = TRANSFORM_MAP, .size = INPUT },
    { .kind = TRANSFORM_MAP, .size = INPUT, .resize = 20, .train = CROP_RANDOM, .flip = true },
    { .kind = TRANSFORM_MAP, .size = INPUT, .resize = 14, .padding = 4, .train = CROP_RANDOM },
    { .kind = TRANSFORM_MAP, .size = INPUT, .resize = 20, .train = CROP_RANDOM_RESIZED },
};

static void test_same_pixels(void **state)
{
    static struct everything want, got; /* too large for a stack */
    char folder[4200];
    struct dataset_spec spec = write_set(*state, folder, sizeof folder);
    struct pool *pool;
    assert_int_equal(pool_create(3, &pool, NULL), BIOFT_OK);
    for (size_t i = 0; i < COUNT(specs); i++) {
        const bool held = specs[i].train != CROP_RANDOM_RESIZED;
        spec.transform = specs[i];
        for (int way = 0; way < 4; way++) { /* off, in memory, the first run, the second */
            struct image_format image;
            spec.cache = way == 0 ? "off" : way == 1 ? "auto" : folder;
            struct dataset *d = open_held(&spec, way == 2 ? pool : NULL, NULL, &image);
            ask(d, &image, way == 3 ? 2 : 0, way ? &got : &want);
            assert_int_equal(is_resized(d, "test", way > 1), way > 0);
            assert_int_equal(is_resized(d, "train", way > 1), way > 0 && held);
            if (way && memcmp(&want, &got, sizeof want) != 0)
                fail_msg("transform %zu: other pixels in way %d", i, way);
            dataset_close(d);
        }
    }
    pool_destroy(pool);
}

/* Images that are all smaller than the input are resized straight to it. */
static void test_small(void **state)
{
    static struct everything want, got;
    struct dataset_spec spec;
    char folder[4200];
    spec = write_set(*state, folder, sizeof folder);
    for (uint32_t i = 0; i < IMAGES; i++) {
        char path[64];
        snprintf(path, sizeof path, "train/a/%02u.png", i);
        write_image(path, 3 + i % 13, 16 - i % 7, i);
        snprintf(path, sizeof path, "test/a/%02u.png", i);
        if (i < 5)
            write_image(path, 5, 4 + i, i);
    }
    for (int way = 0; way < 3; way++) {
        struct image_format image;
        spec.cache = way ? folder : "off";
        struct dataset *d = open_held(&spec, NULL, NULL, &image);
        ask(d, &image, 0, way ? &got : &want);
        assert_int_equal(is_resized(d, "train", true), way > 0);
        assert_true(!way || !memcmp(&want, &got, sizeof want));
        dataset_close(d);
    }
}

/* A broken image is left out by the run that makes the cache and by the next. An image that is
 * none of the sixteen compared may change unseen, which shows that the cache is what is used. */
static void test_broken(void **state)
{
    static struct everything want, got;
    char folder[4200];
    struct dataset_spec spec = write_set(*state, folder, sizeof folder);
    struct image_format image;
    write_file("train/a/20.png", "no image", 8);
    struct dataset *d = open_held(&spec, NULL, NULL, &image);
    ask(d, &image, 0, &want);
    dataset_close(d);
    spec.cache = folder;
    for (int way = 0; way < 2; way++) {
        d = open_held(&spec, NULL, NULL, &image);
        assert_int_equal(d->splits[0].count, IMAGES - 1);
        assert_int_equal(d->splits[0].left_out, 1);
        assert_contains(d->notes[0], "split 'train': 1 broken image left out");
        assert_contains(d->notes[0], "20.png");
        ask(d, &image, 0, &got);
        assert_memory_equal(&want, &got, sizeof want);
        dataset_close(d);
        write_numbered("train/a", 39, 500);
    }
    /* What was broken is looked at again, and all is rebuilt. */
    write_numbered("train/a", 20, 21);
    d = open_held(&spec, NULL, NULL, &image);
    assert_int_equal(d->splits[0].count, IMAGES);
    ask(d, &image, 0, &got);
    dataset_close(d);
    spec.cache = "off";
    d = open_held(&spec, NULL, NULL, &image);
    ask(d, &image, 0, &want);
    assert_memory_equal(&want, &got, sizeof want);
    dataset_close(d);
}

static void flip_byte(const char *path, long from_end)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, -from_end, SEEK_END), 0);
    const int byte = fgetc(f);
    assert_int_equal(fseek(f, -from_end, SEEK_END), 0);
    assert_int_equal(fputc(byte ^ 1, f), byte ^ 1);
    assert_int_equal(fclose(f), 0);
}

/* A cut, altered or foreign file, and one of images that were others, are reported and rebuilt. */
static void test_not_believed(void **state)
{
    static const char html[] = "<html>not a cache</html>";
    static struct everything want, got;
    static struct heard said;
    char folder[4200], path[4200], other[4200];
    struct dataset_spec spec = write_set(*state, folder, sizeof folder);
    struct image_format image;
    struct dataset *d = open_held(&spec, NULL, NULL, &image);
    ask(d, &image, 0, &want);
    dataset_close(d);
    spec.cache = folder;
    dataset_close(open_held(&spec, NULL, &said, &image));
    assert_null(strstr(said.text, "rebuilt"));
    resized_file("train", path, sizeof path);
    resized_file("test", other, sizeof other);
    for (int way = 0; way < 6; way++) {
        uint8_t *bytes;
        size_t size;
        if (way == 0)
            assert_int_equal(truncate(path, 5000), 0);
        else if (way == 1)
            assert_int_equal(truncate(path, 0), 0);
        else if (way == 2)
            flip_byte(path, 1000);
        else if (way == 3)
            flip_byte(path, 10);
        else if (way == 4)
            write_file(path, html, sizeof html);
        else {
            assert_int_equal(file_read(other, 1 << 30, &bytes, &size, NULL), BIOFT_OK);
            write_file(path, bytes, size);
            free(bytes);
        }
        d = open_held(&spec, NULL, &said, &image);
        assert_contains(said.text, "the cache is rebuilt");
        assert_contains(said.text, way == 4 ? "no cache of this version" : "damaged");
        assert_contains(said.text, path + strlen("cache/"));
        assert_true(is_resized(d, "train", true));
        ask(d, &image, 0, &got);
        assert_memory_equal(&want, &got, sizeof want);
        dataset_close(d);
    }
    /* A whole file, but made from other images. */
    write_numbered("train/a", 0, 400);
    d = open_held(&spec, NULL, &said, &image);
    assert_contains(said.text, "of other images");
    ask(d, &image, 0, &got);
    dataset_close(d);
    spec.cache = "off";
    d = open_held(&spec, NULL, NULL, &image);
    ask(d, &image, 0, &want);
    dataset_close(d);
    assert_memory_equal(&want, &got, sizeof want);
}

/* Two processes that make it at once both have the right images and leave one good file each
 * split. */
static void test_made_twice(void **state)
{
    static struct everything want, got;
    char folder[4200], path[4200];
    struct dataset_spec spec = write_set(*state, folder, sizeof folder);
    struct image_format image;
    pid_t builders[2];
    struct dataset *d = open_held(&spec, NULL, NULL, &image);
    ask(d, &image, 0, &want);
    dataset_close(d);
    spec.cache = folder;
    for (size_t k = 0; k < COUNT(builders); k++) {
        builders[k] = fork();
        assert_true(builders[k] >= 0);
        if (builders[k] == 0) {
            d = open_held(&spec, NULL, NULL, &image);
            ask(d, &image, 0, &got);
            const bool right = is_resized(d, "train", true) && !memcmp(&want, &got, sizeof want);
            dataset_close(d);
            _exit(right ? 0 : 1);
        }
    }
    for (size_t k = 0; k < COUNT(builders); k++) {
        int status;
        assert_int_equal(waitpid(builders[k], &status, 0), builders[k]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    resized_file("train", path, sizeof path);
    assert_true(path[0]);
    resized_file("test", path, sizeof path);
    assert_true(path[0]);
    d = open_held(&spec, NULL, NULL, &image);
    assert_true(is_resized(d, "train", true));
    ask(d, &image, 0, &got);
    assert_memory_equal(&want, &got, sizeof want);
    dataset_close(d);
}

/* A file that no disk holds is not begun, and a folder that cannot be made leaves the pixels in
 * memory. */
static void test_no_room(void **state)
{
    static struct heard said;
    char folder[4200], path[4200];
    struct dataset_spec spec = write_set(*state, folder, sizeof folder);
    struct image_format image;
    spec.cache = "/dev/null/nowhere";
    struct dataset *d = open_held(&spec, NULL, &said, &image);
    assert_contains(said.text, "no cache is kept");
    assert_true(is_resized(d, "train", false));
    dataset_close(d);
    write_image("train/a/50.png", 1, 60000, 1); /* 16384 x 983,040,000 pixels */
    write_image("test/a/50.png", 1, 60000, 1);
    spec.transform = (struct transform_spec){ .kind = TRANSFORM_MAP, .size = INPUT, .resize = 16384 };
    for (int way = 0; way < 2; way++) {
        spec.cache = way ? folder : "auto";
        d = open_held(&spec, NULL, &said, &image);
        assert_contains(said.text, way ? "more than half of the" : "are decoded at each use");
        assert_false(is_resized(d, "train", false) || is_resized(d, "train", true));
        dataset_close(d);
    }
    resized_file("train", path, sizeof path);
    assert_string_equal(path, "");
}

/* A run without training leaves the images of training alone; one with it takes them in, unless
 * they are cut before they are resized. */
static void test_splits(void **state)
{
    static struct heard said;
    char folder[4200];
    struct dataset_spec spec = write_set(*state, folder, sizeof folder);
    struct image_format image = { .channels = 3, .height = INPUT, .width = INPUT };
    struct dataset *d = open_dataset(&spec);
    assert_int_equal(pixel_store_keep_resized(d, &image, false, NULL, NULL, NULL), BIOFT_OK);
    assert_true(is_resized(d, "test", false) && !is_resized(d, "train", false));
    assert_int_equal(pixel_store_keep_resized(d, &image, true, NULL, NULL, NULL), BIOFT_OK);
    assert_true(is_resized(d, "test", false) && is_resized(d, "train", false));
    dataset_close(d);
    spec.cache = folder;
    spec.transform = specs[4];
    d = open_held(&spec, NULL, &said, &image);
    assert_contains(said.text, "images of split 'train' are decoded at each use");
    assert_true(is_resized(d, "test", true) && !is_resized(d, "train", true));
    dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_pixels, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_small, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_broken, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_not_believed, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_made_twice, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_no_room, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_splits, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, setup_all, NULL);
}
