/* Which indicator leaves a verdict undecided, on a results.csv written by hand. */
#include "report/indicators.h"

#include "base/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define HEADER \
    "trial,metric,attack,gradient,norm,epsilon,value,n,gradients,zero_gradient,silent,rising,differences_off,from\n"
#define ROW(REST)                          "t,accuracy," REST "\n"
#define WHITE                              ROW("apgd,exact,linf,0.1,0.5,200,60,0,0,2,0.01,")
#define BLACK                              ROW("square,exact,linf,0.1,0.5,200,0,,0,2,,")
#define UNBOUNDED                          ROW("apgd,exact,linf,1,0,200,60,0,0,0,0.01,")
#define OTHER                              ROW("transfer,exact,linf,0.1,0.6,200,40,,,,,rule:bp")
#define STAND_IN(GRADIENT, EPSILON, VALUE) ROW("pgd," GRADIENT ",linf," EPSILON "," VALUE ",200,60,5,0,0,,")
#define RULE                               ROW("apgd,rule,linf,0.1,0.2,200,60,9,9,200,1,")

static void each_is_told(void **state)
{
    static const struct {
        const char *rows, *why;
    } cases[] = {
        { WHITE BLACK UNBOUNDED OTHER RULE, "" },
        { BLACK UNBOUNDED, "no attack along a gradient was made" },
        { WHITE UNBOUNDED OTHER, "no attack without gradients was made" },
        { WHITE BLACK OTHER, "no attack was made at an L-infinity epsilon of 1, where nothing may survive" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,3,0,2,0.01,") BLACK UNBOUNDED,
          "3 images had a gradient of zero or not a number" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,,0,2,0.01,") BLACK UNBOUNDED, "zero gradients were not counted" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,0,1,2,0.01,") BLACK UNBOUNDED,
          "1 adversarial images were found and not returned" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,0,1,2,0.01,")
              BLACK UNBOUNDED ROW("worst,exact,linf,0.1,0.5,200,60,0,0,2,,"),
          "" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,0,3,2,0.01,")
              BLACK UNBOUNDED ROW("worst,exact,linf,0.1,0.5,200,60,0,2,2,,"),
          "2 adversarial images were found and not returned" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,0,0,6,0.01,") BLACK UNBOUNDED,
          "6.0% of the survivors' attacks were still gaining" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,0,0,5,0.01,") BLACK UNBOUNDED, "" },
        /* A weak attack beside one that was done, and a random search, which is never done. */
        { WHITE ROW("pgd,exact,linf,0.1,0.6,200,5,0,0,120,0.01,") ROW("square,exact,linf,0.1,0.6,200,0,,0,90,,")
              UNBOUNDED,
          "" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,0,0,2,0.06,") BLACK UNBOUNDED,
          "differences contradict the exact gradient in 6.0% of images" },
        { WHITE ROW("square,exact,linf,0.1,0.495,200,0,,0,0,,") UNBOUNDED,
          "an attack without gradients leaves 0.495, those with them 0.500" },
        { WHITE BLACK UNBOUNDED ROW("transfer,exact,linf,0.1,0.495,200,40,,,,,rule:bp"),
          "images made on another network leave 0.495, those made on this one 0.500" },
        { WHITE BLACK UNBOUNDED ROW("transfer,exact,linf,0.1,0.498,200,40,,,,,rule:bp"), "" },
        { WHITE BLACK ROW("apgd,exact,linf,1,0.01,200,60,0,0,0,0.01,"), "0.010 survive an L-infinity epsilon of 1" },
        /* Stand-ins for the gradient add doubts and take none away. */
        { WHITE BLACK UNBOUNDED STAND_IN("straight_through", "0.1", "0.495"),
          "stand-ins for the gradient leave 0.495, the exact one 0.500" },
        { WHITE BLACK UNBOUNDED STAND_IN("smoothed", "0.1", "0.4"),
          "stand-ins for the gradient leave 0.400, the exact one 0.500" },
        { WHITE BLACK UNBOUNDED STAND_IN("smoothed", "0.1", "0.9"), "" },
        { STAND_IN("straight_through", "0.1", "0.5") BLACK UNBOUNDED, "no attack along a gradient was made" },
        { ROW("apgd,exact,linf,0.1,0.5,200,60,0,0,6,0.01,") STAND_IN("smoothed", "0.1", "0.5") BLACK UNBOUNDED,
          "6.0% of the survivors' attacks were still gaining" },
        { WHITE BLACK ROW("apgd,exact,linf,1,0.01,200,60,0,0,0,0.01,") STAND_IN("smoothed", "1", "0"),
          "0.010 survive an L-infinity epsilon of 1" },
        /* A transferred image is not what the gradients of this network can do. */
        { WHITE BLACK UNBOUNDED OTHER ROW("transfer,exact,linf,0.1,0.4,200,0,,,,,rule:bp"),
          "images made on another network leave 0.400, those made on this one 0.500" },
    };
    char folder[] = "/tmp/bioft-indicators-XXXXXX", path[64], text[2048];
    const struct place at = {
        .metric = "accuracy", .attack = "worst", .options = "", .gradient = "exact", .epsilon = 0.1, .norm = "linf"
    };

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/results.csv", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_create();
        struct error err;
        struct csv c;
        const char *why;
        const int length = snprintf(text, sizeof text, HEADER "%s", cases[i].rows);
        assert_int_equal(file_write(path, text, (size_t)length, &err), BIOFT_OK);
        assert_int_equal(indicators_open(folder, arena, &c, &err), BIOFT_OK);
        assert_int_equal(indicators_doubt(&c, "t", &at, arena, &why, &err), BIOFT_OK);
        assert_string_equal(why, cases[i].why);
        arena_destroy(arena);
    }
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_is_told) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
