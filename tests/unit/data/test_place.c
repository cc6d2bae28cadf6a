/* Geometry of the transforms against an implementation in Python, and the input sizes they give. */
#include "fixture.h"

#include "data/transform.h"
#include "data/input.h"
#include "golden_places.h"

static struct dataset_spec spec;

static int setup(void **state)
{
    (void)state;
    fake_reset();
    spec = plain_spec(fake_plugin(), NULL);
    return 0;
}

static void test_golden(void **state)
{
    (void)state;
    struct dataset *d = open_dataset(&spec);
    for (size_t i = 0; i < COUNT(golden_places); i++) {
        const enum golden_crop kind = golden_places[i].kind;
        struct batches_params p = {
            .dataset = d,
            .train = kind != GOLDEN_NONE || golden_places[i].flip,
            .seed = golden_places[i].seed,
            .epoch = golden_places[i].epoch,
            .image = { .channels = 1, .height = golden_places[i].size, .width = golden_places[i].size },
        };
        struct transform t;
        struct placement at;
        spec.transform = (struct transform_spec){
            .kind = TRANSFORM_MAP,
            .size = golden_places[i].size,
            .resize = golden_places[i].resize,
            .padding = golden_places[i].padding,
            .flip = golden_places[i].flip,
            .train = kind == GOLDEN_NONE   ? CROP_NONE
                     : kind == GOLDEN_CROP ? CROP_RANDOM
                                           : CROP_RANDOM_RESIZED,
        };
        transform_init(&t, &p);
        assert_int_equal(
            transform_place(&t, golden_places[i].height, golden_places[i].width, golden_places[i].sample, &at, NULL),
            BIOFT_OK);
        assert_int_equal(at.box_top, golden_places[i].box_top);
        assert_int_equal(at.box_left, golden_places[i].box_left);
        assert_int_equal(at.box_height, golden_places[i].box_height);
        assert_int_equal(at.box_width, golden_places[i].box_width);
        assert_int_equal(at.height, golden_places[i].to_height);
        assert_int_equal(at.width, golden_places[i].to_width);
        assert_int_equal(at.top, golden_places[i].top);
        assert_int_equal(at.left, golden_places[i].left);
        assert_int_equal(at.flip, golden_places[i].flipped);
    }
    dataset_close(d);
}

/* Where a sample of the fake data ends up: "resized to HxW, window at (top,left)". */
static struct placement place(struct dataset *d, uint32_t height, uint32_t width, uint32_t source_height,
                              uint32_t source_width, bool train, uint64_t sample)
{
    struct batches_params p = {
        .dataset = d,
        .train = train,
        .seed = 5,
        .image = { .channels = 1, .height = height, .width = width },
    };
    struct transform t;
    struct placement at;
    transform_init(&t, &p);
    assert_int_equal(transform_place(&t, source_height, source_width, sample, &at, NULL), BIOFT_OK);
    return at;
}

static void test_auto(void **state)
{
    (void)state;
    spec.transform.kind = TRANSFORM_AUTO;
    fake.height = fake.width = 28;
    struct dataset *d = open_dataset(&spec);
    struct placement at;

    for (uint64_t i = 0; i < 50; i++) { /* grey arrays of the input's size: nothing, in training too */
        at = place(d, 28, 28, 28, 28, true, i);
        assert_true(at.height == 28 && at.width == 28 && at.top == 0 && at.left == 0 && !at.flip);
    }
    at = place(d, 224, 224, 28, 28, false, 0); /* a set smaller than the input: straight to it */
    assert_true(at.height == 224 && at.width == 224 && at.top == 0 && at.left == 0);
    dataset_close(d);

    fake.height = 300;
    fake.width = 451;
    fake.channels = 3;
    d = open_dataset(&spec);
    at = place(d, 224, 224, 300, 451, false, 0); /* the shorter side to 256, then the centre: (384 - 224) / 2 = 80 */
    assert_int_equal(at.height, 256);
    assert_int_equal(at.width, 384);
    assert_int_equal(at.top, 16);
    assert_int_equal(at.left, 80);
    assert_false(at.flip);
    at = place(d, 112, 112, 300, 451, false, 0);
    assert_int_equal(at.height, 128);
    int flips = 0;
    int64_t top_sum = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        at = place(d, 224, 224, 300, 451, true, i);
        assert_true(at.top <= 32);
        assert_true(at.left <= 160);
        assert_int_equal(at.height, 256);
        flips += at.flip;
        top_sum += at.top;
    }
    assert_true(flips >= 900 && flips <= 1100); /* 4.5 standard deviations */
    assert_true(top_sum >= 16 * 2000 - 2000 && top_sum <= 16 * 2000 + 2000);
    dataset_close(d);
}

static void test_none(void **state)
{
    (void)state;
    struct transform t;
    struct placement at;
    struct error e;
    spec.transform.kind = TRANSFORM_NONE;
    struct dataset *d = open_dataset(&spec);
    struct batches_params p = { .dataset = d, .train = true, .image = { .channels = 1, .height = 6, .width = 5 } };
    transform_init(&t, &p);
    assert_int_equal(transform_place(&t, 6, 5, 0, &at, &e), BIOFT_OK);
    assert_true(at.top == 0 && at.left == 0 && !at.flip && at.height == 6 && at.width == 5);
    assert_int_equal(transform_place(&t, 6, 6, 0, &at, &e), BIOFT_ERR_INVALID);
    assert_contains(e.text, "6x6");
    dataset_close(d);
}

static void test_sizes(void **state)
{
    (void)state;
    struct image_format p = { .mean = { 0.5f }, .std = { 0.25f } };
    struct transform_spec t = { .kind = TRANSFORM_AUTO };
    struct error e;
    struct dataset *d = open_dataset(&spec);

    assert_int_equal(input_size(d, &t, 1, 28, 30, &p, &e), BIOFT_OK);
    assert_true(p.channels == 1 && p.height == 28 && p.width == 30 && p.mean[0] == 0.5f && p.std[0] == 0.25f);
    assert_int_equal(input_size(d, &t, 3, 28, 30, &p, &e), BIOFT_OK);
    assert_int_equal(p.channels, 3);
    t.kind = TRANSFORM_NONE;
    assert_int_equal(input_size(d, &t, 3, 28, 30, &p, &e), BIOFT_OK);
    assert_true(p.height == 6 && p.width == 5);
    t = (struct transform_spec){ .kind = TRANSFORM_MAP, .size = 16 };
    assert_int_equal(input_size(d, &t, 3, 28, 30, &p, &e), BIOFT_OK);
    assert_true(p.height == 16 && p.width == 16);
    t.resize = 15;
    assert_int_equal(input_size(d, &t, 3, 28, 30, &p, &e), BIOFT_ERR_INVALID);
    assert_contains(e.text, "fewer than size: 16");
    t.train = CROP_RANDOM;
    t.padding = 1;
    assert_int_equal(input_size(d, &t, 3, 28, 30, &p, &e), BIOFT_OK);
    assert_int_equal(input_size(d, &t, 2, 28, 30, &p, &e), BIOFT_ERR_INVALID);
    dataset_close(d);

    fake.channels = 3;
    d = open_dataset(&spec);
    assert_int_equal(input_size(d, &t, 1, 28, 30, &p, &e), BIOFT_ERR_INVALID);
    assert_contains(e.text, "3 channels, the network takes 1");
    dataset_close(d);

    fake.format = BIOFT_SAMPLE_F32_CHW;
    d = open_dataset(&spec);
    t.kind = TRANSFORM_AUTO;
    assert_int_equal(input_size(d, &t, 3, 6, 5, &p, &e), BIOFT_OK);
    assert_int_equal(input_size(d, &t, 3, 28, 30, &p, &e), BIOFT_ERR_UNSUPPORTED);
    assert_contains(e.text, "transform: none");
    dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_golden, setup),
        cmocka_unit_test_setup(test_auto, setup),
        cmocka_unit_test_setup(test_none, setup),
        cmocka_unit_test_setup(test_sizes, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
