/* Weights of any format through one interface, and files that are something else. */
#include "hostile.h"

#include "base/file.h"
#include "formats/weights.h"

#include <unistd.h>

#include "torch_golden.h"

static const struct golden *named(const char *what)
{
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        if (strcmp(golden[i].what, what) == 0)
            return &golden[i];
    fail_msg("no %s", what);
    return NULL;
}

static struct weights *parse(const void *bytes, size_t size, const struct torch_params *params)
{
    struct weights *w = NULL;
    struct error err;
    if (weights_parse("t", bytes, size, params, &w, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    return w;
}

static void opens_every_format(void **state)
{
    static const char safetensors[] = "\x3c\0\0\0\0\0\0\0"
                                      "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}    "
                                      "  \0\0\x80\x3f";
    static const struct {
        const char *what;
        enum weights_format format;
    } cases[] = { { "plain", WEIGHTS_TORCH_ZIP },
                  { "plain, legacy", WEIGHTS_TORCH_LEGACY },
                  { "old", WEIGHTS_TORCH_LEGACY } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct golden *g = named(cases[i].what);
        struct weights *w = parse(g->data, g->size, NULL);
        assert_int_equal(w->format, cases[i].format);
        assert_int_equal(w->count, 2);
        assert_null(w->note);
        assert_null(w->safetensors);
        assert_ptr_equal(weights_find(w, "b"), &w->tensors[1]);
        assert_null(weights_find(w, "a"));
        weights_close(w);
    }
    struct weights *w = parse(safetensors, sizeof safetensors - 1, NULL);
    assert_int_equal(w->format, WEIGHTS_SAFETENSORS);
    assert_non_null(w->safetensors);
    assert_non_null(weights_find(w, "w"));
    weights_close(w);
    weights_close(NULL);
}

static void looks_through_wrappings(void **state)
{
    const struct golden *g = named("checkpoint");
    struct weights *w = parse(g->data, g->size, NULL);
    (void)state;
    assert_string_equal(w->note, "found under 'state_dict'; all names begin with 'module.', which "
                                 "is left out");
    assert_non_null(weights_find(w, "0.weight"));
    assert_null(weights_find(w, "module.0.weight"));
    weights_close(w);
    w = parse(g->data, g->size, &(struct torch_params){ .key = "state_dict" });
    weights_close(w);
}

static void takes_prefixes_that_all_share(void **state)
{
    static const struct {
        const char *names[2], *left[2];
    } cases[] = {
        { { "module.a", "module.b" }, { "a", "b" } },
        { { "model.a", "model.b" }, { "a", "b" } },
        { { "_orig_mod.module.a", "_orig_mod.module.b" }, { "a", "b" } },
        { { "module.a", "b" }, { "module.a", "b" } },
        { { "module.a", "module." }, { "module.a", "module." } },
        { { "modules.a", "modules.b" }, { "modules.a", "modules.b" } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[512];
        const int length = snprintf(file + 8, sizeof file - 8,
                                    "{\"%s\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                                    "\"%s\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                                    cases[i].names[0], cases[i].names[1]);
        memset(file, 0, 8);
        file[0] = (char)(length & 0xff);
        file[1] = (char)(length >> 8);
        struct weights *w = parse(file, (size_t)length + 8, NULL);
        for (size_t k = 0; k < 2; k++)
            assert_string_equal(w->tensors[k].name, cases[i].left[k]);
        assert_int_equal(w->note != NULL, strcmp(cases[i].names[0], cases[i].left[0]) != 0);
        weights_close(w);
    }
}

static bioft_status read_weights(const uint8_t *bytes, size_t size, struct error *err)
{
    struct weights *w = NULL;
    bioft_status st = weights_parse("t", bytes, size, NULL, &w, err);
    if (st == BIOFT_OK)
        weights_close(w);
    return st;
}

static void names_what_is_no_weights(void **state)
{
    static const struct {
        const char *bytes, *words;
    } cases[] = {
        { "", "empty" },
        { "<!DOCTYPE html><html>", "an HTML page" },
        { "\n  <HTML lang=en>", "an HTML page" },
        { "\xef\xbb\xbf<!doctype HTML>", "an HTML page" },
        { "<?xml version='1.0'?><Error>", "an XML text" },
        { "{\"error\": \"no such file\"}", "a JSON text" },
        { "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 46830571\n",
          "a Git LFS pointer, not the weights: run 'git lfs pull' for the file of 46830571 bytes" },
        { "version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer" },
        { "\x1f\x8b\x08", "gzip" },
        { "PK\3", "cut short" },
        { "PK\3\4\x14", "cut short" },
        { "\x80\x02}q", "a Python pickle without PyTorch's header, or cut short" },
        { "\x89HDF\r\n", "HDF5" },
        { "\x93NUMPY\1", "NumPy" },
        { "hello, world", "neither a PyTorch file (.pth) nor safetensors" },
    };
    static const char cut[] = "\xff\1\0\0\0\0\0\0{\"w\":{";
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(read_weights, cases[i].words, cases[i].bytes, strlen(cases[i].bytes), cases[i].words);
    expect_refused(read_weights, "safetensors", cut, sizeof cut - 1, "the file is cut short");
    expect_refused(read_weights, "safetensors", cut, 9, "the file is cut short");
    expect_refused(read_weights, "safetensors", cut, 5, "cut short");
    expect_prefixes_refused(read_weights, named("plain")->data, named("plain")->size);
}

static void knows_the_published_files(void **state)
{
    struct weights *w = NULL;
    struct error err;
    const struct weights_known *k = weights_by_sum("f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec");
    (void)state;
    assert_non_null(k);
    assert_string_equal(k->file, "resnet18-f37072fd.pth");
    assert_null(weights_by_sum("f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ed"));
    assert_string_equal(weights_by_sum("8a719046000000000000000000000000"
                                       "00000000000000000000000000000000")
                            ->file,
                        "vgg11-8a719046.pth");
    assert_ptr_equal(weights_by_name("a/b/resnet18-f37072fd.pth"), k);
    assert_null(weights_by_name("a/b/resnet18.pth"));
    /* The beginning of such a file says how long it should be. */
    assert_int_equal(file_write("resnet18-f37072fd.pth", named("plain")->data, 500, &err), BIOFT_OK);
    assert_int_equal(weights_open("resnet18-f37072fd.pth", NULL, &w, &err), BIOFT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "cut short"));
    assert_non_null(strstr(err.text, "the published resnet18-f37072fd.pth has 46830571 bytes, this file 500"));
    assert_int_equal(file_write("resnet18-f37072fd.pth", named("plain")->data, named("plain")->size, &err), BIOFT_OK);
    assert_int_equal(weights_open("resnet18-f37072fd.pth", NULL, &w, &err), BIOFT_OK);
    assert_non_null(strstr(w->note, "not the published file of this name"));
    weights_close(w);
    assert_int_equal(unlink("resnet18-f37072fd.pth"), 0);
    assert_int_equal(weights_open("absent.pth", NULL, &w, &err), BIOFT_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_every_format),
        cmocka_unit_test(looks_through_wrappings),
        cmocka_unit_test(takes_prefixes_that_all_share),
        cmocka_unit_test(names_what_is_no_weights),
        cmocka_unit_test(knows_the_published_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
