/* Weights from state dicts: prefixes, dtypes, the head, and all faults at once. */
#include "fixture.h"

#include "base/file.h"
#include <math.h>

static struct graph *graph; /* small_norm's */

struct tensor { /* of a file that a test writes */
    char name[64];
    const char *dtype;
    unsigned dims;
    uint64_t shape[4];
    size_t count;
    float value; /* of all elements */
};
struct state_dict {
    struct tensor tensors[40];
    size_t count;
};

/* All parameters of the graph, number i filled with i + 0.5. */
static struct state_dict dict_of(const char *prefix)
{
    struct state_dict d = { .count = graph->view.parameter_count };
    for (size_t i = 0; i < d.count; i++) {
        const bioft_parameter *p = &graph->parameters[i];
        struct tensor *t = &d.tensors[i];
        snprintf(t->name, sizeof(t->name), "%s%s", prefix, p->name);
        t->dtype = "F32";
        t->dims = p->dims;
        memcpy(t->shape, p->shape, sizeof(t->shape));
        t->count = p->count;
        t->value = (float)i + 0.5f;
    }
    return d;
}

static struct tensor *named(struct state_dict *d, const char *name)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->tensors[i].name, name) == 0)
            return &d->tensors[i];
    fail_msg("no %s", name);
    return NULL;
}

/* The file, by the format's own words; n + 0.5 is exact in F16 and BF16 for small n. */
static void put(struct text *data, const struct tensor *t)
{
    const double wide = (double)t->value;
    uint32_t bits;
    memcpy(&bits, &t->value, sizeof(bits));
    const uint16_t brain = (uint16_t)(bits >> 16);
    const uint16_t half = (uint16_t)((bits >> 16 & 0x8000) | (((bits >> 23 & 0xff) - 112) << 10) |
                                     (bits >> 13 & 0x3ff));
    const int64_t integer = (int64_t)t->value;
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->dtype, "F32") == 0)
            text_add_n(data, (const char *)&t->value, 4);
        else if (strcmp(t->dtype, "F64") == 0)
            text_add_n(data, (const char *)&wide, 8);
        else if (strcmp(t->dtype, "I64") == 0)
            text_add_n(data, (const char *)&integer, 8);
        else
            text_add_n(data, (const char *)(strcmp(t->dtype, "F16") == 0 ? &half : &brain), 2);
    }
}

static const char *dict_write(const struct state_dict *d, const char *name)
{
    struct error err = { 0 };
    struct text header = { 0 }, data = { 0 }, file = { 0 };
    text_add(&header, "{");
    for (size_t i = 0; i < d->count; i++) {
        const struct tensor *t = &d->tensors[i];
        const size_t begin = data.length;
        put(&data, t);
        text_printf(&header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i > 0 ? "," : "", t->name, t->dtype);
        for (unsigned k = 0; k < t->dims; k++)
            text_printf(&header, "%s%llu", k > 0 ? "," : "", (unsigned long long)t->shape[k]);
        text_printf(&header, "],\"data_offsets\":[%zu,%zu]}", begin, data.length);
    }
    text_add(&header, "}");
    const uint64_t length = header.length;
    text_add_n(&file, (const char *)&length, 8);
    text_add_n(&file, header.data, header.length);
    text_add_n(&file, data.data, data.length);
    const char *path = fixture_path(&fixture, name);
    OK(file_write(path, file.data, file.length, &err), err);
    text_free(&header);
    text_free(&data);
    text_free(&file);
    return path;
}

static void check_loaded(struct model *m, bool with_head)
{
    for (uint32_t i = 0; i < graph->view.parameter_count; i++) {
        float *w = fixture_read(m, BIOFT_VALUE, i);
        const bool loaded = with_head || !(graph->parameters[i].flags & BIOFT_PARAM_HEAD);
        for (size_t k = 0; k < graph->parameters[i].count; k++)
            assert_int_equal(w[k] == (float)i + 0.5f, loaded);
        free(w);
    }
}

static void load(const char *path, bool with_head, const char *said)
{
    struct error err = { 0 };
    struct model *m = fixture_model(&fixture, graph, 1);
    char *text = NULL;
    OK(weights_load(&(struct weights_spec){ .file = path }, m, with_head ? NULL : "classes", &text, &err), err);
    check_loaded(m, with_head);
    if (!strstr(text, said))
        fail_msg("'%s' is not in: %s", said, text);
    free(text);
    model_destroy(m);
}

static void test_load(void **state)
{
    struct state_dict d = dict_of("");
    (void)state;
    load(dict_write(&d, "plain"), true, "15 tensors");
    load(dict_write(&d, "plain"), false, "13 tensors; new: fc2.weight, fc2.bias: 10 classes, the file has 10");
    struct state_dict wrapped = dict_of("module.");
    load(dict_write(&wrapped, "wrapped"), false, "all names begin with 'module.'");
    static const char *const dtypes[] = { "F16", "BF16", "F64" };
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < d.count; k++)
            d.tensors[k].dtype = dtypes[i];
        load(dict_write(&d, "converted"), true, "15 converted to float32");
    }
}

/* By the names that another library has for some layers; a factor's sides of 1 are no fault then. */
static void test_other_names(void **state)
{
    struct state_dict d = dict_of("");
    static const char *const names[][2] = {
        { "conv1.weight", "stem.conv.weight" },
        { "bn1.bias", "stem.norm.bias" },
        { "fc2.weight", "classifier.weight" },
        { "fc2.bias", "classifier.bias" },
    };
    struct tensor *bias = named(&d, "bn1.bias");
    (void)state;
    bias->dims = 3;
    bias->shape[1] = bias->shape[2] = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tensor *t = named(&d, names[i][0]);
        assert_non_null(t);
        snprintf(t->name, sizeof(t->name), "%s", names[i][1]);
    }
    load(dict_write(&d, "timm"), true, "15 tensors; 4 by their other names");
    load(dict_write(&d, "timm"), false, "the file has 10; 4 by their other names");
}

/* Another task's head is no fault where it is left alone. */
static void test_other_head(void **state)
{
    struct state_dict d = dict_of("");
    (void)state;
    named(&d, "fc2.weight")->shape[0] = 1000;
    named(&d, "fc2.weight")->count = 12000;
    load(dict_write(&d, "other_head"), false, "13 tensors; new: fc2.weight, fc2.bias: 10 classes, the file has 1000");
}

static void test_counters(void **state)
{
    struct error err = { 0 };
    struct state_dict d = dict_of("");
    struct model *m = fixture_model(&fixture, graph, 1);
    char *text = NULL;
    (void)state;
    d.tensors[d.count++] = (struct tensor){
        .name = "bn2.num_batches_tracked", .dtype = "I64", .count = 1, .value = 41
    };
    OK(weights_load(&(struct weights_spec){ .file = dict_write(&d, "counters") }, m, NULL, &text, &err), err);
    free(text);
    assert_int_equal(graph->counter_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(m->counters[i], strcmp(graph->counters[i], "bn2.num_batches_tracked") == 0 ? 41 : 0);
    model_destroy(m);
}

static void test_faults(void **state)
{
    struct error err = { 0 };
    struct state_dict d = dict_of("");
    struct model *m = fixture_model(&fixture, graph, 1), *fresh = fixture_model(&fixture, graph, 1);
    char *text = NULL;
    static const char *const parts[] = {
        "conv1.weight is [4, 9] in the file, [4, 1, 3, 3] in the network",
        "conv2.bias is missing; the nearest name is conv2.bais",
        "conv2.bais is not in the network",
        "fc1.weight has a value that is not finite (number 0)",
        "bn1.weight is I64",
        "bn1.running_var has a variance below 0 (number 0)",
    };
    (void)state;
    named(&d, "conv1.weight")->dims = 2;
    named(&d, "conv1.weight")->shape[1] = 9;
    strcpy(named(&d, "conv2.bias")->name, "conv2.bais");
    named(&d, "fc1.weight")->value = INFINITY;
    named(&d, "bn1.weight")->dtype = "I64";
    named(&d, "bn1.running_var")->value = -1e-3f;
    named(&d, "bn1.running_mean")->value = -1.0f; /* a mean may be */
    assert_int_equal(weights_load(&(struct weights_spec){ .file = dict_write(&d, "faults") }, m, NULL, &text, &err),
                     BIOFT_ERR_FORMAT);
    assert_null(text);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (!strstr(err.text, parts[i]))
            fail_msg("'%s' is not in: %s", parts[i], err.text);
    for (uint32_t i = 0; i < graph->view.parameter_count; i++) {
        float *a = fixture_read(m, BIOFT_VALUE, i), *b = fixture_read(fresh, BIOFT_VALUE, i);
        assert_memory_equal(a, b, graph->parameters[i].count * sizeof(*a));
        free(a);
        free(b);
    }
    model_destroy(m);
    model_destroy(fresh);
}

/* The same network from a .pth, some of it in half precision. */
static void test_torch(void **state)
{
    enum { MOST = 40 };
    struct error err = { 0 };
    struct tensor_out outs[MOST] = { { 0 } };
    struct torch_writer *w = NULL;
    const uint32_t count = graph->view.parameter_count;
    const char *path = fixture_path(&fixture, "model.pth");
    (void)state;
    assert_true(count < MOST);
    for (uint32_t i = 0; i < count; i++) {
        const bioft_parameter *p = &graph->parameters[i];
        outs[i] = (struct tensor_out){ .name = p->name, .dims = p->dims, .dtype = i % 2 ? TENSOR_F32 : TENSOR_BF16 };
        memcpy(outs[i].shape, p->shape, sizeof(p->shape));
    }
    outs[count] = (struct tensor_out){ .name = "bn1.num_batches_tracked", .dtype = TENSOR_I64 };
    OK(torch_begin(path, outs, count + 1, &w, &err), err);
    for (uint32_t i = 0; i < count; i++) {
        struct text data = { 0 };
        const struct tensor t = { .dtype = i % 2 ? "F32" : "BF16",
                                  .count = graph->parameters[i].count,
                                  .value = (float)i + 0.5f };
        put(&data, &t);
        OK(torch_add(w, data.data, data.length, &err), err);
        text_free(&data);
    }
    OK(torch_add(w, &(int64_t){ 7 }, 8, &err), err);
    OK(torch_commit(w, &err), err);
    load(path, true, "16 tensors; 8 converted to float32");
    load(path, false, "14 tensors; new: fc2.weight, fc2.bias: 10 classes, the file has 10");
}

/* A file that is no weights, and one that is cut short: nothing is changed. */
static void test_impostors(void **state)
{
    static const char page[] = "<!DOCTYPE html><title>Sign in</title>";
    struct error err = { 0 };
    struct model *m = fixture_model(&fixture, graph, 1);
    char *text = NULL;
    const char *path = fixture_path(&fixture, "page.pth");
    (void)state;
    OK(file_write(path, page, sizeof(page) - 1, &err), err);
    assert_int_equal(weights_load(&(struct weights_spec){ .file = path }, m, NULL, &text, &err), BIOFT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "an HTML page, not weights"));
    assert_null(text);
    model_destroy(m);
}

static int open_fixture(void **state)
{
    (void)state;
    fixture_open(&fixture, 1);
    fixture_engine(&fixture);
    graph = fixture_graph(&fixture, fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "small_norm", NULL), 10);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    graph_destroy(graph);
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),      cmocka_unit_test(test_other_names), cmocka_unit_test(test_other_head),
        cmocka_unit_test(test_counters),  cmocka_unit_test(test_faults),      cmocka_unit_test(test_torch),
        cmocka_unit_test(test_impostors),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
