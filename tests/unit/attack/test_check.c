/* The ball and the range. */
#include "attack/check.h"

#include <bioft/attack.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct {
    const char *what;
    uint32_t norm;
    double epsilon;
    float clean[4], adversarial[4];
    bioft_status want;
} cases[] = {
    { "inside", BIOFT_LINF, 0.1, { 0.5f, 0.5f, 0, 1 }, { 0.6f, 0.4f, 0.1f, 0.9f }, BIOFT_OK },
    { "just outside", BIOFT_LINF, 0.1, { 0.5f, 0.5f, 0, 1 }, { 0.60001f, 0.4f, 0, 1 }, BIOFT_ERR_INVALID },
    { "rounding is forgiven", BIOFT_LINF, 0.1, { 0.5f, 0.5f, 0, 1 }, { 0.6000001f, 0.4f, 0, 1 }, BIOFT_OK },
    { "above 1", BIOFT_LINF, 0.5, { 1, 1, 1, 1 }, { 1.0000001f, 1, 1, 1 }, BIOFT_ERR_INVALID },
    { "below 0", BIOFT_LINF, 0.5, { 0, 0, 0, 0 }, { -1e-9f, 0, 0, 0 }, BIOFT_ERR_INVALID },
    { "not a number", BIOFT_LINF, 0.5, { 0, 0, 0, 0 }, { NAN, 0, 0, 0 }, BIOFT_ERR_INVALID },
    { "two norm", BIOFT_L2, 0.2, { 0, 0, 0, 0 }, { 0.1f, 0.1f, 0.1f, 0.1f }, BIOFT_OK },
    { "two norm outside", BIOFT_L2, 0.19, { 0, 0, 0, 0 }, { 0.1f, 0.1f, 0.1f, 0.1f }, BIOFT_ERR_INVALID },
    { "one norm outside", BIOFT_L1, 0.39, { 0, 0, 0, 0 }, { 0.1f, 0.1f, 0.1f, 0.1f }, BIOFT_ERR_INVALID },
    { "two places in both channels", BIOFT_L0, 2, { 0, 0, 0, 0 }, { 1, 0.5f, 0.5f, 1 }, BIOFT_OK },
    { "one place in both channels", BIOFT_L0, 1, { 0, 0, 0, 0 }, { 1, 0, 1, 0 }, BIOFT_OK },
    { "one value each in two places", BIOFT_L0, 1, { 0, 0, 0, 0 }, { 1, 0, 0, 1 }, BIOFT_ERR_INVALID },
    { "a change too small to see", BIOFT_L0, 1, { 0, 0, 0, 0 }, { 1, 1e-30f, 0, 0 }, BIOFT_ERR_INVALID },
};

static const struct image_format image = { .channels = 2, .height = 1, .width = 2 };

static void holds_images_against_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct deltas d;
        struct error err = { 0 };
        const bioft_status st = check_image(&image, cases[i].norm, cases[i].epsilon, cases[i].clean,
                                            cases[i].adversarial, &d, &err);
        if (st != cases[i].want)
            fail_msg("%s: status %d, %s", cases[i].what, st, err.text);
    }
}

static void measures(void **state)
{
    const float clean[4] = { 0, 0, 0, 0 }, adversarial[4] = { 0.5f, 0.25f, 0, 0.25f };
    struct deltas d;
    (void)state;
    assert_int_equal(check_image(&image, BIOFT_LINF, 0.5, clean, adversarial, &d, NULL), BIOFT_OK);
    assert_true(d.largest == 0.5 && d.mean == 0.25 && d.distance == 0.5);
    assert_int_equal(check_image(&image, BIOFT_L0, 2, clean, adversarial, &d, NULL), BIOFT_OK);
    assert_true(d.distance == 2.0);
}

/* The tolerance is of epsilon, not of the number of pixels: 1e-5 too far is too far in an image of any size. */
static void tolerance_is_the_same_for_large_images(void **state)
{
    static float clean[3 * 64 * 64], adversarial[3 * 64 * 64];
    static const struct image_format large = { .channels = 3, .height = 64, .width = 64 };
    struct deltas d;
    (void)state;
    for (size_t k = 0; k < 1024; k++)
        adversarial[k] = 1.0f / 1024; /* an L1 distance of 1, an L2 distance of 1/32 */
    assert_int_equal(check_image(&large, BIOFT_L1, 1.0, clean, adversarial, &d, NULL), BIOFT_OK);
    assert_int_equal(check_image(&large, BIOFT_L1, 1.0 - 1e-5, clean, adversarial, &d, NULL), BIOFT_ERR_INVALID);
    assert_int_equal(check_image(&large, BIOFT_L1, 1.0 - 5e-7, clean, adversarial, &d, NULL), BIOFT_OK);
    assert_int_equal(check_image(&large, BIOFT_L2, 1.0 / 32 - 1e-5, clean, adversarial, &d, NULL), BIOFT_ERR_INVALID);
    assert_int_equal(check_image(&large, BIOFT_L2, 1.0 / 32 - 5e-7, clean, adversarial, &d, NULL), BIOFT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_images_against_it),
        cmocka_unit_test(measures),
        cmocka_unit_test(tolerance_is_the_same_for_large_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
