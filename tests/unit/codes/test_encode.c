/* Encoding of a split: the signs of a linear network's outputs, computed here from its weights and
 * the pixels. */
#include "../data/fixture.h"

#include "codes/encode.h"
#include "engine/engine.h"
#include "plugin/options.h"
#include "plugin/registry.h"
#include <math.h>

enum { BITS = 70, COUNT_QUERIES = 20 };

#define OK(call, err) \
    do { \
        if ((call) != BIOFT_OK) \
            fail_msg("%s: %s", #call, (err).text); \
    } while (0)

struct rig {
    struct registry *registry;
    struct arena *arena;
    struct pool *pool;
    struct engine *engine;
    struct graph *graph;
    struct model *model;
    struct dataset *data;
    struct encode_params params;
};

static uint64_t two_labels(uint32_t split, uint64_t index)
{
    return UINT64_C(1) << index % 5 | UINT64_C(1) << (index + split) % 5;
}

static const struct plugin *find(struct rig *r, uint32_t kind, const char *name)
{
    struct error err = { 0 };
    const struct plugin *p = NULL;
    OK(registry_find(r->registry, kind, name, &p, &err), err);
    return p;
}

/* One linear layer from the pixels to the bits: a perceptron without hidden layers. */
static void build_network(struct rig *r)
{
    struct error err = { 0 };
    const struct plugin *mlp = find(r, BIOFT_KIND_BACKBONE, "mlp");
    struct option_value *values;
    struct instance *backbone;
    size_t index = 0;

    OK(options_defaults(mlp, r->arena, &values, &err), err);
    const bioft_option *hidden = options_find(mlp, "hidden", &index);
    assert_non_null(hidden);
    OK(option_parse(hidden, NULL, 0, true, ".", r->arena, &values[index], &err), err);
    OK(instance_create(&(struct instance_params){ .plugin = mlp, .values = values }, &backbone, &err), err);
    OK(graph_build(&(struct graph_params){ .backbone = backbone,
                                           .channels = r->data->channels,
                                           .height = r->data->height,
                                           .width = r->data->width,
                                           .head_outputs = BITS },
                   &r->graph, &err),
       err);
    instance_destroy(backbone);
    OK(model_create(r->engine, r->graph, &r->model, &err), err);
    assert_int_equal(r->graph->view.parameter_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        float *first = mem_array(r->graph->parameters[i].count, sizeof *first);
        assert_non_null(first);
        OK(graph_initialise(r->graph, i, 5, "test", first), err);
        OK(model_write(r->model, BIOFT_VALUE, i, first, &err), err);
        free(first);
    }
}

static void rig_open(struct rig *r, unsigned threads)
{
    struct error err = { 0 };
    struct dataset_spec spec;

    memset(r, 0, sizeof *r);
    fake_reset();
    fake.multi_label = true;
    fake.labels = two_labels;
    spec = plain_spec(fake_plugin(), NULL);
    r->data = open_dataset(&spec);
    OK(registry_create(&(struct registry_places){ .environment = true }, NULL, &r->registry, &err), err);
    r->arena = arena_create();
    assert_non_null(r->arena);
    OK(pool_create(threads, &r->pool, &err), err);
    const struct plugin *openblas = find(r, BIOFT_KIND_ENGINE, "openblas");
    struct option_value *values;
    OK(options_defaults(openblas, r->arena, &values, &err), err);
    OK(engine_open(
           &(struct engine_params){
               .registry = r->registry, .plugin = openblas, .values = values, .pool = r->pool, .seed = 1 },
           &r->engine, &err),
       err);
    build_network(r);
    r->params = (struct encode_params){
        .model = r->model,
        .dataset = r->data,
        .split = &r->data->splits[1],
        .pool = r->pool,
        .precision = BIOFT_F32,
        .batch_size = 8,
        .image = { .channels = 1, .height = 6, .width = 5, .mean = { 0.5f }, .std = { 0.25f } },
    };
}

static void rig_close(struct rig *r)
{
    model_destroy(r->model);
    graph_destroy(r->graph);
    engine_close(r->engine);
    pool_destroy(r->pool);
    registry_destroy(r->registry);
    arena_destroy(r->arena);
    dataset_close(r->data);
}

/* The output of one bit for one sample, in double. */
static double plain_output(const float *weight, const float *bias, uint64_t sample, uint32_t bit)
{
    double sum = bias[bit];
    for (uint32_t y = 0; y < 6; y++)
        for (uint32_t x = 0; x < 5; x++)
            sum += ((double)fake_byte(1, sample, y, x, 0) / 255.0 - 0.5) / 0.25 * weight[bit * 30 + y * 5 + x];
    return sum;
}

/* Signs decide; where rounding could turn one, it may. */
static void check_row(struct rig *r, const struct codes *c, uint64_t row, uint64_t sample)
{
    struct error err = { 0 };
    float weight[BITS * 30], bias[BITS];

    OK(model_read(r->model, BIOFT_VALUE, 0, weight, &err), err);
    OK(model_read(r->model, BIOFT_VALUE, 1, bias, &err), err);
    for (uint32_t bit = 0; bit < BITS; bit++) {
        const double out = plain_output(weight, bias, sample, bit);
        if (out > 1e-5 || out < -1e-5)
            assert_int_equal(c->codes[row * c->words + bit / 64] >> bit % 64 & 1, out > 0);
    }
    assert_true(c->labels[row] == two_labels(1, sample));
}

static void codes_are_signs_of_outputs(void **state)
{
    struct rig r;
    struct error err = { 0 };
    struct codes c = { 0 };

    (void)state;
    rig_open(&r, 1);
    OK(encode_split(&r.params, &c, &err), err);
    assert_true(c.n == COUNT_QUERIES && c.bits == BITS && c.words == 2 && c.classes == 5 && c.label_words == 1);
    for (uint64_t i = 0; i < c.n; i++)
        check_row(&r, &c, i, i);
    codes_free(&c);
    rig_close(&r);
}

static void positions_choose_and_order(void **state)
{
    const uint64_t positions[] = { 19, 3, 3, 7, 0, 11, 12, 13, 14, 2, 1 };
    struct rig r;
    struct error err = { 0 };
    struct codes c = { 0 };

    (void)state;
    rig_open(&r, 2);
    r.params.positions = positions;
    r.params.count = COUNT(positions);
    r.params.batch_size = 4;
    OK(encode_split(&r.params, &c, &err), err);
    assert_true(c.n == COUNT(positions));
    for (uint64_t i = 0; i < c.n; i++)
        check_row(&r, &c, i, positions[i]);
    codes_free(&c);
    rig_close(&r);
}

/* Neither batch size nor threads change a bit. */
static void batches_do_not_matter(void **state)
{
    static const uint32_t sizes[] = { 2, 3, 20, 64 };
    struct codes first = { 0 };
    struct error err = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct rig r;
        struct codes c = { 0 };
        rig_open(&r, 1 + (unsigned)i);
        r.params.batch_size = sizes[i];
        OK(encode_split(&r.params, i ? &c : &first, &err), err);
        if (i)
            assert_memory_equal(c.codes, first.codes, first.n * first.words * sizeof *first.codes);
        codes_free(&c);
        rig_close(&r);
    }
    codes_free(&first);
}

static void what_is_not_a_number_has_no_code(void **state)
{
    struct rig r;
    struct error err = { 0 };
    struct codes c = { 0 };
    float bias[BITS] = { 0 };

    (void)state;
    rig_open(&r, 1);
    bias[66] = NAN;
    OK(model_write(r.model, BIOFT_VALUE, 1, bias, &err), err);
    assert_int_equal(encode_split(&r.params, &c, &err), BIOFT_ERR_INVALID);
    assert_contains(err.text, "split 'test'");
    assert_contains(err.text, "output 66 ");
    assert_null(c.codes);
    rig_close(&r);
}

static void a_request_to_stop_is_heard(void **state)
{
    const struct stop stop = { .signal = 2 };
    struct rig r;
    struct error err = { 0 };
    struct codes c = { 0 };

    (void)state;
    rig_open(&r, 1);
    r.params.stop = &stop;
    assert_int_equal(encode_split(&r.params, &c, &err), BIOFT_ERR_CANCELLED);
    assert_null(c.codes);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_signs_of_outputs), cmocka_unit_test(positions_choose_and_order),
        cmocka_unit_test(batches_do_not_matter),      cmocka_unit_test(what_is_not_a_number_has_no_code),
        cmocka_unit_test(a_request_to_stop_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
