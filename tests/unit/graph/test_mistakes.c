/* What a backbone can do wrong, and the words it gets for it; the first failure stays. */
#include "fake.h"

/* One mistake: `make` gets the builder and the input of 3x8x8. */
typedef void mistake(const bioft_builder *b, bioft_tensor x);

/* An end that is right, where the mistake is elsewhere. */
static void end(const bioft_builder *b, bioft_tensor x) { head(b, "fc", b->flatten(b, x), 2); }

static void no_head(const bioft_builder *b, bioft_tensor x) { conv(b, "a", x, conv_of(4, 3)); }
static void two_heads(const bioft_builder *b, bioft_tensor x)
{
    x = b->flatten(b, x);
    head(b, "fc", x, 2);
    head(b, "other", x, 2);
}
static void after_head(const bioft_builder *b, bioft_tensor x) { b->relu(b, head(b, "fc", b->flatten(b, x), 2)); }
static void two_inputs(const bioft_builder *b, bioft_tensor x)
{
    b->input(b, 3, 8, 8);
    end(b, x);
}
static void name_twice(const bioft_builder *b, bioft_tensor x)
{
    x = conv(b, "a", x, conv_of(4, 3));
    end(b, conv(b, "a", x, conv_of(4, 3)));
}
static void norm_name_twice(const bioft_builder *b, bioft_tensor x) { end(b, linear(b, "bn", norm(b, "bn", x), 2)); }
static void no_name(const bioft_builder *b, bioft_tensor x) { end(b, conv(b, NULL, x, conv_of(4, 3))); }
static void empty_name(const bioft_builder *b, bioft_tensor x) { end(b, conv(b, "", x, conv_of(4, 3))); }
static void blank_in_name(const bioft_builder *b, bioft_tensor x) { end(b, conv(b, "a b\n", x, conv_of(4, 3))); }
static void no_tensor(const bioft_builder *b, bioft_tensor x)
{
    end(b, x);
    b->relu(b, 99);
}
static void unknown_tensor(const bioft_builder *b, bioft_tensor x) { end(b, b->relu(b, x + 7)); }
static void unused_tensor(const bioft_builder *b, bioft_tensor x)
{
    b->tanh_(b, conv(b, "dead", x, conv_of(4, 3)));
    end(b, x);
}
static void not_flat(const bioft_builder *b, bioft_tensor x) { head(b, "fc", x, 2); }
static void sum_of_unlike(const bioft_builder *b, bioft_tensor x)
{
    end(b, b->add(b, x, conv(b, "a", x, conv_of(3, 3))));
}
static void bad_groups(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.groups = 2;
    end(b, conv(b, "a", x, c));
}
static void bad_group_outputs(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.groups = 3;
    end(b, conv(b, "a", x, c));
}
static void no_outputs(const bioft_builder *b, bioft_tensor x) { end(b, conv(b, "a", x, conv_of(0, 3))); }
static void no_kernel(const bioft_builder *b, bioft_tensor x) { end(b, conv(b, "a", x, conv_of(4, 0))); }
static void no_features(const bioft_builder *b, bioft_tensor x) { end(b, linear(b, "a", b->flatten(b, x), 0)); }
static void bad_init(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.init = 3;
    end(b, conv(b, "a", x, c));
}
static void normal_without_std(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.init = BIOFT_INIT_NORMAL;
    end(b, conv(b, "a", x, c));
}
static void std_without_normal(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.init_std = 0.1f;
    end(b, conv(b, "a", x, c));
}
static void bad_bias(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.no_bias = 2;
    end(b, conv(b, "a", x, c));
}
static void null_struct(const bioft_builder *b, bioft_tensor x) { end(b, b->conv2d(b, "a", x, NULL)); }
static void no_struct_size(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.struct_size = 0;
    end(b, conv(b, "a", x, c));
}
static void newer_struct(const bioft_builder *b, bioft_tensor x)
{
    struct {
        bioft_linear l;
        uint32_t more;
    } p = { linear_of(2), 1 };
    p.l.struct_size = sizeof p;
    b->head(b, "fc", b->flatten(b, x), &p.l);
}
static void bad_dropout(const bioft_builder *b, bioft_tensor x) { end(b, b->dropout(b, x, 1)); }
static void max_without_padding(const bioft_builder *b, bioft_tensor x)
{
    bioft_pool p = pool_of(2, 2);
    p.exclude_padding = 1;
    end(b, b->maxpool(b, x, &p));
}
static void pool_padding(const bioft_builder *b, bioft_tensor x)
{
    bioft_pool p = pool_of(3, 2);
    p.padding[2] = 2;
    end(b, b->avgpool(b, x, &p));
}
static void adaptive_to_nothing(const bioft_builder *b, bioft_tensor x) { end(b, b->adaptive_avgpool(b, x, 2, 0)); }
static void bad_momentum(const bioft_builder *b, bioft_tensor x)
{
    const bioft_norm n = { .struct_size = sizeof n, .momentum = 1.5f };
    end(b, b->batchnorm(b, "bn", x, &n));
}
static void unknown_operator(const bioft_builder *b, bioft_tensor x)
{
    end(b, b->op(b, "Softplus", "act", &x, 1, NULL, 0));
}
static void operator_with_a_call(const bioft_builder *b, bioft_tensor x)
{
    end(b, b->op(b, "Relu", "r", &x, 1, NULL, 0));
}
static void normalised_wrong(const bioft_builder *b, bioft_tensor x)
{
    const float mean[] = { 0 }, std[] = { 1 };
    b->normalise(b, mean, std, 1);
    end(b, x);
}
static void normalised_twice(const bioft_builder *b, bioft_tensor x)
{
    const float mean[] = { 0, 0, 0 }, std[] = { 1, 1, 1 };
    b->normalise(b, mean, std, 3);
    b->normalise(b, mean, std, 3);
    end(b, x);
}
static void normalised_by_zero(const bioft_builder *b, bioft_tensor x)
{
    const float mean[] = { 0, 0, 0 }, std[] = { 1, 0, 1 };
    b->normalise(b, mean, std, 3);
    end(b, x);
}
static void weights_of_nothing(const bioft_builder *b, bioft_tensor x)
{
    const float values[2] = { 0 };
    b->weights(b, "fc.bias", values, 2);
    end(b, x);
}
static void weights_of_another_count(const bioft_builder *b, bioft_tensor x)
{
    const float values[3] = { 0 };
    end(b, x);
    b->weights(b, "fc.bias", values, 3);
}
static void too_large(const bioft_builder *b, bioft_tensor x) { end(b, conv(b, "a", x, conv_of(1u << 31, 1))); }
static void weight_too_large(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(1u << 22, 1u << 20);
    for (int i = 0; i < 4; i++)
        c.padding[i] = 1u << 20;
    end(b, conv(b, "a", x, c));
}
static void padding_too_large(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.padding[0] = UINT32_MAX;
    end(b, conv(b, "a", x, c));
}

static const struct {
    const char *what;
    mistake *make;
    bioft_status status;
    const char *part;
} cases[] = {
    { "no head", no_head, BIOFT_ERR_INVALID, "no head()" },
    { "two heads", two_heads, BIOFT_ERR_INVALID, "called after head()" },
    { "after the head", after_head, BIOFT_ERR_INVALID, "relu after fc: called after head()" },
    { "two inputs", two_inputs, BIOFT_ERR_INVALID, "input: called twice" },
    { "a name twice", name_twice, BIOFT_ERR_INVALID, "a: two layers have this name" },
    { "a batchnorm's name", norm_name_twice, BIOFT_ERR_INVALID, "bn: two layers have this name" },
    { "no name", no_name, BIOFT_ERR_INVALID, "conv2d after the input: '' is not a name" },
    { "empty name", empty_name, BIOFT_ERR_INVALID, "'' is not a name" },
    { "blank in name", blank_in_name, BIOFT_ERR_INVALID, "'a b\\x0a' is not a name" },
    { "no tensor", no_tensor, BIOFT_ERR_INVALID, "relu after fc: tensor 99 is not of this graph" },
    { "unknown tensor", unknown_tensor, BIOFT_ERR_INVALID, "tensor 8 is not of this graph" },
    { "unused tensor", unused_tensor, BIOFT_ERR_INVALID, "dead: the output of its tanh is never used" },
    { "not flat", not_flat, BIOFT_ERR_INVALID, "fc: a linear layer on a 3x8x8 image: flatten it" },
    { "unlike sum", sum_of_unlike, BIOFT_ERR_INVALID, "3x8x8 and 3x6x6 cannot be added" },
    { "input groups", bad_groups, BIOFT_ERR_INVALID, "a: 3 input and 4 output channels do not divide into 2" },
    { "output groups", bad_group_outputs, BIOFT_ERR_INVALID, "do not divide into 3 groups" },
    { "no outputs", no_outputs, BIOFT_ERR_INVALID, "a: 0 output channels" },
    { "no kernel", no_kernel, BIOFT_ERR_INVALID, "a: a 0x0 kernel" },
    { "no features", no_features, BIOFT_ERR_INVALID, "a: 0 outputs" },
    { "bad init", bad_init, BIOFT_ERR_UNSUPPORTED, "a: init 3 is unknown" },
    { "no init_std", normal_without_std, BIOFT_ERR_INVALID, "init_std above 0" },
    { "init_std alone", std_without_normal, BIOFT_ERR_INVALID, "init_std is for init NORMAL" },
    { "bad no_bias", bad_bias, BIOFT_ERR_INVALID, "no_bias is 0 or 1, not 2" },
    { "NULL", null_struct, BIOFT_ERR_INVALID, "a: its parameters are NULL" },
    { "no struct_size", no_struct_size, BIOFT_ERR_INVALID, "a: a struct_size of 0" },
    { "newer struct", newer_struct, BIOFT_ERR_UNSUPPORTED, "fc: uses a parameter that this bioft does not know" },
    { "dropout of 1", bad_dropout, BIOFT_ERR_INVALID, "dropout after the input: a probability of 1" },
    { "maxpool without padding", max_without_padding, BIOFT_ERR_INVALID, "exclude_padding is for averages" },
    { "padding of a pool", pool_padding, BIOFT_ERR_INVALID, "padding 2 is above half of the 3x3 kernel" },
    { "adaptive to 0", adaptive_to_nothing, BIOFT_ERR_INVALID, "an output of 2x0" },
    { "momentum", bad_momentum, BIOFT_ERR_INVALID, "bn: eps 0 is not above 0 or momentum 1.5" },
    { "unknown operator", unknown_operator, BIOFT_ERR_UNSUPPORTED,
      "act: no engine has the ONNX operator 'Softplus'; they have Conv, Gemm, BatchNormalization" },
    { "known operator", operator_with_a_call, BIOFT_ERR_INVALID, "r: 'Relu' has a call of its own, relu()" },
    { "normalised channels", normalised_wrong, BIOFT_ERR_INVALID, "normalise: 1 channels, the input has 3" },
    { "normalised twice", normalised_twice, BIOFT_ERR_INVALID, "normalise: once" },
    { "normalised by 0", normalised_by_zero, BIOFT_ERR_INVALID, "deviation 0 of channel 1" },
    { "weights of nothing", weights_of_nothing, BIOFT_ERR_INVALID, "no parameter is called 'fc.bias'" },
    { "count of weights", weights_of_another_count, BIOFT_ERR_INVALID, "3 values for 'fc.bias', which has 2" },
    { "too large", too_large, BIOFT_ERR_UNSUPPORTED, "a: 2147483648x8x8 values an image are too many" },
    { "weight too large", weight_too_large, BIOFT_ERR_UNSUPPORTED, "a: its weight does not fit into memory" },
    { "padding too large", padding_too_large, BIOFT_ERR_UNSUPPORTED, "a: its padding makes an output too large" },
};

static bioft_status build_case(void *self, const bioft_builder *b)
{
    cases[*(size_t *)self].make(b, b->input(b, 3, 8, 8));
    return BIOFT_OK;
}

static void each_mistake_has_its_words(void **state)
{
    struct fake f;
    size_t index;

    (void)state;
    fake_init(&f, build_case);
    f.instance.self = &index;
    for (index = 0; index < sizeof cases / sizeof *cases; index++) {
        struct error err = { 0 };
        struct graph *g = NULL;
        bioft_status status = graph_build(&f.params, &g, &err);
        if (status != cases[index].status || g || !strstr(err.text, cases[index].part) ||
            strncmp(err.text, "backbone 'fake': ", 17) != 0)
            fail_msg("%s: %d: %s", cases[index].what, status, err.text);
    }
}

static bioft_status nothing_built(void *self, const bioft_builder *b)
{
    (void)self;
    (void)b;
    return BIOFT_OK;
}

static bioft_status no_input(void *self, const bioft_builder *b)
{
    (void)self;
    end(b, b->relu(b, 1));
    return BIOFT_OK;
}

static bioft_status bad_input(void *self, const bioft_builder *b)
{
    end(b, b->input(b, *(uint32_t *)self, 8, 8));
    return BIOFT_OK;
}

static void inputs(void **state)
{
    struct fake f;
    uint32_t channels = 5;

    (void)state;
    fake_init(&f, nothing_built);
    fake_fail(&f, BIOFT_ERR_INVALID, "it built nothing");
    fake_init(&f, no_input);
    fake_fail(&f, BIOFT_ERR_INVALID, "relu: the graph has no input yet");
    fake_init(&f, bad_input);
    f.instance.self = &channels;
    fake_fail(&f, BIOFT_ERR_INVALID, "1 to 4 channels");
    channels = 3;
    f.params.channels = 1;
    fake_fail(&f, BIOFT_ERR_INVALID, "it takes images of 3 channels, the data has 1");
}

/* After the first failure every call gives 0, checks nothing and changes no word of it. */
static bioft_status goes_on(void *self, const bioft_builder *b)
{
    const float values[1] = { 0 };
    bioft_tensor x = b->input(b, 3, 8, 8);

    assert_int_equal(b->struct_size, sizeof(bioft_builder));
    assert_int_equal(conv(b, "first mistake", x, conv_of(4, 3)), 0);
    assert_int_equal(b->input(b, 3, 8, 8), 0);
    assert_int_equal(conv(b, "fine", x, conv_of(4, 3)), 0);
    assert_int_equal(linear(b, "fine", 0, 3), 0);
    assert_int_equal(norm(b, "fine", x), 0);
    assert_int_equal(b->maxpool(b, x, NULL), 0);
    assert_int_equal(b->avgpool(b, x, NULL), 0);
    assert_int_equal(b->adaptive_avgpool(b, x, 1, 1), 0);
    assert_int_equal(b->relu(b, x), 0);
    assert_int_equal(b->tanh_(b, x), 0);
    assert_int_equal(b->dropout(b, x, 7), 0);
    assert_int_equal(b->add(b, x, x), 0);
    assert_int_equal(b->flatten(b, x), 0);
    assert_int_equal(b->op(b, "Softplus", NULL, &x, 1, NULL, 0), 0);
    assert_int_equal(b->op(b, NULL, NULL, NULL, 0, NULL, 0), 0);
    assert_int_equal(head(b, "fc", x, 2), 0);
    assert_int_equal(b->weights(b, "fc.bias", values, 1), BIOFT_ERR_INVALID);
    assert_int_equal(b->normalise(b, values, values, 1), BIOFT_ERR_INVALID);
    return *(bioft_status *)self;
}

static void the_first_failure_stays(void **state)
{
    struct fake f;
    bioft_status answer = BIOFT_OK;

    (void)state;
    fake_init(&f, goes_on);
    f.instance.self = &answer;
    fake_fail(&f, BIOFT_ERR_INVALID, "'first mistake' is not a name");
    answer = BIOFT_ERR_IO;
    fake_fail(&f, BIOFT_ERR_INVALID, "'first mistake' is not a name");
}

/* A 5x5 conv, a pool by 2, a strided 3x3 conv padded by 1, a 4x4 conv: sides S, S-4, (S-4)/2,
 * ((S-4)/2-1)/2+1, which must be 4: (S-4)/2 >= 7, S >= 18. */
static bioft_status deep(void *self, const bioft_builder *b)
{
    bioft_conv2d c = conv_of(4, 3);
    const bioft_pool p = pool_of(2, 2);
    bioft_tensor x = b->input(b, 3, 32, 32);

    (void)self;
    c.stride[0] = c.stride[1] = 2;
    c.padding[0] = c.padding[1] = c.padding[2] = c.padding[3] = 1;
    x = b->maxpool(b, conv(b, "conv1", x, conv_of(4, 5)), &p);
    x = conv(b, "conv2", x, c);
    x = conv(b, "conv3", x, conv_of(4, 4));
    end(b, x);
    return BIOFT_OK;
}

static void too_small_says_what_works(void **state)
{
    static const struct {
        uint32_t height, width;
        const char *text;
    } small[] = {
        { 17, 17,
          "backbone 'fake': conv3: 3x3 image is too small for a 4x4 kernel; the smallest input "
          "is 18x18" },
        { 17, 40, "conv3: 3x9 image is too small for a 4x4 kernel; the smallest input is 18x18" },
        { 40, 4, "conv1: 40x4 image is too small for a 5x5 kernel; the smallest input is 18x18" },
        { 5, 5,
          "maxpool after conv1: 1x1 image is too small for a 2x2 kernel; the smallest input is "
          "18x18" },
    };
    struct fake f;

    (void)state;
    fake_init(&f, deep);
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        f.params.height = small[i].height;
        f.params.width = small[i].width;
        fake_fail(&f, BIOFT_ERR_INVALID, small[i].text);
    }
    f.params.height = f.params.width = 18;
    graph_destroy(fake_build(&f));
}

static bioft_status never_fits(void *self, const bioft_builder *b)
{
    bioft_conv2d c = conv_of(4, 3);

    (void)self;
    c.padding[0] = 1;
    c.dilation[0] = c.dilation[1] = 1u << 30;
    end(b, conv(b, "wide", b->input(b, 3, 8, 8), c));
    return BIOFT_OK;
}

static void nothing_is_promised_where_nothing_works(void **state)
{
    struct fake f;
    struct error err = { 0 };
    struct graph *g = NULL;

    (void)state;
    fake_init(&f, never_fits);
    assert_int_equal(graph_build(&f.params, &g, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, "backbone 'fake': wide: 8x8 image, padded to 9x8, is too small for a 3x3 "
                                  "kernel of dilation 1073741824x1073741824");
}

struct teller {
    const bioft_host *host;
};

static bioft_status teller_create(void *self, const bioft_host *host)
{
    ((struct teller *)self)->host = host;
    return BIOFT_OK;
}

static bioft_status teller_build(void *self, const bioft_builder *b)
{
    const bioft_host *host = ((struct teller *)self)->host;

    b->input(b, 3, 8, 8);
    return (host->fail)(host, BIOFT_ERR_FORMAT, "its file has no weights");
}

/* build() itself fails, with nothing wrong in its calls. */
static void the_backbones_own_words(void **state)
{
    struct fake f;
    struct error err = { 0 };

    (void)state;
    fake_init(&f, teller_build);
    f.plugin.descriptor.instance_size = sizeof(struct teller);
    f.plugin.descriptor.create = teller_create;
    assert_int_equal(instance_create(&(struct instance_params){ .plugin = &f.plugin }, &f.params.backbone, &err),
                     BIOFT_OK);
    fake_fail(&f, BIOFT_ERR_FORMAT, "backbone 'fake': its file has no weights");
    instance_destroy(f.params.backbone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_has_its_words), cmocka_unit_test(inputs),
        cmocka_unit_test(the_first_failure_stays),    cmocka_unit_test(the_backbones_own_words),
        cmocka_unit_test(too_small_says_what_works),  cmocka_unit_test(nothing_is_promised_where_nothing_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
