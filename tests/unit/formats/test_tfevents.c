/* Event files: known bytes of both kinds of record, and varints of more than one byte. */
#include "hostile.h"

#include "formats/tfevents.h"

static void assert_hex(const struct text *t, const char *wanted)
{
    char got[512] = "";

    assert_false(t->failed);
    assert_true(2 * t->length < sizeof got);
    for (size_t i = 0; i < t->length; i++)
        snprintf(got + 2 * i, 3, "%02x", (unsigned)(uint8_t)t->data[i]);
    assert_string_equal(got, wanted);
}

static void known_records(void **state)
{
    struct text t = { 0 };

    (void)state;
    tfevents_begin(&t, 1.0);
    assert_hex(&t, "1800000000000000a37f4b22"
                   "09000000000000f03f1a0d627261696e2e4576656e743a32"
                   "86bf577a");
    text_free(&t);
    tfevents_add(&t, &(struct scalar){ .name = "loss", .time = 2.0, .step = 7, .value = 0.5 });
    assert_hex(&t, "1a00000000000000129bd82d"
                   "09000000000000004010072a0d0a0b0a046c6f7373150000003f"
                   "c33fc24a");
    text_free(&t);
}

/* Lengths, tags and steps that take more than seven bits: only the body, the sums are as above. */
static void long_ones(void **state)
{
    char name[201] = "";
    struct text t = { 0 };

    (void)state;
    memset(name, 'x', sizeof name - 1);
    tfevents_add(&t, &(struct scalar){ .name = name, .time = 0.0, .step = 300, .value = 0.0 });
    assert_false(t.failed);
    assert_int_equal(t.length, 12 + 226 + 4);
    assert_int_equal((uint8_t)t.data[0], 226);
    assert_memory_equal(t.data + 12 + 9, "\x10\xac\x02\x2a\xd3\x01\x0a\xd0\x01\x0a\xc8\x01xxx", 15);
    assert_memory_equal(t.data + 12 + 226 - 6, "x\x15\0\0\0\0", 6);
    text_free(&t);
    tfevents_add(&t, &(struct scalar){ .name = "n", .time = 0.0, .step = -1, .value = 0.0 });
    assert_memory_equal(t.data + 12 + 9, "\x10\0\x2a", 3);
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(known_records), cmocka_unit_test(long_ones) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
