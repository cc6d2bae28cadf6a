/* Hostile .pth files: damaged archives, pickles that would do something, views that lie. Each is
 * refused in words that say what it is. */
#include "torch_build.h"

#include "base/clock.h"
#include "formats/torch.h"

static bioft_status read_torch(const uint8_t *bytes, size_t size, struct error *err)
{
    struct torch_file file;
    bioft_status st =
        torch_parse("t", bytes, size, &(struct torch_params){ .key = NULL }, &file, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < file.count; i++) {
        const struct tensor_entry *e = &file.tensors[i];
        float *floats = malloc(e->count * sizeof *floats + 1);
        assert_non_null(floats);
        tensor_to_float(e, floats, e->count, NULL);
        free(floats);
    }
    torch_free(&file);
    return st;
}

static void refused(const char *what, struct archive *a, const char *words)
{
    expect_refused(read_torch, what, a->bytes.data, a->bytes.length, words);
    text_free(&a->bytes);
}

/* One field of a good archive spoiled. */
static void spoiled(const char *what, size_t offset, size_t which, uint64_t value, unsigned bytes,
                    const char *words)
{
    struct archive a;
    archive_of(&a, BYTES(GOOD));
    const size_t at = which == 0 ? a.end : which == 1 ? a.central[1] : a.local[1];
    set(&a, at + offset, value, bytes);
    refused(what, &a, words);
}

enum { END, CENTRAL, LOCAL };

static void refuses_damaged_directories(void **state)
{
    struct archive a;
    struct text t = { .data = NULL };
    (void)state;
    archive_of(&a, BYTES(GOOD));
    expect_read(read_torch, "good", a.bytes.data, a.bytes.length);

    /* A comment of its true length is fine, one that holds an end record is not. */
    text_add_n(&t, a.bytes.data, a.bytes.length);
    t.data[a.end + 20] = 5;
    text_add(&t, "hello");
    expect_read(read_torch, "comment", t.data, t.length);
    text_add(&t, "!");
    expect_refused(read_torch, "bytes after the comment", t.data, t.length,
                   "without its end record");
    text_free(&t);
    text_add_n(&t, a.bytes.data, a.bytes.length);
    t.data[a.end + 20] = 22;
    text_add_n(&t, a.bytes.data + a.end, 22);
    expect_refused(read_torch, "end record in a comment", t.data, t.length, "2 end records");
    text_free(&t);
    expect_refused(read_torch, "no end record", a.bytes.data, a.end, "cut short");
    expect_refused(read_torch, "22 bytes", "PK\3\4aaaaaaaaaaaaaaaaaa", 22, "cut short");
    text_free(&a.bytes);

    spoiled("directory past the end", 16, END, 0x7fffffff, 4, "do not end at the end records");
    spoiled("directory that wraps", 16, END, 0xfffffffe, 4, "do not end at the end records");
    spoiled("directory one too far", 12, END, 1, 1, "do not end at the end records");
    spoiled("another disk", 4, END, 2, 2, "several disks");
    spoiled("65535 entries", 8, END, 0xffffffff, 4, "do not hold 65535 entries");
    spoiled("two entries of three", 8, END, 0x00020002, 4, "bytes after the last");
    spoiled("four entries of three", 8, END, 0x00040004, 4, "zip directory damaged");
    spoiled("two counts", 8, END, 0x00030002, 4, "two numbers of entries");
    spoiled("no entry's magic", 0, CENTRAL, 0, 1, "no entry where one should be");
    spoiled("a name past the end", 28, CENTRAL, 0xffff, 2, "runs past the directory's end");
}

static void refuses_damaged_entries(void **state)
{
    (void)state;
    spoiled("compressed", 10, CENTRAL, 8, 2, "compressed, and PyTorch stores");
    spoiled("encrypted", 8, CENTRAL, 1, 2, "encrypted");
    spoiled("patched data", 8, CENTRAL, 0x20, 2, "flags");
    spoiled("two sizes", 20, CENTRAL, 15, 4, "of two sizes");
    spoiled("bomb", 24, CENTRAL, 1600000, 4, "of two sizes");
    spoiled("at another's place", 42, CENTRAL, 0, 4, "another name in its local header");
    spoiled("past the end", 42, CENTRAL, 0x7fffffff, 4, "no local header");
    spoiled("checksum", 16, CENTRAL, 1, 4, "checksum");
    spoiled("zip64 without its field", 42, CENTRAL, 0xffffffff, 4, "zip64 field is missing");
    spoiled("local magic", 0, LOCAL, 0, 1, "no local header");
    spoiled("local method", 8, LOCAL, 8, 2, "another method");
    spoiled("local name", 30, LOCAL, 'b', 1, "another name");
    spoiled("local name's length", 26, LOCAL, 7, 2, "another name");
    spoiled("local extra past the end", 28, LOCAL, 65535, 2, "its local header runs past the end");
    spoiled("local extra into the end", 28, LOCAL, 50, 2, "its data runs past the end");
    spoiled("local extra into the next", 28, LOCAL, 16, 2, "overlap");
}

static void parts_refused(const char *what, const struct part *parts, size_t count,
                          const char *words)
{
    struct archive a;
    archive_make(&a, parts, count);
    refused(what, &a, words);
}

static void refuses_odd_archives(void **state)
{
    static const float values[5] = { 1, 2, 3, 4, 5 };
    static const char good[] = GOOD;
    const struct part object = { "a/data.pkl", good, sizeof good - 1 },
                      data = { "a/data/0", values, 16 }, version = { "a/version", "3\n", 2 };
    (void)state;
#define REFUSED(what, words, ...)                                                                  \
    parts_refused(what, (const struct part[]){ __VA_ARGS__ },                                      \
                  sizeof((const struct part[]){ __VA_ARGS__ }) / sizeof(struct part), words)
    REFUSED("one name twice", "duplicate entry", object, data, version, data);
    REFUSED("two folders", "not in one folder", object, { "b/data/0", values, 16 }, version);
    REFUSED("a folder that begins alike", "not in one folder", object, { "ab/data/0", values, 16 },
            version);
    REFUSED("no folder", "not in a folder", { "data.pkl", good, sizeof good - 1 }, data, version);
    REFUSED("an empty folder name", "not in a folder", { "/data.pkl", good, sizeof good - 1 }, data,
            version);
    REFUSED("a folder as an entry", "no file name", object, data, version, { "a/b/", "", 0 });
    REFUSED("a backslash", "no file name", object, data, version, { "a/b\\c", "", 0 });
    REFUSED("no UTF-8", "'a/\\xff'", object, data, version, { "a/\xff", "", 0 });
    REFUSED("no data.pkl", "without data.pkl", data, version);
    REFUSED("no version", "without version", object, data);
    REFUSED("version x", "version 'x'", object, data, { "a/version", "x", 1 });
    REFUSED("version 0", "version '0\\x0a'", object, data, { "a/version", "0\n", 2 });
    REFUSED("version 11", "version '11\\x0a'", object, data, { "a/version", "11\n", 3 });
    REFUSED("no version in it", "version ''", object, data, { "a/version", "", 0 });
    REFUSED("big-endian", "big-endian", object, data, version, { "a/byteorder", "big", 3 });
    REFUSED("middle-endian", "byteorder", object, data, version, { "a/byteorder", "middle", 6 });
    REFUSED("TorchScript", "TorchScript", object, data, version, { "a/code/x.py", "", 0 });
    REFUSED("constants", "TorchScript", object, data, version, { "a/constants.pkl", "", 0 });
    REFUSED("a storage too short", "storage '0': has 12 bytes, needs 16", object,
            { "a/data/0", values, 12 }, version);
    REFUSED("a storage too long", "storage '0': has 20 bytes, needs 16", object,
            { "a/data/0", values, 20 }, version);
    REFUSED("no storage", "storage '0': not in the file", object, { "a/data/1", values, 16 },
            version);
#undef REFUSED
    /* The same data under two names: an overlap bomb. */
    struct archive a;
    const struct part parts[] = { object, data, version };
    archive_make(&a, parts, 3);
    for (size_t i = 1; i < 3; i++)
        set(&a, a.central[i] + 42, 0, 4);
    refused("one offset for all", &a, "another name");
}

/* A good archive with zip64 records, one number of which is then spoiled. */
static void wide(const char *what, size_t at, uint64_t value, unsigned bytes, const char *words)
{
    struct archive a;
    struct text t = { .data = NULL };
    archive_of(&a, BYTES(GOOD));
    const size_t record = a.end;
    text_add_n(&t, a.bytes.data, a.end);
    text_add_n(&t, "PK\6\6", 4);
    put(&t, 44, 8);
    put(&t, 45, 2);
    put(&t, 45, 2);
    put(&t, 0, 8);
    put(&t, 3, 8);
    put(&t, 3, 8);
    put(&t, a.end - a.directory, 8);
    put(&t, a.directory, 8);
    text_add_n(&t, "PK\6\7", 4);
    put(&t, 0, 4);
    put(&t, record, 8);
    put(&t, 1, 4);
    text_add_n(&t, a.bytes.data + a.end, 22);
    text_free(&a.bytes);
    a.bytes = t;
    if (words) {
        set(&a, record + at, value, bytes);
        refused(what, &a, words);
        return;
    }
    expect_read(read_torch, what, t.data, t.length);
    set(&a, record + 76 + 8, 0xffffffff, 4); /* what the classic record leaves to zip64's */
    set(&a, record + 76 + 12, UINT64_MAX, 8);
    expect_read(read_torch, "all ones", t.data, t.length);
    text_free(&t);
}

static void checks_zip64_records(void **state)
{
    (void)state;
    wide("good", 0, 0, 0, NULL);
    wide("magic", 0, 0, 1, "no zip64 end record");
    wide("length", 4, 43, 8, "no zip64 end record");
    wide("a count that differs", 32, 4, 8, "two numbers of entries");
    wide("counts that differ", 24, 0, 1, "two numbers of entries");
    wide("a size that differs", 40, 1, 8, "differ in the directory's size");
    wide("a place that differs", 48, 1, 8, "differ in the directory's place");
    wide("a disk", 16, 7, 4, "several disks");
    wide("locator's disks", 56 + 16, 7, 4, "several disks");
    wide("locator at itself", 56 + 8, UINT64_MAX, 8, "no zip64 end record");
    wide("locator at the beginning", 56 + 8, 0, 8, "no zip64 end record");
}

/* zip64's extra field of an entry. */
static void checks_zip64_fields(void **state)
{
    static const struct {
        const char *what, *extra;
        size_t size;
        uint32_t entry_size, place;
        const char *words;
    } cases[] = {
        { "sizes", BYTES("\1\0\20\0\20\0\0\0\0\0\0\0\20\0\0\0\0\0\0\0"), UINT32_MAX, 0, NULL },
        { "too short", BYTES("\1\0\10\0\20\0\0\0\0\0\0\0"), UINT32_MAX, 0, "too short" },
        { "too long", BYTES("\1\0\10\0\20\0\0\0\0\0\0\0"), 16, 0, "too long" },
        { "two", BYTES("\1\0\0\0\1\0\0\0"), 16, 0, "two zip64 fields" },
        { "past its end", BYTES("\1\0\20\0\20\0"), 16, 0, "run past their end" },
        { "half a header", BYTES("FB\0"), 16, 0, "run past their end" },
        { "huge",
          BYTES("\1\0\20\0\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"),
          UINT32_MAX, 0, "its data runs past the end" },
        { "place", BYTES("\1\0\10\0\377\377\377\377\377\377\377\377"), 16, UINT32_MAX,
          "no local header" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct archive a, b = { .count = 0 };
        archive_of(&a, BYTES(GOOD));
        set(&a, a.central[1] + 30, cases[i].size, 2);
        set(&a, a.central[1] + 20, cases[i].entry_size, 4);
        set(&a, a.central[1] + 24, cases[i].entry_size, 4);
        if (cases[i].place)
            set(&a, a.central[1] + 42, cases[i].place, 4);
        set(&a, a.end + 12, a.end - a.directory + cases[i].size, 4);
        text_add_n(&b.bytes, a.bytes.data, a.central[2]);
        text_add_n(&b.bytes, cases[i].extra, cases[i].size);
        text_add_n(&b.bytes, a.bytes.data + a.central[2], a.bytes.length - a.central[2]);
        text_free(&a.bytes);
        if (cases[i].words) {
            refused(cases[i].what, &b, cases[i].words);
            continue;
        }
        expect_read(read_torch, cases[i].what, b.bytes.data, b.bytes.length);
        text_free(&b.bytes);
    }
}

static void pickle_refused(const char *what, const void *pickle, size_t size, const char *words)
{
    struct archive a;
    archive_of(&a, pickle, size);
    refused(what, &a, words);
}

struct pickle_case {
    const char *pickle;
    size_t size;
    const char *words;
};

static void refuse_all(const struct pickle_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pickle_refused(cases[i].words, cases[i].pickle, cases[i].size, cases[i].words);
}

static void calls_nothing(void **state)
{
    static const struct pickle_case cases[] = {
        { BYTES(PROTO "cos\nsystem\nX\2\0\0\0id\x85R."), "global os.system not allowed" },
        { BYTES(PROTO "cposix\nsystem\nX\2\0\0\0id\x85R."), "global posix.system not allowed" },
        { BYTES(PROTO "cbuiltins\neval\nX\1\0\0\0"
                      "1\x85R."),
          "global builtins.eval not allowed" },
        { BYTES(PROTO "c__builtin__\ngetattr\n."), "global __builtin__.getattr not allowed" },
        { BYTES(PROTO "ctorch\n\x1b[2J\n."), "global torch.\\x1b[2J not allowed" },
        { BYTES(PROTO "ctorch\nload\n."), "global torch.load not allowed" },
        { BYTES(PROTO "ctorch._utils\nFloatStorage\n."), "not allowed" },
        { BYTES(PROTO "ctorch\n_rebuild_tensor_v2\n."), "not allowed" },
        { BYTES(PROTO "ctorch\nComplexFloatStorage\n."),
          "global torch.ComplexFloatStorage not allowed" },
        { BYTES(PROTO "ctorch\nQInt8Storage\n."), "global torch.QInt8Storage not allowed" },
        { BYTES(PROTO "ctorchvision.models.resnet\nResNet\n)\x81."), "save model.state_dict()" },
        { BYTES(PROTO "}X\1\0\0\0acmy.config\nConfig\n)\x81s."),
          "torch.save(checkpoint['state_dict']" },
        { BYTES(PROTO "ctorch\nFloatStorage\nK\4\x85R."), "wrong arguments for FloatStorage" },
        { BYTES(PROTO "}}R."), "REDUCE of something that is not a global" },
        { BYTES(PROTO "ccollections\nOrderedDict\nK\1R."), "wrong arguments for OrderedDict" },
        { BYTES(PROTO "ccollections\nOrderedDict\nK\1\x85R."),
          "wrong arguments for collections.OrderedDict" },
        { BYTES(PROTO "ccollections\nOrderedDict\n](K\1K\2e\x85R."), "wrong arguments" },
        { BYTES(PROTO "ccollections\nOrderedDict\n](](K\1ee\x85R."), "wrong arguments" },
        { BYTES(PROTO "ccollections\nOrderedDict\n](](NK\1ee\x85R."), "wrong arguments" },
        { BYTES(PROTO REBUILD ")R."), "wrong arguments for torch._utils._rebuild_tensor_v2" },
        { BYTES(PROTO REBUILD "(" STORAGE "K\0K\4\x85K\1\x85tR."), "wrong arguments" },
        { BYTES(PROTO REBUILD "(" STORAGE "K\0K\4\x85K\1\x85\x89"
                              "}N}tR."),
          "wrong arguments" },
        { BYTES(PROTO REBUILD "(" STORAGE "K\0K\4\x85K\1\x85\x89"
                              "}X\1\0\0\0atR."),
          "wrong arguments" },
        { BYTES(PROTO REBUILD "(" STORAGE "K\0K\4\x85K\1\x85\x89"
                              "}}K\1K\2stR."),
          "wrong arguments" },
        { BYTES(PROTO REBUILD "(" STORAGE "K\0K\4\x85K\1\x85\x89"
                              "}K\1K\2stR."),
          "wrong arguments" },
        { BYTES(PROTO REBUILD "(" STORAGE "K\0K\4\x85K\1\x85K\0}tR."), "wrong arguments" },
        { BYTES(PROTO REBUILD "(NK\0K\4\x85K\1\x85\x89}tR."), "wrong arguments" },
        { BYTES(PROTO REBUILD "(" STORAGE "K\0]K\1\x85\x89}tR."), "wrong arguments" },
        { BYTES(PROTO REBUILD "(" STORAGE "K\0NN\x89}tR."), "wrong arguments" },
        { BYTES(PROTO "ctorch._utils\n_rebuild_parameter\nN\x89}\x87R."), "wrong arguments" },
        { BYTES(PROTO "ctorch._utils\n_rebuild_parameter\n" TENSOR "\x89N\x87R."),
          "wrong arguments" },
        { BYTES(PROTO "ctorch\nSize\nK\1\x85R."), "wrong arguments for torch.Size" },
        { BYTES(PROTO "ctorch\nSize\n)R."), "wrong arguments for torch.Size" },
    };
    (void)state;
    refuse_all(cases, sizeof cases / sizeof *cases);
}

static void checks_every_opcode(void **state)
{
    static const struct pickle_case cases[] = {
        { BYTES("}."), "protocol 0 or 1" },
        { BYTES("(dp0\n."), "protocol 0 or 1" },
        { BYTES("\x80\x01}."), "pickle protocol 1" },
        { BYTES("\x80\x04\x95\x10\0\0\0\0\0\0\0}."),
          "pickle protocol 4; torch.save with the default" },
        { BYTES("\x80\x05}."), "pickle protocol 5" },
        { BYTES(""), "truncated" },
        { BYTES("\x80"), "truncated" },
        { BYTES(PROTO PROTO "}."), "a second PROTO" },
        { BYTES(PROTO), "ends without a STOP" },
        { BYTES(PROTO "}"), "ends without a STOP" },
        { BYTES(PROTO "}}."), "STOP with 2 values left" },
        { BYTES(PROTO "."), "STOP with 0 values left" },
        { BYTES(PROTO "}(."), "STOP with an open mark" },
        { BYTES(GOOD "x"), "left over after its STOP" },
        { BYTES(PROTO "h\0."), "memo reference 0 before it is set" },
        { BYTES(PROTO "}q\1h\0."), "memo reference 0 before it is set" },
        { BYTES(PROTO "j\377\377\377\377."), "memo reference 4294967295 before it is set" },
        { BYTES(PROTO "}r\377\377\377\377."), "memo reference 4294967295 after 0" },
        { BYTES(PROTO "}q\2."), "memo reference 2 after 0" },
        { BYTES(PROTO "q\0."), "stack empty" },
        { BYTES(PROTO "(q\0."), "stack empty above its mark" },
        { BYTES(PROTO "R."), "stack empty" },
        { BYTES(PROTO "}R."), "stack empty" },
        { BYTES(PROTO "}}(R."), "stack empty above its mark" },
        { BYTES(PROTO "}}\x87."), "stack empty" },
        { BYTES(PROTO "}}(\x86."), "stack empty above its mark" },
        { BYTES(PROTO "}K\1s."), "stack empty" },
        { BYTES(PROTO "t."), "no mark" },
        { BYTES(PROTO "}u."), "no mark" },
        { BYTES(PROTO "(u."), "stack empty where a dict is needed" },
        { BYTES(PROTO "((u."), "stack empty where a dict is needed" },
        { BYTES(PROTO "}(K\1u."), "an odd number of keys and values" },
        { BYTES(PROTO "](K\1K\2u."), "items for something that is not a dict" },
        { BYTES(PROTO "}(K\1e."), "items for something that is not a list" },
        { BYTES(PROTO "}}K\1s."), "no state dict" },
        { BYTES(PROTO "}}b."), "no state dict" },
        { BYTES(PROTO "}Nb."), "BUILD of something that is not a dict" },
        { BYTES(PROTO "]}b."), "BUILD of something that is not a dict" },
        { BYTES(PROTO "X\377\377\377\377a."), "runs past the end" },
        { BYTES(PROTO "X\2\0\0\0\xc3(."), "not UTF-8" },
        { BYTES(PROTO "X\3\0\0\0\xed\xa0\x80."), "not UTF-8" },
        { BYTES(PROTO "T\377\377\377\377a."), "negative length" },
        { BYTES(PROTO "U\5a."), "runs past the end" },
        { BYTES(PROTO "X\1\0"), "runs past the end" },
        { BYTES(PROTO "ctorch"), "runs past the end" },
        { BYTES(PROTO "ctorch\nSize"), "runs past the end" },
        { BYTES(PROTO "\x8a\377."), "truncated" },
        { BYTES(PROTO "\x8a\11123456789."), "truncated" },
        { BYTES(PROTO "\x8a\7"
                      "123."),
          "runs past the end" },
        { BYTES(PROTO "J\1\2"), "runs past the end" },
        { BYTES(PROTO "G1234"), "runs past the end" },
        { BYTES(PROTO "}\x81."), "stack empty where 2 values are needed" },
        { BYTES(PROTO "(i__main__\nA\n."), "opcode INST not allowed" },
        { BYTES(PROTO "\x82\1."), "opcode EXT1 not allowed" },
        { BYTES(PROTO "\x95\1\0\0\0\0\0\0\0."), "opcode FRAME not allowed" },
        { BYTES(PROTO "\x96\1\0\0\0\0\0\0\0."), "opcode BYTEARRAY8 not allowed" },
        { BYTES(PROTO "I01\n."), "opcode INT not allowed" },
        { BYTES(PROTO "P1\n."), "opcode PERSID not allowed" },
        { BYTES(PROTO "}0."), "opcode POP not allowed" },
        { BYTES(PROTO "\x8b\1\0\0\0a."), "opcode LONG4 not allowed" },
        { BYTES(PROTO "\377."), "unknown opcode 0xff" },
    };
    (void)state;
    refuse_all(cases, sizeof cases / sizeof *cases);
    /* Names of globals have an end. */
    char *line = malloc(2048);
    assert_non_null(line);
    memset(line, 'a', 2048);
    memcpy(line, PROTO "c", 3);
    pickle_refused("a long name", line, 2048, "a global's name is too long");
    free(line);
}

static void checks_persistent_ids(void **state)
{
    static const struct pickle_case cases[] = {
        { BYTES(PROTO "Q."), "stack empty" },
        { BYTES(PROTO "K\1Q."), "persistent id malformed" },
        { BYTES(PROTO ")Q."), "persistent id malformed" },
        { BYTES(PROTO TEXT("\7", "storage") "\x85Q."), "persistent id malformed" },
        { BYTES(PROTO "(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0")
                    TEXT("\3", "cpu") "tQ."),
          "persistent id malformed" },
        { BYTES(PROTO "(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0")
                    TEXT("\3", "cpu") "K\4NNtQ."),
          "persistent id malformed" },
        { BYTES(PROTO "(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0")
                    TEXT("\3", "cpu") "K\4NtQ."),
          "persistent id malformed" },
        { BYTES(PROTO "(" TEXT("\6", "module") "NNNNtQ."), "a pickled module" },
        { BYTES(PROTO "(" TEXT("\4", "tape") "NNNNtQ."), "persistent id malformed" },
        { BYTES(PROTO "(" TEXT("\7", "storage") "ctorch\nSize\n" TEXT("\1", "0")
                    TEXT("\3", "cpu") "K\4tQ."),
          "its type is not a storage's" },
        { BYTES(STATE(TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\12", "../version"), "K\4"), "K\0",
                                "K\4\x85", "K\1\x85"))),
          "its key is not 1 to 20 digits" },
        { BYTES(STATE(TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\0", ""), "K\4"), "K\0", "K\4\x85",
                                "K\1\x85"))),
          "its key is not 1 to 20 digits" },
        { BYTES(STATE(
              TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\25", "111111111111111111111"), "K\4"),
                        "K\0", "K\4\x85", "K\1\x85"))),
          "its key is not 1 to 20 digits" },
        { BYTES(STATE(
              TENSOR_OF(STORAGE_OF("FloatStorage", "K\0", "K\4"), "K\0", "K\4\x85", "K\1\x85"))),
          "its key is not 1 to 20 digits" },
        { BYTES(STATE(TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\1", "9"), "K\4"), "K\0",
                                "K\4\x85", "K\1\x85"))),
          "storage '9': not in the file" },
        { BYTES(STATE(TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\1", "0"), "J\377\377\377\377"),
                                "K\0", "K\4\x85", "K\1\x85"))),
          "location or numel" },
        { BYTES(STATE(TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\1", "0"), "\x88"), "K\0",
                                "K\1\x85", "K\1\x85"))),
          "location or numel" },
        { BYTES(STATE(
              TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\1", "0"), "\x8a\10\0\0\0\0\0\0\0\x7f"),
                        "K\0", "K\4\x85", "K\1\x85"))),
          "location or numel" },
        { BYTES(STATE(TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\1", "0"), "K\3"), "K\0",
                                "K\3\x85", "K\1\x85"))),
          "storage '0': has 16 bytes, needs 12" },
        { BYTES(PROTO "}(" TEXT("\1", "a") TENSOR TEXT("\1", "b")
                    TENSOR_OF(STORAGE_OF("FloatStorage", TEXT("\1", "0"), "K\5"), "K\0", "K\4\x85",
                              "K\1\x85") "u."),
          "storage '0': declared twice, differently" },
        { BYTES(PROTO "}(" TEXT("\1", "a") TENSOR TEXT("\1", "b")
                    TENSOR_OF(STORAGE_OF("IntStorage", TEXT("\1", "0"), "K\4"), "K\0", "K\4\x85",
                              "K\1\x85") "u."),
          "storage '0': declared twice, differently" },
        { BYTES(STATE(REBUILD
                      "((" TEXT("\7", "storage") "ctorch.storage\nUntypedStorage\n" TEXT("\1", "0")
                          TEXT("\3", "cpu") "K\20tQK\0K\4\x85K\1\x85" NO_HOOKS "tR")),
          "wrong arguments" },
    };
    (void)state;
    refuse_all(cases, sizeof cases / sizeof *cases);
}

static void checks_views(void **state)
{
    static const struct pickle_case cases[] = {
        { BYTES(STATE(VIEW("K\0", "J\377\377\377\377\x85", "K\1\x85"))), "one is negative" },
        { BYTES(STATE(VIEW("K\0", "K\4\x85", "J\377\377\377\377\x85"))), "one is negative" },
        { BYTES(STATE(VIEW("J\377\377\377\377", "K\1\x85", "K\1\x85"))),
          "offset is not an integer from 0" },
        { BYTES(STATE(VIEW("K\0", "G\x7f\xf8\0\0\0\0\0\0\x85", "K\1\x85"))), "not an integer" },
        { BYTES(STATE(VIEW("K\0", "\x88\x85", "K\1\x85"))), "not an integer" },
        { BYTES(STATE(VIEW("\x89", "K\4\x85", "K\1\x85"))), "offset is not an integer" },
        { BYTES(STATE(VIEW("K\0", "K\4\x85", ")"))), "1 sizes and 0 strides" },
        { BYTES(
              STATE(VIEW("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"))),
          "9 sizes and 9 strides" },
        { BYTES(STATE(VIEW("K\5", "K\0\x85", "K\1\x85"))), "outside its storage '0'" },
        { BYTES(STATE(VIEW("K\4", ")", ")"))), "outside its storage '0'" },
        { BYTES(STATE(VIEW("K\1", "K\4\x85", "K\1\x85"))), "it would reach element 4 of 4" },
        { BYTES(STATE(VIEW("K\0", "K\2K\2\x86", "K\3K\1\x86"))), "it would reach element 4 of 4" },
        { BYTES(STATE(VIEW("K\0", "\x8a\5\0\0\0\0\1\x8a\5\0\0\0\0\1\x86", "K\1K\1\x86"))),
          "overflows" },
        { BYTES(STATE(VIEW("K\0", "K\2\x85", "\x8a\6\0\0\0\0\0\1\x85"))), "outside its storage" },
        { BYTES(STATE(VIEW("K\0", "\x8a\6\0\0\0\0\0\2\x85", "K\0\x85"))), "too large" },
        { BYTES(STATE(VIEW("K\0", "\x8a\5\0\0\0\0\1\x85", "K\0\x85"))),
          "claims 4294967296 elements from a storage of 4" },
        { BYTES(STATE(VIEW("K\0", "J\377\377\377\x7fK\1\x86", "K\0K\0\x86"))),
          "claims 2147483647 elements from a storage of 4" },
    };
    struct archive a;
    (void)state;
    refuse_all(cases, sizeof cases / sizeof *cases);
    /* What lies inside is fine: the end, an empty one at the end, one element with any stride. */
    static const struct pickle_case good[] = {
        { BYTES(STATE(VIEW("K\4", "K\0\x85", "K\1\x85"))), "empty at the end" },
        { BYTES(STATE(VIEW("K\3", ")", ")"))), "last" },
        { BYTES(STATE(VIEW("K\3", "K\1\x85", "J\377\377\377\x7f\x85"))), "one element" },
        { BYTES(STATE(VIEW("K\0", "K\3K\2\x86", "K\1K\1\x86"))), "overlapping rows" },
        { BYTES(STATE(VIEW("K\0", "K\0\x8a\5\0\0\0\0\1\x86", "K\0K\0\x86"))), "no rows" },
        { BYTES(STATE(REBUILD "(" STORAGE "K\0K\4\x85K\1\x85" NO_HOOKS "NtR")), "metadata None" },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        archive_of(&a, good[i].pickle, good[i].size);
        expect_read(read_torch, good[i].words, a.bytes.data, a.bytes.length);
        text_free(&a.bytes);
    }
}

static void finds_no_state_dict(void **state)
{
    static const struct pickle_case cases[] = {
        { BYTES(PROTO "}."), "no state dict; the top level has no keys" },
        { BYTES(PROTO "K\1."), "no state dict; it holds no dict" },
        { BYTES(PROTO "]."), "no state dict; it holds a list" },
        { BYTES(PROTO TENSOR "."), "no state dict; it holds one tensor" },
        { BYTES(PROTO "}" TEXT("\5", "epoch") "K\3sK\7K\1s."),
          "the top level has keys 'epoch', 7" },
        { BYTES(PROTO "}" TEXT("\1", "w") TENSOR "sK\1" TENSOR "s."), "no state dict" },
        { BYTES(PROTO "}" TEXT("\1", "w") TENSOR "s" TEXT("\1", "v") "K\1s."), "no state dict" },
        { BYTES(PROTO "}" TEXT("\4", "\x1b[2J") "K\3s."), "'\\x1b[2J'" },
        { BYTES(PROTO "}" TEXT("\1", "w") TENSOR "s" TEXT("\1", "w") TENSOR "s."),
          "duplicate key 'w'" },
        { BYTES(PROTO "}" TEXT("\1", "w") TENSOR "s" TEXT("\1", "v") "}K\1NsK\2NsK\1Nss."),
          "duplicate key 1" },
        { BYTES(PROTO "ccollections\nOrderedDict\n](](" TEXT("\1", "w") TENSOR "e](" TEXT("\1", "w")
                    TENSOR "ee\x85R."),
          "duplicate key 'w'" },
        { BYTES(PROTO "}" TEXT("\0", "") TENSOR "s."), "a name of 0 bytes" },
        { BYTES(PROTO "}" TEXT("\3", "a\0b") TENSOR "s."), "'a\\x00b'" },
        { BYTES(PROTO "}" TEXT("\5", "model") "}" TEXT("\1", "w") TENSOR
                "ss" TEXT("\3", "net") "}" TEXT("\1", "w") TENSOR "ss."),
          "several state dicts, 'model', 'net'" },
        { BYTES(PROTO "]q\0h\0a."), "no state dict; it holds a list" },
        { BYTES(PROTO "}q\0" TEXT("\5", "model") "h\0s."), "no state dict" },
    };
    (void)state;
    refuse_all(cases, sizeof cases / sizeof *cases);
}

/* `count` times `what` between a beginning and an end. */
static void repeated(const char *begin, size_t begin_size, const char *what, size_t what_size,
                     size_t count, const char *end, size_t end_size, const char *words)
{
    struct text t = { .data = NULL };
    const double start = clock_seconds();
    text_add_n(&t, begin, begin_size);
    for (size_t i = 0; i < count; i++)
        text_add_n(&t, what, what_size);
    text_add_n(&t, end, end_size);
    assert_false(t.failed);
    pickle_refused(words, t.data, t.length, words);
    text_free(&t);
    assert_true(clock_seconds() - start < 30);
}

static void keeps_to_its_bounds(void **state)
{
    (void)state;
    repeated(BYTES(PROTO), BYTES("("), 2000000, BYTES("."), "too many marks");
    repeated(BYTES(PROTO "}"), BYTES("\x85"), 200000, BYTES("."), "no state dict; it holds a list");
    repeated(BYTES(PROTO "K\1"), BYTES("q\0h\0\x86"), 60, BYTES("."), "no state dict");
    repeated(BYTES(PROTO), BYTES("N"), 1000001, BYTES("."), "more than 1000000 values");
    repeated(BYTES(PROTO "}"), BYTES("}b"), 10000001, BYTES("."), "more than 20000000 opcodes");
    /* One list of pairs, made a dict again and again. */
    struct text t = { .data = NULL };
    text_add_n(&t, BYTES(PROTO "]q\0("));
    for (size_t i = 0; i < 2000; i++)
        text_add_n(&t, BYTES("K\1K\2\x86"));
    text_add_n(&t, BYTES("e"));
    repeated(t.data, t.length, BYTES("ccollections\nOrderedDict\nh\0\x85R"), 4000, BYTES("."),
             "used too often");
    text_free(&t);
    /* Views, each of which is small, that claim more than the file has. */
    struct archive a;
    text_add_n(&t, BYTES(PROTO "}("));
    for (unsigned i = 0; i < 300; i++) {
        text_add_n(&t, BYTES("K"));
        put(&t, i % 250, 1);
        text_add_n(&t, BYTES(VIEW("K\0", "M\377\377\x85", "K\0\x85")));
    }
    text_add_n(&t, BYTES("u."));
    archive_of(&a, t.data, t.length);
    refused("many expanded views", &a, "claims 65535 elements from a storage of 4");
    text_free(&t);
}

#define SYSTEM PROTO "}" TEXT("\15", "little_endian") "\x88s."
#define OLD_STORAGE(view)                                                                          \
    "(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "5")                             \
        TEXT("\3", "cpu") "K\2" view "tQ"
#define OLD_STATE(view) STATE(TENSOR_OF(OLD_STORAGE(view), "K\0", "K\1\x85", "K\1\x85"))
#define OLD OLD_STATE("N")
#define KEYS PROTO "](" TEXT("\1", "5") "e."
#define DATA                                                                                       \
    "\2\0\0\0\0\0\0\0"                                                                             \
    "\0\0\x80\x3f\0\0\0\x40"

static void refuses_hostile_legacy_files(void **state)
{
    static const struct {
        const char *what, *system;
        size_t system_size;
        const char *object;
        size_t object_size;
        const char *keys;
        size_t keys_size;
        const char *data;
        size_t data_size;
        const char *words;
    } cases[] = {
        { "good", BYTES(SYSTEM), BYTES(OLD), BYTES(KEYS), BYTES(DATA), NULL },
        { "window", BYTES(SYSTEM), BYTES(OLD_STATE("(" TEXT("\1", "7") "K\1K\1t")), BYTES(KEYS),
          BYTES(DATA), NULL },
        { "no system", BYTES(""), BYTES(OLD), BYTES(KEYS), BYTES(DATA), "little-endian" },
        { "big-endian", BYTES(PROTO "}" TEXT("\15", "little_endian") "\x89s."), BYTES(OLD),
          BYTES(KEYS), BYTES(DATA), "not marked as little-endian" },
        { "system of 1",
          BYTES(PROTO
                "}(" TEXT("\15", "little_endian") "\x88" TEXT("\20", "protocol_version") "K\1u."),
          BYTES(OLD), BYTES(KEYS), BYTES(DATA), "protocol version is not 1001" },
        { "system of text", BYTES(PROTO "X\0\0\0\0."), BYTES(OLD), BYTES(KEYS), BYTES(DATA),
          "no dict describes" },
        { "key not in the object", BYTES(SYSTEM), BYTES(OLD),
          BYTES(PROTO "](" TEXT("\1", "6") "e."), BYTES(DATA),
          "has a key that the object has not" },
        { "key not in the list", BYTES(SYSTEM), BYTES(OLD), BYTES(PROTO "]."), BYTES(""),
          "storage '5': not in the file" },
        { "twice", BYTES(SYSTEM), BYTES(OLD),
          BYTES(PROTO "](" TEXT("\1", "5") TEXT("\1", "5") "e."), BYTES(DATA DATA),
          "storage '5': listed twice" },
        { "key a number", BYTES(SYSTEM), BYTES(OLD), BYTES(PROTO "](K\5e."), BYTES(DATA),
          "not text" },
        { "no list", BYTES(SYSTEM), BYTES(OLD), BYTES(PROTO "}."), BYTES(DATA), "no list" },
        { "numel negative", BYTES(SYSTEM), BYTES(OLD), BYTES(KEYS),
          BYTES("\377\377\377\377\377\377\377\377"), "-1 elements, the object declares 2" },
        { "numel 2^62", BYTES(SYSTEM), BYTES(OLD), BYTES(KEYS), BYTES("\0\0\0\0\0\0\0\x40"),
          "4611686018427387904 elements" },
        { "another numel", BYTES(SYSTEM), BYTES(OLD), BYTES(KEYS),
          BYTES("\1\0\0\0\0\0\0\0"
                "1234"),
          "1 elements, the object declares 2" },
        { "cut", BYTES(SYSTEM), BYTES(OLD), BYTES(KEYS),
          BYTES("\2\0\0\0\0\0\0\0"
                "1234567"),
          "cut short" },
        { "cut in numel", BYTES(SYSTEM), BYTES(OLD), BYTES(KEYS), BYTES("\2\0\0"), "cut short" },
        { "left over", BYTES(SYSTEM), BYTES(OLD), BYTES(KEYS), BYTES(DATA "x"),
          "1 bytes left over" },
        { "window outside", BYTES(SYSTEM), BYTES(OLD_STATE("(" TEXT("\1", "7") "K\1K\2t")),
          BYTES(KEYS), BYTES(DATA), "window outside its root" },
        { "window's key", BYTES(SYSTEM), BYTES(OLD_STATE("(NK\1K\1t")), BYTES(KEYS), BYTES(DATA),
          "window" },
        { "window of two", BYTES(SYSTEM), BYTES(OLD_STATE("K\1K\1\x86")), BYTES(KEYS), BYTES(DATA),
          "window" },
        { "view outside its window", BYTES(SYSTEM),
          BYTES(STATE(
              TENSOR_OF(OLD_STORAGE("(" TEXT("\1", "7") "K\1K\1t"), "K\0", "K\2\x85", "K\1\x85"))),
          BYTES(KEYS), BYTES(DATA), "outside its storage" },
        { "id of zip", BYTES(SYSTEM), BYTES(GOOD), BYTES(KEYS), BYTES(DATA),
          "persistent id malformed" },
        { "a module", BYTES(SYSTEM), BYTES(PROTO "(" TEXT("\6", "module") "NNNtQ."), BYTES(KEYS),
          BYTES(DATA), "a pickled module" },
        { "object cut", BYTES(SYSTEM), BYTES(PROTO "}("), BYTES(""), BYTES(""),
          "ends without a STOP" },
    };
    struct text t = { .data = NULL };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        legacy_make(&t, cases[i].system, cases[i].system_size, cases[i].object,
                    cases[i].object_size, cases[i].keys, cases[i].keys_size, cases[i].data,
                    cases[i].data_size);
        if (cases[i].words)
            expect_refused(read_torch, cases[i].what, t.data, t.length, cases[i].words);
        else
            expect_read(read_torch, cases[i].what, t.data, t.length);
        if (strcmp(cases[i].what, "good") == 0) {
            t.data[18] = (char)0xea; /* the version: 1002 */
            expect_refused(read_torch, "version 1002", t.data, t.length,
                           "protocol version is not 1001");
        }
        text_free(&t);
    }
}

static void recognises_other_files(void **state)
{
    uint8_t tar[10240] = "sys_info";
    (void)state;
    memcpy(tar + 257, "ustar", 5);
    expect_refused(read_torch, "tar", tar, sizeof tar, "written by PyTorch 0.1 (tar); use");
    expect_refused(read_torch, "tar, its first block", tar, 512, "torch.save it again");
    expect_refused(read_torch, "2018", "PYTORCH1aaaa", 12, "PYTORCH1");
    expect_refused(read_torch, "text", "hello", 5, "not a PyTorch file");
    expect_refused(read_torch, "nothing", "", 0, "not a PyTorch file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_damaged_directories),
        cmocka_unit_test(refuses_damaged_entries),
        cmocka_unit_test(refuses_odd_archives),
        cmocka_unit_test(checks_zip64_records),
        cmocka_unit_test(checks_zip64_fields),
        cmocka_unit_test(calls_nothing),
        cmocka_unit_test(checks_every_opcode),
        cmocka_unit_test(checks_persistent_ids),
        cmocka_unit_test(checks_views),
        cmocka_unit_test(finds_no_state_dict),
        cmocka_unit_test(keeps_to_its_bounds),
        cmocka_unit_test(refuses_hostile_legacy_files),
        cmocka_unit_test(recognises_other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
