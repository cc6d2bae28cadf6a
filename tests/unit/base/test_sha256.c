/* SHA-256 against FIPS 180-4's examples. */
#include "test.h"

#include "base/file.h"
#include "base/sha256.h"

static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char two_blocks[] = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
static const char message[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void known_answers(void **state)
{
    char sum[SHA256_HEX];

    (void)state;
    sha256_bytes("", 0, sum);
    assert_string_equal(sum, empty);
    sha256_bytes(NULL, 0, sum);
    assert_string_equal(sum, empty);
    sha256_bytes("abc", 3, sum);
    assert_string_equal(sum, abc);
    sha256_bytes(message, strlen(message), sum);
    assert_string_equal(sum, two_blocks);
}

static void pieces(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= strlen(message); cut++) {
        struct sha256 *s = sha256_begin();
        char sum[SHA256_HEX];
        assert_non_null(s);
        sha256_add(s, message, cut);
        sha256_add(s, NULL, 0);
        sha256_add(s, message + cut, strlen(message) - cut);
        sha256_end(s, sum);
        assert_string_equal(sum, two_blocks);
    }
}

static void nothing(void **state)
{
    char sum[SHA256_HEX] = "x";

    (void)state;
    sha256_end(NULL, sum);
    assert_string_equal(sum, "");
}

static void files(void **state)
{
    struct error err = { 0 };
    char sum[SHA256_HEX] = "as it was", *a = malloc(1000000);

    (void)state;
    assert_non_null(a);
    memset(a, 'a', 1000000);
    assert_int_equal(file_write("a", a, 1000000, &err), BIOFT_OK);
    assert_int_equal(file_write("empty", "", 0, &err), BIOFT_OK);
    free(a);
    assert_int_equal(sha256_file("none", sum, &err), BIOFT_ERR_IO);
    assert_int_equal(sha256_file(".", sum, &err), BIOFT_ERR_IO);
    assert_string_equal(sum, "as it was");
    assert_int_equal(sha256_file("a", sum, &err), BIOFT_OK);
    assert_string_equal(sum, million_a);
    assert_int_equal(sha256_file("empty", sum, &err), BIOFT_OK);
    assert_string_equal(sum, empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(pieces),
        cmocka_unit_test(nothing),
        cmocka_unit_test_setup_teardown(files, test_enter_folder, test_leave_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
