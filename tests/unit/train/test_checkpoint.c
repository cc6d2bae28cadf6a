/* Checkpoints: all of it comes back, the names are those of the format, and what does not fit
 * changes nothing. */
#include "fixture.h"

#include "base/file.h"
#include "base/random.h"
#include "formats/safetensors.h"

/* A stage's things around a model, with numbers in every array. */
struct things {
    struct graph *graph;
    struct model *model;
    struct feedback *feedback;
    struct instance *loss;
    struct dataset data;
    struct trial *trial;
    struct checkpoint c;
};

static const char *const class_names[] = { "a", "b \"quoted\"" };

static void things_open(struct things *t, const char *backbone, uint64_t seed)
{
    struct error err = { 0 };
    const struct image_format image = { .channels = 1, .height = 8, .width = 8, .mean = { 0.25f }, .std = { 0.5f } };
    const struct choice choice = fixture_choice(&fixture, BIOFT_KIND_BACKBONE, backbone, NULL);
    const struct choice rule = fixture_choice(&fixture, BIOFT_KIND_RULE, "kolen_pollack", NULL);
    const bioft_task task = { .struct_size = sizeof(task), .outputs = 10, .classes = 10 };
    memset(t, 0, sizeof(*t));
    t->data = (struct dataset){ .spec = arena_array(fixture.arena, 1, sizeof(struct dataset_spec)),
                                .classes = 2,
                                .class_names = class_names };
    t->graph = fixture_graph(&fixture, choice, 10);
    t->model = fixture_model(&fixture, t->graph, seed);
    t->trial = fixture_trial(&fixture, choice, &t->data, rule, "probe_loss");
    t->trial->seed = 99;
    OK(feedback_create(t->model, t->trial->stages->rules, 1, seed, NULL, 4, &t->feedback, &err), err);
    OK(instance_create(&(struct instance_params){ .plugin = t->trial->stages->loss.plugin, .trainables = true },
                       &t->loss, &err),
       err);
    OK(t->trial->stages->loss.plugin->api.loss.attach(t->loss->self, &task), err);
    for (uint32_t p = 0; p < t->graph->view.parameter_count; p++) {
        const size_t count = t->graph->parameters[p].count;
        float *values = mem_array(count, sizeof(*values));
        for (uint32_t what = BIOFT_MOMENT1; what <= BIOFT_MOMENT2; what++) {
            random_fill(BIOFT_UNIFORM, seed, t->graph->parameters[p].name, what, 0, values, count);
            if (t->graph->parameters[p].kind != BIOFT_PARAM_RUNNING)
                fixture_write(t->model, what, p, values);
        }
        free(values);
    }
    for (size_t i = 0; i < t->graph->counter_count; i++)
        t->model->counters[i] = seed + i;
    t->loss->arrays[0].value[0] = (float)seed + 0.5f;
    t->loss->arrays[0].moment1[0] = (float)seed + 0.25f;
    t->loss->arrays[0].moment2[0] = (float)seed + 0.125f;
    t->c = (struct checkpoint){
        .model = t->model,
        .feedback = t->feedback,
        .loss = t->loss,
        .moments = true,
        .optimizer = BIOFT_ADAM,
        .dataset = &t->data,
        .trial = t->trial,
        .stage = t->trial->stages,
        .key = "0123456789abcdef",
        .image = image,
        .progress = { .epoch = 2, .batch_in_epoch = 3, .step = seed, .loss_sum = 0.1 + 0.2, .correct = 5, .seen = 6 },
    };
}

static void things_close(struct things *t)
{
    feedback_destroy(t->feedback);
    instance_destroy(t->loss);
    model_destroy(t->model);
    graph_destroy(t->graph);
}

static void save(struct things *t, const char *name)
{
    struct error err = { 0 };
    OK(checkpoint_save(fixture_path(&fixture, name), &t->c, &err), err);
}

/* The same bytes? */
static bool same(const char *a, const char *b)
{
    struct error err = { 0 };
    char sums[2][SHA256_HEX];
    OK(sha256_file(fixture_path(&fixture, a), sums[0], &err), err);
    OK(sha256_file(fixture_path(&fixture, b), sums[1], &err), err);
    return strcmp(sums[0], sums[1]) == 0;
}

static void test_round_trip(void **state)
{
    struct error err = { 0 };
    struct things a, b;
    struct progress progress;
    char key[SHA256_HEX];
    (void)state;
    things_open(&a, "small_norm", 7);
    things_open(&b, "small_norm", 8);
    save(&a, "a");
    save(&b, "b");
    assert_false(same("a", "b"));
    b.c.progress = (struct progress){ 0 };
    OK(checkpoint_load(fixture_path(&fixture, "a"), &b.c, &err), err);
    assert_true(b.c.progress.loss_sum == 0.1 + 0.2 && b.c.progress.step == 7 && !b.c.progress.complete);
    save(&b, "b");
    assert_true(same("a", "b"));
    a.c.progress.complete = true;
    save(&a, "a");
    OK(checkpoint_peek(fixture_path(&fixture, "a"), &progress, key, &err), err);
    assert_string_equal(key, "0123456789abcdef");
    assert_true(progress.complete && progress.epoch == 2 && progress.batch_in_epoch == 3 && progress.correct == 5 &&
                progress.seen == 6);
    things_close(&a);
    things_close(&b);
}

static void test_names(void **state)
{
    struct error err = { 0 };
    struct safetensors *file = NULL;
    struct things t;
    static const struct {
        const char *name;
        enum tensor_dtype dtype;
        unsigned dims;
        size_t count;
    } tensors[] = {
        { "conv1.weight", TENSOR_F32, 4, 36 },
        { "bn1.running_var", TENSOR_F32, 1, 4 },
        { "fc2.bias", TENSOR_F32, 1, 10 },
        { "bn2.num_batches_tracked", TENSOR_I64, 0, 1 },
        { "optim/conv1.weight/m", TENSOR_F32, 4, 36 },
        { "optim/bn1.weight/v", TENSOR_F32, 1, 4 },
        { "optim/step", TENSOR_I64, 0, 1 },
        { "rule/0/conv2", TENSOR_F32, 1, 216 },
        { "loss/a", TENSOR_F32, 1, 1 },
        { "loss/calls", TENSOR_F32, 1, 1 },
        { "optim/loss/a/m", TENSOR_F32, 1, 1 },
        { "optim/loss/a/v", TENSOR_F32, 1, 1 },
    };
    static const char *const meta[][2] = {
        { "format", "bioft-checkpoint-1" },
        { "seed", "99" },
        { "stage", "train" },
        { "epoch", "2" },
        { "step", "7" },
        { "batch_in_epoch", "3" },
        { "complete", "0" },
        { "generator", "philox4x32-10/1" },
        { "loss_sum", "0.30000000000000004" },
        { "classes", "[\"a\",\"b \\\"quoted\\\"\"]" },
        { "backbone", "{\"plugin\":\"small_norm\"}" },
        { "head", "{\"layer\":\"fc2\",\"classes\":10}" },
        { "picture", "{\"channels\":1,\"height\":8,\"width\":8,\"mean\":[0.25],\"std\":[0.5]}" },
        { "transform", "\"auto\"" },
    };
    (void)state;
    things_open(&t, "small_norm", 7);
    save(&t, "names");
    OK(safetensors_open(fixture_path(&fixture, "names"), &file, &err), err);
    for (size_t i = 0; i < sizeof(tensors) / sizeof(*tensors); i++) {
        const struct tensor_entry *e = safetensors_find(file, tensors[i].name);
        if (!e || e->dtype != tensors[i].dtype || e->dims != tensors[i].dims || e->count != tensors[i].count)
            fail_msg("%s", tensors[i].name);
    }
    assert_null(safetensors_find(file, "optim/bn1.running_var/m"));
    assert_null(safetensors_find(file, "optim/loss/calls/m"));
    for (size_t i = 0; i < sizeof(meta) / sizeof(*meta); i++) {
        assert_non_null(safetensors_metadata(file, meta[i][0]));
        assert_string_equal(safetensors_metadata(file, meta[i][0]), meta[i][1]);
    }
    safetensors_close(file);
    t.c.optimizer = BIOFT_SGD;
    t.c.momentum = 0.9;
    save(&t, "names");
    OK(safetensors_open(fixture_path(&fixture, "names"), &file, &err), err);
    assert_non_null(safetensors_find(file, "optim/conv1.weight/momentum"));
    assert_non_null(safetensors_find(file, "optim/loss/a/momentum"));
    assert_null(safetensors_find(file, "optim/conv1.weight/m"));
    safetensors_close(file);
    things_close(&t);
}

/* Fails with all of the parts, and the next save has the bytes of before. */
static void refused(struct things *t, const char *file, const char *const *parts)
{
    struct error err = { 0 };
    save(t, "before");
    assert_int_not_equal(checkpoint_load(fixture_path(&fixture, file), &t->c, &err), BIOFT_OK);
    for (; *parts; parts++)
        if (!strstr(err.text, *parts))
            fail_msg("'%s' is not in: %s", *parts, err.text);
    save(t, "after");
    assert_true(same("before", "after"));
}

static void test_refusals(void **state)
{
    struct error err = { 0 };
    struct things a, b, other;
    uint8_t *bytes;
    size_t size;
    (void)state;
    things_open(&a, "small_norm", 7);
    things_open(&b, "small_norm", 8);
    things_open(&other, "lenet5", 9);
    save(&a, "a");
    refused(&other, "a",
            (const char *const[]){ "conv1.bias is missing", "bn1.weight is not of this stage",
                                   "conv1.weight is [4, 1, 3, 3] in the file, [6, 1, 5, 5] here", NULL });
    b.c.key = "f";
    refused(&b, "a", (const char *const[]){ "0123456789ab", "another manifest", NULL });
    b.c.key = a.c.key;
    b.c.optimizer = BIOFT_SGD;
    refused(&b, "a", (const char *const[]){ "optim/conv1.weight/m is not of this stage", NULL });
    b.c.optimizer = BIOFT_ADAM;
    OK(file_read(fixture_path(&fixture, "a"), 1 << 20, &bytes, &size, &err), err);
    OK(file_write(fixture_path(&fixture, "cut"), bytes, size - 8, &err), err);
    free(bytes);
    refused(&b, "cut", (const char *const[]){ "cut", NULL });
    refused(&b, "none", (const char *const[]){ "none", NULL });
    things_close(&a);
    things_close(&b);
    things_close(&other);
}

/* Where the metadata says nonsense of the stage's place, nothing of the file is taken. */
static void test_hostile_metadata(void **state)
{
    static const struct {
        const char *from, *to; /* of one length */
        const char *words;
    } edits[] = {
        { "\"step\":\"17\"", "\"step\":\"-1\"", "does not record the stage's progress" },
        { "\"seed\":\"99\"", "\"seed\":\"9x\"", "does not record the stage's progress" },
        { "\"complete\":\"0\"", "\"complexe\":\"0\"", "does not record the stage's progress" },
        { "\"complete\":\"0\"", "\"complete\":\"2\"", "does not record the stage's progress" },
        { "\"loss_sum\":\"0.3", "\"loss_sum\":\"0_3", "does not record the stage's progress" },
        { "\"step\":\"17\"", "\"step\":\"18\"", "optim/step is 17, the metadata's step 18" },
        { "\"key\":\"0123", "\"key\":\"0124", "its key is 0124456789ab" },
        { "bioft-checkpoint-1", "bioft-checkpoint-2", "no checkpoint of this bioft" },
        { "optim/bn1.weight/m", "optim/bn1.weight/x", "optim/bn1.weight/m is missing" },
        { "optim/bn1.weight/m", "optim/bn1.weight/x", "optim/bn1.weight/x is not of this stage" },
    };
    struct error err = { 0 };
    struct things t;
    uint8_t *bytes;
    size_t size;
    (void)state;
    things_open(&t, "small_norm", 17);
    save(&t, "whole");
    OK(file_read(fixture_path(&fixture, "whole"), 1 << 20, &bytes, &size, &err), err);
    for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
        const size_t n = strlen(edits[i].from);
        uint8_t *at = memmem(bytes, size, edits[i].from, n);
        if (!at || strlen(edits[i].to) != n)
            fail_msg("%s", edits[i].from);
        memcpy(at, edits[i].to, n);
        OK(file_write(fixture_path(&fixture, "edited"), bytes, size, &err), err);
        memcpy(at, edits[i].from, n);
        refused(&t, "edited", (const char *const[]){ edits[i].words, NULL });
    }
    free(bytes);
    things_close(&t);
}

/* A caller that wants the network alone gets that. */
static void test_parts(void **state)
{
    struct error err = { 0 };
    struct things a, b;
    (void)state;
    things_open(&a, "small_norm", 7);
    things_open(&b, "small_norm", 8);
    save(&a, "a");
    b.c.feedback = NULL;
    b.c.loss = NULL;
    b.c.moments = false;
    OK(checkpoint_load(fixture_path(&fixture, "a"), &b.c, &err), err);
    for (uint32_t p = 0; p < a.graph->view.parameter_count; p++) {
        float *x = fixture_read(a.model, BIOFT_VALUE, p), *y = fixture_read(b.model, BIOFT_VALUE, p);
        assert_memory_equal(x, y, a.graph->parameters[p].count * sizeof(*x));
        free(x);
        free(y);
    }
    assert_true(b.model->counters[0] == 7 && b.loss->arrays[0].value[0] == 8.5f);
    things_close(&a);
    things_close(&b);
}

static void test_classes(void **state)
{
    static const char *const other[] = { "a", "c" };
    struct error err = { 0 };
    struct things t;
    (void)state;
    things_open(&t, "small_norm", 7);
    t.data.name = "data";
    save(&t, "classes");
    OK(checkpoint_check_classes(&(struct weights_spec){ .file = fixture_path(&fixture, "classes") }, &t.data, &err),
       err);
    t.data.class_names = other;
    assert_int_equal(
        checkpoint_check_classes(&(struct weights_spec){ .file = fixture_path(&fixture, "classes") }, &t.data, &err),
        BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "number 1 is 'b \"quoted\"' there and 'c' here"));
    t.data.class_names = class_names;
    t.data.classes = 1;
    assert_int_equal(
        checkpoint_check_classes(&(struct weights_spec){ .file = fixture_path(&fixture, "classes") }, &t.data, &err),
        BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "knows 2 classes, 'data' has 1"));
    things_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_names), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_hostile_metadata), cmocka_unit_test(test_parts), cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, fixture_open_group, fixture_close_group);
}
