/* .pth: torch's own files of both formats, what a change to any byte does, and what we write. */
#include "hostile.h"

#include "base/file.h"
#include "formats/torch.h"
#include "formats/torch_write.h"

#include <math.h>
#include <unistd.h>

#include "torch_golden.h"

enum { GOLDEN = sizeof golden / sizeof *golden };

static bioft_status parse(const uint8_t *bytes, size_t size, const char *key, struct torch_file *ret, struct error *err)
{
    return torch_parse("t", bytes, size, &(struct torch_params){ .key = key }, ret, err);
}

/* A value of a tensor by its dtype. */
static double value_of(const struct tensor_entry *e, size_t index)
{
    struct error err;
    const bool real = e->dtype == TENSOR_F32 || e->dtype == TENSOR_F16 || e->dtype == TENSOR_BF16 ||
                      e->dtype == TENSOR_F64;
    float floats[24];
    int64_t integers[24];
    bioft_status st = real ? tensor_to_float(e, floats, e->count, &err) : tensor_to_int64(e, integers, e->count, &err);
    if (st != BIOFT_OK)
        fail_msg("%s", err.text);
    return real ? (double)floats[index] : (double)integers[index];
}

/* NULL where the file is as expected, else the tensor that is not. */
static const char *difference(const struct torch_file *file, const struct golden *g)
{
    if (file->count != g->count)
        return "the number of tensors";
    for (size_t i = 0; i < g->count; i++) {
        const struct tensor_entry *e = &file->tensors[i];
        const struct golden_tensor *t = &g->tensors[i];
        if (strcmp(e->name, t->name) != 0 || e->dtype != t->dtype || e->dims != t->dims ||
            memcmp(e->shape, t->shape, sizeof e->shape) != 0 || e->count != t->count)
            return t->name;
        for (size_t k = 0; k < t->count; k++) {
            const double value = value_of(e, k);
            if (value != t->value[k] || signbit(value) != signbit(t->value[k]))
                return t->name;
        }
    }
    return NULL;
}

static void reads_what_torch_wrote(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDEN; i++) {
        const struct golden *g = &golden[i];
        struct torch_file file;
        struct error err;
        uint8_t *moved = malloc(g->size + 1); /* at an odd address */
        assert_non_null(moved);
        memcpy(moved + 1, g->data, g->size);
        if (parse(moved + 1, g->size, NULL, &file, &err) != BIOFT_OK)
            fail_msg("%s: %s", g->what, err.text);
        assert_int_equal(file.kind, strstr(g->what, "legacy") || strstr(g->what, "old") ? TORCH_LEGACY : TORCH_ZIP);
        if (g->key)
            assert_string_equal(file.key, g->key);
        else
            assert_null(file.key);
        const char *different = difference(&file, g);
        if (different)
            fail_msg("%s: %s", g->what, different);
        torch_free(&file);
        if (g->key) {
            assert_int_equal(parse(moved + 1, g->size, g->key, &file, &err), BIOFT_OK);
            torch_free(&file);
            assert_int_not_equal(parse(moved + 1, g->size, "epoch", &file, &err), BIOFT_OK);
        }
        free(moved);
    }
}

/* A view's elements lie within its storage, wherever that is. */
static void leaves_views_where_they_lie(void **state)
{
    struct torch_file file;
    struct error err;
    const struct golden *g = NULL;
    (void)state;
    for (size_t i = 0; i < GOLDEN; i++)
        if (strcmp(golden[i].what, "views") == 0)
            g = &golden[i];
    assert_non_null(g);
    assert_int_equal(parse((const uint8_t *)g->data, g->size, NULL, &file, &err), BIOFT_OK);
    for (size_t i = 0; i < file.count; i++) {
        const struct tensor_entry *e = &file.tensors[i];
        const bool strided = strcmp(e->name, "transposed") == 0 || strcmp(e->name, "permuted") == 0 ||
                             strcmp(e->name, "channels_last") == 0 || strcmp(e->name, "expanded") == 0 ||
                             strcmp(e->name, "every_third") == 0;
        assert_int_equal(e->strided, strided);
        assert_true(e->bytes >= (const uint8_t *)g->data && e->bytes + e->size <= (const uint8_t *)g->data + g->size);
        if (strided)
            assert_null(tensor_floats(e));
    }
    torch_free(&file);
}

static const struct golden *current;

static bioft_status read_all(const uint8_t *bytes, size_t size, struct error *err)
{
    struct torch_file file;
    bioft_status st = parse(bytes, size, NULL, &file, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < file.count; i++) {
        struct error ignored;
        float *floats = malloc(file.tensors[i].count * sizeof *floats + 1);
        int64_t *integers = malloc(file.tensors[i].count * sizeof *integers + 1);
        assert_non_null(floats);
        assert_non_null(integers);
        tensor_to_float(&file.tensors[i], floats, file.tensors[i].count, &ignored);
        tensor_to_int64(&file.tensors[i], integers, file.tensors[i].count, &ignored);
        free(floats);
        free(integers);
    }
    torch_free(&file);
    return st;
}

static bioft_status read_unchanged(const uint8_t *bytes, size_t size, struct error *err)
{
    struct torch_file file;
    bioft_status st = parse(bytes, size, NULL, &file, err);
    if (st != BIOFT_OK)
        return st;
    const char *different = difference(&file, current);
    if (different)
        fail_msg("%s: a changed byte went unseen: %s", current->what, different);
    torch_free(&file);
    return st;
}

static void refuses_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDEN; i++)
        expect_prefixes_refused(read_all, golden[i].data, golden[i].size);
}

/* With its sums, a zip file is refused or loads unchanged, whatever byte becomes whatever. Changed
 * numbers in the old format cannot be seen: the sanitizers watch. */
static void survives_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDEN; i++) {
        current = &golden[i];
        const bool legacy = strstr(current->what, "legacy") || strstr(current->what, "old");
        if (current->size < 1000)
            change_every_byte(legacy ? read_all : read_unchanged, current->data, current->size);
    }
}

static void sees_a_flipped_bit_unless_told_not_to(void **state)
{
    const struct golden *g = &golden[0];
    uint8_t *bytes = malloc(g->size);
    struct torch_file file;
    struct error err;
    (void)state;
    assert_string_equal(g->what, "plain");
    assert_int_equal(g->size, 975);
    assert_non_null(bytes);
    memcpy(bytes, g->data, g->size);
    bytes[384] ^= 1; /* the first float's last bit */
    expect_refused(read_all, "a flipped bit", bytes, g->size, "checksum");
    assert_int_equal(torch_parse("t", bytes, g->size, &(struct torch_params){ .unverified = true }, &file, &err),
                     BIOFT_OK);
    torch_free(&file);
    free(bytes);
}

/* Pieces of a long storage are summed by several threads, and put together. */
static void sums_long_storages_in_pieces(void **state)
{
    enum { COUNT = (9 << 20) / 4 + 3 };
    struct pool *pool = NULL;
    struct torch_writer *w = NULL;
    struct torch_file file;
    struct file_map map;
    struct error err;
    float *values = malloc(COUNT * sizeof *values);
    (void)state;
    assert_non_null(values);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (float)i;
    assert_int_equal(torch_begin("long.pth", &(struct tensor_out){ "w", TENSOR_F32, 1, { COUNT } }, 1, &w, &err),
                     BIOFT_OK);
    assert_int_equal(torch_add(w, values, COUNT * sizeof *values, &err), BIOFT_OK);
    assert_int_equal(torch_commit(w, &err), BIOFT_OK);
    assert_int_equal(pool_create(3, &pool, &err), BIOFT_OK);
    assert_int_equal(file_map_open("long.pth", &map, &err), BIOFT_OK);
    if (torch_parse("t", map.bytes, map.size, &(struct torch_params){ .pool = pool }, &file, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_non_null(tensor_floats(&file.tensors[0]));
    assert_memory_equal(tensor_floats(&file.tensors[0]), values, COUNT * sizeof *values);
    torch_free(&file);
    file_map_close(&map);
    pool_destroy(pool);
    free(values);
    assert_int_equal(unlink("long.pth"), 0);
}

static const struct tensor_out outs[] = {
    { "layer.weight", TENSOR_F32, 2, { 2, 300 } },
    { "n", TENSOR_I64, 0, { 0 } },
    { "half", TENSOR_F16, 1, { 2 } },
    { "empty", TENSOR_F32, 3, { 2, 0, 70000 } },
    { "bool", TENSOR_BOOL, 1, { 3 } },
    { "brain", TENSOR_BF16, 1, { 1 } },
    { "double", TENSOR_F64, 1, { 1 } },
    { "int", TENSOR_I32, 1, { 1 } },
    { "short", TENSOR_I16, 1, { 1 } },
    { "char", TENSOR_I8, 1, { 1 } },
    { "byte", TENSOR_U8, 1, { 1 } },
};
enum { OUTS = sizeof outs / sizeof *outs };

/* What we write we read, by either room for sizes; the data begins at multiples of 64. */
static void reads_what_it_wrote(void **state)
{
    (void)state;
    for (uint64_t wide = UINT32_MAX; wide != 0; wide = wide == UINT32_MAX ? 1 : 0) {
        uint8_t data[2400], *bytes;
        size_t size;
        struct torch_writer *w = NULL;
        struct torch_file file;
        struct error err;
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)(i & 1);
        if (torch_begin_wide("w.pth", outs, OUTS, wide, &w, &err) != BIOFT_OK)
            fail_msg("%s", err.text);
        for (size_t i = 0; i < OUTS; i++) {
            size_t n = tensor_dtype_size(outs[i].dtype);
            for (unsigned d = 0; d < outs[i].dims; d++)
                n *= (size_t)outs[i].shape[d];
            assert_int_equal(torch_add(w, data, n, &err), BIOFT_OK);
        }
        assert_int_equal(torch_commit(w, &err), BIOFT_OK);
        assert_int_equal(file_read("w.pth", 1 << 20, &bytes, &size, &err), BIOFT_OK);
        assert_int_equal(memmem(bytes, size, "PK\6\6", 4) != NULL, wide == 1);
        if (parse(bytes, size, NULL, &file, &err) != BIOFT_OK)
            fail_msg("%s", err.text);
        assert_int_equal(file.count, OUTS);
        for (size_t i = 0; i < OUTS; i++) {
            const struct tensor_entry *e = &file.tensors[i];
            assert_string_equal(e->name, outs[i].name);
            assert_int_equal(e->dtype, outs[i].dtype);
            assert_int_equal(e->dims, outs[i].dims);
            assert_memory_equal(e->shape, outs[i].shape, sizeof e->shape);
            assert_int_equal((e->bytes - bytes) % 64, 0);
            assert_memory_equal(e->bytes, data, e->size);
        }
        torch_free(&file);
        free(bytes);
        assert_int_equal(unlink("w.pth"), 0);
    }
}

static void refuses_to_write(void **state)
{
    struct torch_writer *w = NULL;
    struct error err;
    const float values[600] = { 0 };
    (void)state;
    const struct {
        struct tensor_out tensor;
        const char *words;
    } cases[] = {
        { { "", TENSOR_F32, 0, { 0 } }, "512" },
        { { "\xff", TENSOR_F32, 0, { 0 } }, "UTF-8" },
        { { "a", TENSOR_OTHER, 0, { 0 } }, "not written" },
        { { "a", TENSOR_F32, 9, { 0 } }, "dimensions" },
        { { "a", TENSOR_F32, 2, { UINT64_C(1) << 40, UINT64_C(1) << 40 } }, "overflows" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(torch_begin("x.pth", &cases[i].tensor, 1, &w, &err), BIOFT_ERR_INVALID);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: '%s' is expected", err.text, cases[i].words);
    }
    assert_int_equal(torch_begin("x.pth", outs, 1, &w, &err), BIOFT_OK);
    assert_int_equal(torch_add(w, values, 2396, &err), BIOFT_ERR_INVALID);
    assert_int_equal(torch_commit(w, &err), BIOFT_ERR_INVALID);
    assert_int_equal(torch_begin("x.pth", outs, 1, &w, &err), BIOFT_OK);
    assert_int_equal(torch_add(w, values, 2400, &err), BIOFT_OK);
    assert_int_equal(torch_add(w, values, 8, &err), BIOFT_ERR_INVALID);
    torch_abort(w);
    torch_abort(NULL);
    assert_false(file_exists("x.pth"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_torch_wrote),
        cmocka_unit_test(leaves_views_where_they_lie),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(survives_changes),
        cmocka_unit_test(sees_a_flipped_bit_unless_told_not_to),
        cmocka_unit_test(sums_long_storages_in_pieces),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(refuses_to_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
