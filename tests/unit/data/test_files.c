/* The extension bioft.files/1, asked as a plugin asks it. */
#include "fixture.h"

#include "base/random.h"
#include "data/files.h"
#include <sys/stat.h>
#include <unistd.h>

struct asking {
    struct files *files;
    struct instance *instance;
    const bioft_files *api;
    const bioft_host *host;
};

static struct asking begin(const char *root)
{
    struct asking a;
    struct extension extension;
    struct error e;

    fake_reset();
    assert_int_equal(files_create(root, "retrieval", 11, &a.files, &e), BIOFT_OK);
    extension = files_extension(a.files);
    assert_int_equal(
        instance_create(
            &(struct instance_params){ .plugin = fake_plugin(), .extensions = &extension, .extension_count = 1 },
            &a.instance, &e),
        BIOFT_OK);
    a.host = &a.instance->host;
    a.api = a.host->get_extension(a.host, "bioft.files/1");
    assert_non_null(a.api);
    return a;
}

static void end(struct asking *a)
{
    instance_destroy(a->instance);
    files_destroy(a->files);
}

/* The text that the last failed call left. */
static void failed(struct asking *a, bioft_status got, bioft_status want, const char *part)
{
    struct error e;
    assert_int_equal(got, want);
    instance_error(a->instance, got, &e);
    assert_contains(e.text, part);
}

static void test_reads(void **state)
{
    struct asking a = begin(*state);
    const uint8_t *bytes;
    uint64_t size = 77;
    char sum[65];

    write_file("plain", "hello", 5);
    write_gzip("packed", "hello again", 11);
    write_file("empty", "", 0);
    assert_string_equal(a.api->root(a.host), *state);
    assert_string_equal(a.api->protocol(a.host), "retrieval");
    assert_int_equal(a.api->read(a.host, "plain", 5, &bytes, &size), BIOFT_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "hello", 5);
    assert_int_equal(a.api->read(a.host, "packed", 11, &bytes, &size), BIOFT_OK);
    assert_int_equal(size, 11);
    assert_memory_equal(bytes, "hello again", 11);
    assert_int_equal(a.api->read(a.host, "empty", 5, &bytes, &size), BIOFT_OK);
    assert_int_equal(size, 0);
    size = 77;
    failed(&a, a.api->read(a.host, "plain", 4, &bytes, &size), BIOFT_ERR_FORMAT, "5 bytes, at most 4");
    assert_int_equal(a.api->read(a.host, "packed", 10, &bytes, &size), BIOFT_ERR_FORMAT);
    failed(&a, a.api->read(a.host, "none", 10, &bytes, &size), BIOFT_ERR_IO, *state);
    failed(&a, a.api->read(a.host, "../x", 10, &bytes, &size), BIOFT_ERR_FORMAT, "leaves the folder");
    assert_int_equal(size, 77);
    assert_int_equal(a.api->map(a.host, "plain", &bytes, &size), BIOFT_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "hello", 5);
    a.api->sha256("abc", 3, sum);
    assert_string_equal(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    end(&a);
}

static void test_lists(void **state)
{
    struct asking a = begin(*state);
    const char *const *names;
    uint64_t count;
    uint64_t p[8], want[8];

    write_file("b", "", 0);
    write_file("B", "", 0);
    write_file(".hidden", "", 0);
    assert_int_equal(mkdir("a", 0777), 0);
    assert_int_equal(a.api->list(a.host, ".", &names, &count), BIOFT_OK);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "B");
    assert_string_equal(names[1], "a/");
    assert_string_equal(names[2], "b");
    assert_int_equal(a.api->list(a.host, "a", &names, &count), BIOFT_OK);
    assert_int_equal(count, 0);
    assert_int_equal(a.api->exists(a.host, "b"), 1);
    assert_int_equal(a.api->exists(a.host, "a"), 2);
    assert_int_equal(a.api->exists(a.host, "c"), 0);
    assert_int_equal(a.api->permute(a.host, "x", 8, p), BIOFT_OK);
    random_permutation(11, "x", 0, 8, want);
    assert_memory_equal(p, want, sizeof p);
    failed(&a, a.api->fail_at(a.host, BIOFT_ERR_FORMAT, "list.txt", 12, 0, "bad"), BIOFT_ERR_FORMAT,
           "list.txt:12: bad");
    failed(&a, a.api->fail_at(a.host, BIOFT_ERR_FORMAT, "data", 0, 99, "bad"), BIOFT_ERR_FORMAT,
           "/data: bad (at byte 99)");
    end(&a);
}

static void test_npy(void **state)
{
    static const double values[6] = { 0, 0.5, 1, 2, -3, 4 };
    struct asking a = begin(*state);
    bioft_array array = { .struct_size = sizeof array };

    write_npy("x.npy", "<f8", "(2, 3)", values, sizeof values);
    assert_int_equal(a.api->npy(a.host, "x.npy", &array), BIOFT_OK);
    assert_int_equal(array.dtype, BIOFT_DTYPE_F32);
    assert_int_equal(array.dims, 2);
    assert_int_equal(array.shape[0], 2);
    assert_int_equal(array.shape[1], 3);
    for (int i = 0; i < 6; i++)
        assert_true(((const float *)array.data)[i] == (float)values[i]);
    write_npy("short.npy", "<f8", "(2, 4)", values, sizeof values);
    failed(&a, a.api->npy(a.host, "short.npy", &array), BIOFT_ERR_FORMAT, "short.npy");
    assert_int_equal(array.shape[1], 3);
    end(&a);
}

static uint8_t room[64];
static void *reserve(bioft_sample *s, size_t bytes)
{
    (void)s;
    return bytes <= sizeof room ? room : NULL;
}

static void test_samples(void **state)
{
    struct asking a = begin(*state);
    bioft_sample s = { .struct_size = sizeof s, .reserve = reserve };

    write_file("p.jpg", "JPEGJPEG", 8);
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_int_equal(a.api->sample(a.host, "p.jpg", 8, &s), BIOFT_OK);
    assert_int_equal(s.format, BIOFT_SAMPLE_ENCODED);
    assert_memory_equal(room, "JPEGJPEG", 8);
    failed(&a, a.api->sample(a.host, "p.jpg", 7, &s), BIOFT_ERR_FORMAT, "8 bytes, at most 7");
    failed(&a, a.api->sample(a.host, "folder", 7, &s), BIOFT_ERR_FORMAT, "not a regular file");
    failed(&a, a.api->sample(a.host, "fifo", 7, &s), BIOFT_ERR_FORMAT, "not a regular file");
    failed(&a, a.api->sample(a.host, "gone", 7, &s), BIOFT_ERR_IO, "/gone: ");
    end(&a);
}

/* The same contents give the same digest wherever they lie and however they were packed; others
 * another. */
static void test_digest(void **state)
{
    char sums[3][SHA256_HEX];
    write_file("one", "same", 4);
    write_gzip("two", "same", 4);
    write_file("three", "sane", 4);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = { "one", "two", "three" };
        struct asking a = begin(*state);
        struct sha256 *sum = sha256_begin();
        const uint8_t *bytes;
        uint64_t size;
        assert_int_equal(a.api->read(a.host, names[i], 100, &bytes, &size), BIOFT_OK);
        files_digest(a.files, sum);
        sha256_end(sum, sums[i]);
        end(&a);
    }
    assert_string_equal(sums[0], sums[1]);
    assert_string_not_equal(sums[0], sums[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_lists, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_npy, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_samples, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_digest, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
