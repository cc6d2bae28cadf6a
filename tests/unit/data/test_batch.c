/* Batches: their content by direct computation, their order, and that no number of threads changes
 * a byte. */
#include "fixture.h"

static struct dataset_spec spec;
static struct batches_params params;
static struct dataset *d;

static int setup(void **state)
{
    (void)state;
    fake_reset();
    spec = plain_spec(fake_plugin(), NULL);
    return 0;
}

/* Opens the fake data, to be batched as they are. */
static void begin(void)
{
    d = open_dataset(&spec);
    params = (struct batches_params){
        .dataset = d,
        .split = &d->splits[1],
        .batch_size = 8,
        .seed = 3,
        .image = { .channels = d->channels,
                   .height = d->height,
                   .width = d->width,
                   .mean = { 0.286f, 0.4f, 0.1f },
                   .std = { 0.353f, 0.2f, 0.7f } },
    };
}

static struct batches *create(void)
{
    struct batches *b;
    struct error e;
    if (batches_create(&params, &b, &e) != BIOFT_OK)
        fail_msg("%s", e.text);
    return b;
}

static bioft_batch next(struct batches *b)
{
    bioft_batch batch;
    struct error e;
    if (batches_next(b, &batch, &e) != BIOFT_OK)
        fail_msg("%s", e.text);
    return batch;
}

/* What torch computes in float32: ToTensor, then Normalize. */
static float normalised(uint8_t v, uint32_t c)
{
    volatile float x = (float)v / 255.0f;
    if (!params.normalise)
        return x;
    volatile float centred = x - params.image.mean[c];
    return centred / params.image.std[c];
}

static void check_content(uint32_t format, uint32_t channels, uint32_t network_channels, bool normalise)
{
    fake.format = format;
    fake.channels = channels;
    spec.transform.kind = TRANSFORM_NONE;
    begin();
    params.image.channels = network_channels;
    params.normalise = normalise;
    struct batches *b = create();
    uint64_t seen = 0;
    for (bioft_batch batch = next(b); batch.n; batch = next(b)) {
        const float *x = batch.x;
        assert_int_equal(batch.struct_size, sizeof batch);
        assert_int_equal(batch.n, seen == 16 ? 4 : 8);
        assert_int_equal(batch.classes, 5);
        assert_int_equal(batch.label_words, 1);
        assert_null(batch.target);
        for (uint32_t i = 0; i < batch.n; i++, seen++) {
            assert_int_equal(batch.sample[i], seen);
            assert_int_equal(batch.label[i], seen % 5);
            assert_int_equal(batch.labels[i], 1u << (seen % 5));
            for (uint32_t c = 0; c < network_channels; c++)
                for (uint32_t y = 0; y < fake.height; y++)
                    for (uint32_t k = 0; k < fake.width; k++, x++) {
                        const uint8_t v = fake_byte(1, seen, y, k, channels == 1 ? 0 : c);
                        assert_true(*x == normalised(v, c));
                    }
        }
    }
    assert_int_equal(seen, 20);
    assert_int_equal(next(b).n, 0);
    assert_true(batches_waited(b) >= 0);
    batches_destroy(b);
    dataset_close(d);
}

static void test_content(void **state)
{
    (void)state;
    for (int normalise = 0; normalise < 2; normalise++) {
        check_content(BIOFT_SAMPLE_U8_HWC, 1, 1, normalise);
        check_content(BIOFT_SAMPLE_U8_HWC, 3, 3, normalise);
        check_content(BIOFT_SAMPLE_U8_HWC, 1, 3, normalise);
        check_content(BIOFT_SAMPLE_F32_CHW, 1, 1, normalise);
        check_content(BIOFT_SAMPLE_F32_CHW, 3, 3, normalise);
        check_content(BIOFT_SAMPLE_F32_CHW, 1, 3, normalise);
    }
}

/* Crops with a border of zeros and mirror images, by the definition. */
static void check_augmented(uint32_t format)
{
    fake.format = format;
    fake.channels = 3;
    fake.width = 6;
    spec.transform = (struct transform_spec){
        .kind = TRANSFORM_MAP, .size = 6, .train = CROP_RANDOM, .padding = 2, .flip = true
    };
    begin();
    params.train = true;
    params.normalise = true;
    struct batches *b = create();
    int matches = 0, mirrored = 0, moved = 0;
    for (bioft_batch batch = next(b); batch.n; batch = next(b))
        for (uint32_t i = 0; i < batch.n; i++) {
            const float *x = batch.x + (size_t)i * 3 * 36;
            /* Exactly one of the 5 x 5 x 2 outcomes must explain the image. */
            for (int way = 0; way < 50; way++) {
                const int top = way / 10 - 2, left = way % 5 - 2, flip = way / 5 % 2;
                bool same = true;
                for (int k = 0; same && k < 108; k++) {
                    const int c = k / 36, row = k / 6 % 6 + top, column = (flip ? 5 - k % 6 : k % 6) + left;
                    const bool inside = row >= 0 && row < 6 && column >= 0 && column < 6;
                    const uint8_t v = inside
                                          ? fake_byte(1, batch.sample[i], (uint32_t)row, (uint32_t)column, (uint32_t)c)
                                          : 0;
                    same = x[k] == normalised(v, (uint32_t)c);
                }
                matches += same;
                mirrored += same && flip;
                moved += same && (top || left);
            }
        }
    assert_int_equal(matches, 20);
    assert_true(mirrored >= 3 && mirrored <= 17);
    assert_true(moved >= 12 && moved <= 20);
    batches_destroy(b);
    dataset_close(d);
}

static void test_augmented(void **state)
{
    (void)state;
    check_augmented(BIOFT_SAMPLE_U8_HWC);
    check_augmented(BIOFT_SAMPLE_F32_CHW);
}

static const uint64_t order[] = { 5, 5, 19, 0, 7, 11, 3, 2, 18, 1, 4 };

/* All batches of the augmented training split in one array: pixels, samples and labels. */
static size_t collect(uint32_t ahead, unsigned threads, float *ret_x, uint64_t *ret_sample)
{
    struct pool *pool = NULL;
    size_t n = 0;
    const size_t image = 3 * 16 * 16;
    if (threads)
        assert_int_equal(pool_create(threads, &pool, NULL), BIOFT_OK);
    params.pool = pool;
    params.ahead = ahead;
    params.batch_size = 3;
    params.positions = order;
    params.count = COUNT(order);
    struct batches *b = create();
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        for (bioft_batch batch = next(b); batch.n; batch = next(b)) {
            assert_int_equal(batch.epoch, epoch);
            memcpy(ret_x + n * image, batch.x, batch.n * image * sizeof *ret_x);
            memcpy(ret_sample + n, batch.sample, batch.n * sizeof *ret_sample);
            for (uint32_t i = 0; i < batch.n; i++)
                assert_int_equal(batch.label[i], batch.sample[i] % 5);
            n += batch.n;
        }
        assert_int_equal(batches_restart(b, epoch ? NULL : order, COUNT(order), epoch + 1, 0, NULL), BIOFT_OK);
    }
    batches_destroy(b);
    pool_destroy(pool);
    return n;
}

static void test_threads(void **state)
{
    (void)state;
    static const struct {
        uint32_t ahead;
        unsigned threads;
    } ways[] = { { 0, 1 }, { 0, 2 }, { 0, 5 }, { 1, 0 }, { 2, 0 }, { 7, 2 } };
    enum { IMAGE = 3 * 16 * 16, MOST = 64 };
    static float want[MOST * IMAGE], got[MOST * IMAGE];
    static uint64_t want_sample[MOST], got_sample[MOST];

    fake.channels = 3;
    fake.height = fake.width = 16;
    spec.transform = (struct transform_spec){
        .kind = TRANSFORM_MAP, .size = 16, .train = CROP_RANDOM, .padding = 4, .flip = true
    };
    begin();
    params.train = params.normalise = true;
    const size_t n = collect(0, 0, want, want_sample);
    assert_int_equal(n, 11 + 11 + 20);
    params.rank = 1; /* another stage on the same data draws other crops */
    assert_int_equal(collect(0, 0, got, got_sample), n);
    assert_memory_equal(want_sample, got_sample, n * sizeof *want_sample);
    assert_memory_not_equal(want, got, n * IMAGE * sizeof *want);
    params.rank = 0;
    assert_memory_equal(want_sample, order, sizeof order);
    assert_memory_equal(want_sample + 11, order, sizeof order);
    /* The same sample twice in an epoch is the same image, in another epoch another. */
    assert_memory_equal(want, want + IMAGE, IMAGE * sizeof *want);
    assert_memory_not_equal(want, want + 11 * IMAGE, IMAGE * sizeof *want);
    for (size_t i = 0; i < COUNT(ways); i++)
        for (int again = 0; again < 3; again++) {
            memset(got, 0, sizeof got);
            assert_int_equal(collect(ways[i].ahead, ways[i].threads, got, got_sample), n);
            assert_memory_equal(got, want, n * IMAGE * sizeof *want);
            assert_memory_equal(got_sample, want_sample, n * sizeof *want_sample);
        }
    dataset_close(d);
}

static void test_restart(void **state)
{
    (void)state;
    spec.transform.kind = TRANSFORM_NONE;
    begin();
    for (params.ahead = 0; params.ahead < 3; params.ahead++) {
        struct batches *b = create();
        struct error e;
        next(b);
        assert_int_equal(batches_restart(b, order, COUNT(order), 4, 1, &e), BIOFT_OK);
        bioft_batch batch = next(b);
        assert_int_equal(batch.n, 3);
        assert_int_equal(batch.epoch, 4);
        assert_memory_equal(batch.sample, order + 8, 3 * sizeof *order);
        assert_int_equal(next(b).n, 0);
        assert_int_equal(batches_restart(b, order, COUNT(order), 5, 2, &e), BIOFT_OK);
        assert_int_equal(next(b).n, 0);
        assert_int_equal(batches_restart(b, order, 0, 5, 0, &e), BIOFT_OK);
        assert_int_equal(next(b).n, 0);
        const uint64_t wrong[] = { 20 };
        assert_int_equal(batches_restart(b, wrong, 1, 5, 0, &e), BIOFT_ERR_INVALID);
        assert_contains(e.text, "sample 20 of split 'test', which has 20");
        assert_int_equal(batches_restart(b, NULL, 0, 5, 2, &e), BIOFT_OK);
        assert_int_equal(next(b).sample[0], 16);
        batches_destroy(b);
    }
    dataset_close(d);
}

/* A sample that fails: the batch with it is an error which names it, those before are whole. */
static void test_failure(void **state)
{
    (void)state;
    spec.transform.kind = TRANSFORM_NONE;
    begin();
    fake.fail_at = 13;
    struct pool *pool;
    assert_int_equal(pool_create(2, &pool, NULL), BIOFT_OK);
    for (params.ahead = 0; params.ahead < 3; params.ahead++) {
        params.pool = params.ahead ? NULL : pool;
        struct batches *b = create();
        bioft_batch batch = { 0 };
        struct error e;
        assert_int_equal(next(b).n, 8);
        assert_int_equal(batches_next(b, &batch, &e), BIOFT_ERR_IO);
        assert_contains(e.text, "dataset 'fake': this one fails");
        assert_int_equal(batch.struct_size, 0);
        assert_int_equal(batches_next(b, &batch, &e), BIOFT_ERR_IO);
        batches_destroy(b);
    }
    pool_destroy(pool);
    dataset_close(d);
}

static void test_wrong_size(void **state)
{
    (void)state;
    struct error e;
    struct batches *b;
    bioft_batch batch;
    spec.transform.kind = TRANSFORM_NONE;
    begin();
    params.image.height = 7;
    b = create();
    assert_int_equal(batches_next(b, &batch, &e), BIOFT_ERR_INVALID);
    assert_contains(e.text, "1/0: an image of 5x6 where the network takes 5x7");
    batches_destroy(b);
    params.batch_size = 0;
    assert_int_equal(batches_create(&params, &b, &e), BIOFT_ERR_INVALID);
    params.batch_size = 1;
    params.normalise = true;
    params.image.std[0] = 0;
    assert_int_equal(batches_create(&params, &b, &e), BIOFT_ERR_INVALID);
    dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_content, setup), cmocka_unit_test_setup(test_augmented, setup),
        cmocka_unit_test_setup(test_threads, setup), cmocka_unit_test_setup(test_restart, setup),
        cmocka_unit_test_setup(test_failure, setup), cmocka_unit_test_setup(test_wrong_size, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
