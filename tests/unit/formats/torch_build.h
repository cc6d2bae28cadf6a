/* Archives and old files for the tests of hostile .pth, by their formats' own words: whole ones,
 * whose places are known so that single fields can be spoiled. */
#ifndef TESTS_TORCH_BUILD_H
#define TESTS_TORCH_BUILD_H

#include "hostile.h"

#include "base/text.h"

#include <zlib.h>

/* Pieces of pickles. Text by its length in one byte, storage 0 of four floats, a view of it. */
#define PROTO                        "\x80\x02"
#define TEXT(length, s)              "X" length "\0\0\0" s
#define STORAGE_OF(type, key, numel) "(" TEXT("\7", "storage") "ctorch\n" type "\n" key TEXT("\3", "cpu") numel "tQ"
#define STORAGE                      STORAGE_OF("FloatStorage", TEXT("\1", "0"), "K\4")
#define NO_HOOKS \
    "\x89" \
    "ccollections\nOrderedDict\n)R"
#define REBUILD                                  "ctorch._utils\n_rebuild_tensor_v2\n"
#define TENSOR_OF(storage, offset, size, stride) REBUILD "(" storage offset size stride NO_HOOKS "tR"
#define VIEW(offset, size, stride)               TENSOR_OF(STORAGE, offset, size, stride)
#define TENSOR                                   VIEW("K\0", "K\4\x85", "K\1\x85")
#define STATE(tensor)                            PROTO "}" TEXT("\1", "w") tensor "s."
#define GOOD                                     STATE(TENSOR)
#define BYTES(literal)                           literal, sizeof(literal) - 1

struct part {
    const char *path;
    const void *data;
    size_t size;
};
enum { PARTS = 8 };
struct archive {
    struct text bytes;
    size_t local[PARTS], data[PARTS], central[PARTS];
    size_t count, directory, end; /* end: of the end record */
};

static inline void put(struct text *t, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        text_add_n(t, &(char){ i < 8 ? (char)(value >> (8 * i) & 0xff) : 0 }, 1);
}

/* Overwrites a field. */
static inline void set(struct archive *a, size_t at, uint64_t value, unsigned bytes)
{
    assert_true(at + bytes <= a->bytes.length);
    for (unsigned i = 0; i < bytes; i++)
        a->bytes.data[at + i] = (char)(value >> (8 * i) & 0xff);
}

static inline void archive_make(struct archive *a, const struct part *parts, size_t count)
{
    struct text *t = &a->bytes;
    uint32_t sums[PARTS];
    *a = (struct archive){ .count = count };
    for (size_t i = 0; i < count; i++) {
        sums[i] = (uint32_t)crc32_z(0, parts[i].data, parts[i].size);
        a->local[i] = t->length;
        text_add_n(t, "PK\3\4", 4);
        put(t, 0, 10);
        put(t, sums[i], 4);
        put(t, parts[i].size, 4);
        put(t, parts[i].size, 4);
        put(t, strlen(parts[i].path), 2);
        put(t, 0, 2);
        text_add(t, parts[i].path);
        a->data[i] = t->length;
        text_add_n(t, parts[i].data, parts[i].size);
    }
    a->directory = t->length;
    for (size_t i = 0; i < count; i++) {
        a->central[i] = t->length;
        text_add_n(t, "PK\1\2", 4);
        put(t, 0, 12);
        put(t, sums[i], 4);
        put(t, parts[i].size, 4);
        put(t, parts[i].size, 4);
        put(t, strlen(parts[i].path), 2);
        put(t, 0, 12);
        put(t, a->local[i], 4);
        text_add(t, parts[i].path);
    }
    a->end = t->length;
    text_add_n(t, "PK\5\6", 4);
    put(t, 0, 4);
    put(t, count, 2);
    put(t, count, 2);
    put(t, a->end - a->directory, 4);
    put(t, a->directory, 4);
    put(t, 0, 2);
    assert_false(t->failed);
}

/* The usual parts around a pickle: storage 0 of four floats. */
static inline void archive_of(struct archive *a, const void *pickle, size_t size)
{
    static const float values[4] = { 1, 2, 3, 4 };
    const struct part parts[] = { { "a/data.pkl", pickle, size },
                                  { "a/data/0", values, sizeof values },
                                  { "a/version", "3\n", 2 } };
    archive_make(a, parts, 3);
}

/* A file of before zip; keys: the pickle of their list, storages: what follows. */
static inline void legacy_make(struct text *t, const char *system, size_t system_size, const void *object,
                               size_t object_size, const char *keys, size_t keys_size, const void *storages,
                               size_t storages_size)
{
    *t = (struct text){ .data = NULL };
    text_add_n(t, BYTES("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."));
    text_add_n(t, BYTES("\x80\x02M\xe9\x03."));
    text_add_n(t, system, system_size);
    text_add_n(t, object, object_size);
    text_add_n(t, keys, keys_size);
    text_add_n(t, storages, storages_size);
    assert_false(t->failed);
}

#endif
