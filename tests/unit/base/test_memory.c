/* Memory: zeroed, aligned, checked products; growing arrays; arenas. */
#include "test.h"

#include "base/memory.h"

static bool is_zero(const void *p, size_t size)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

static void products(void **state)
{
    size_t ret = 5;

    (void)state;
    assert_true(mem_product(6, 7, &ret));
    assert_int_equal(ret, 42);
    assert_true(mem_product(SIZE_MAX, 1, &ret));
    assert_int_equal(ret, SIZE_MAX);
    assert_true(mem_product(SIZE_MAX, 0, &ret));
    assert_int_equal(ret, 0);
    assert_false(mem_product(SIZE_MAX / 2 + 1, 2, &ret));
    assert_int_equal(ret, 0); /* untouched */
}

static void arrays(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = mem_array(n, 3), *q = mem_aligned(n, 3);
        assert_non_null(p);
        assert_non_null(q);
        assert_int_equal((uintptr_t)q % 64, 0);
        assert_true(is_zero(p, 3 * n));
        assert_true(is_zero(q, 3 * n));
        memset(p, 1, 3 * n);
        memset(q, 1, 3 * n);
        free(p);
        free(q);
    }
    /* Of sizes that wrap to something small. */
    assert_null(mem_array(SIZE_MAX / 8 + 2, 8));
    assert_null(mem_aligned(SIZE_MAX / 8 + 2, 8));
    assert_null(mem_aligned(SIZE_MAX, 1));
    assert_null(mem_aligned(SIZE_MAX - 62, 1));
}

static void grows(void **state)
{
    uint32_t *items = NULL;
    size_t capacity = 0, changes = 0;

    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        size_t before = capacity;
        assert_true(mem_grow(&items, &capacity, i + 1, sizeof *items));
        assert_true(capacity > i);
        if (capacity != before) {
            changes++;
            assert_true(is_zero(items + i, (capacity - i) * sizeof *items));
        }
        items[i] = (uint32_t)i + 1;
    }
    /* Geometric, or a long array takes quadratic time. */
    assert_true(changes < 20);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(items[i], i + 1);

    uint32_t *before = items;
    size_t was = capacity;
    assert_false(mem_grow(&items, &capacity, SIZE_MAX / 2, sizeof *items));
    assert_false(mem_grow(&items, &capacity, SIZE_MAX, 1));
    assert_ptr_equal(items, before);
    assert_int_equal(capacity, was);
    assert_int_equal(items[9999], 10000);
    free(items);
}

static void arena_memory(void **state)
{
    struct {
        unsigned char *p;
        size_t size;
    } pieces[500];
    struct arena *arena = arena_create();

    (void)state;
    assert_non_null(arena);
    /* Small and large ones mixed, so that blocks are begun, kept and passed by. */
    for (size_t i = 0; i < COUNT(pieces); i++) {
        size_t size = i % 17 == 0 ? 5000 * (i % 5) : i % 97;
        unsigned char *p = arena_array(arena, size, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_true(is_zero(p, size));
        memset(p, (int)(i % 251) + 1, size);
        pieces[i].p = p;
        pieces[i].size = size;
    }
    for (size_t i = 0; i < COUNT(pieces); i++)
        for (size_t k = 0; k < pieces[i].size; k++)
            assert_int_equal(pieces[i].p[k], i % 251 + 1);
    assert_null(arena_array(arena, SIZE_MAX / 8 + 2, 8));
    assert_null(arena_array(arena, SIZE_MAX, 1));
    assert_null(arena_array(arena, SIZE_MAX - 31, 1));
    assert_non_null(arena_array(arena, 8, 8)); /* of use after a refusal */
    arena_destroy(arena);
    arena_destroy(NULL);
}

static void arena_texts(void **state)
{
    struct arena *arena = arena_create();
    char longer[9000];

    (void)state;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_string_equal(arena_text(arena, "conv1"), "conv1");
    assert_string_equal(arena_text(arena, ""), "");
    assert_string_equal(arena_text_n(arena, "conv1.weight", 5), "conv1");
    assert_string_equal(arena_text_n(arena, NULL, 0), "");
    assert_null(arena_text_n(arena, "", SIZE_MAX));
    assert_string_equal(arena_printf(arena, "%s.%d", "layer1", 0), "layer1.0");
    assert_string_equal(arena_printf(arena, "%s", longer), longer);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),     cmocka_unit_test(arrays),      cmocka_unit_test(grows),
        cmocka_unit_test(arena_memory), cmocka_unit_test(arena_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
