/* The nearest word: edits counted as by hand, and silence where nothing is near. */
#include "test.h"

#include "base/text.h"

static const char *const words[] = {
    "learning_rate", "epochs", "fgsm", "rule", "pgd", "brsf", "frsf", "seeds",
};

static void suggests(void **state)
{
    static const struct {
        const char *word, *want;
    } cases[] = {
        { "epochs", "epochs" },
        { "epoch", "epochs" },
        { "epohcs", "epochs" },
        { "epochs_", "epochs" },
        { "eopchs", "epochs" },
        { "ephocs", "epochs" },
        { "xyochs", "epochs" },
        { "xyzchs", NULL },
        { "learnig_raet", "learning_rate" },
        { "lerningrat", "learning_rate" },
        { "leningrat", NULL },
        { "rul", "rule" },
        { "ruel", "rule" },
        { "rulers", "rule" },
        { "lure", NULL },
        { "pdg", "pgd" },
        { "pg", "pgd" },
        { "fgsmm", "fgsm" },
        { "FGSM", "fgsm" },
        { "frSF", "frsf" },
        { "crsf", "brsf" },
        { "seed", "seeds" },
        { "", NULL },
        { "q", NULL },
        { "a_word_of_its_own", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *got = text_nearest(cases[i].word, words, COUNT(words));
        if (got != cases[i].want && (!got || !cases[i].want || strcmp(got, cases[i].want) != 0))
            fail_msg("%s: %s", cases[i].word, got ? got : "nothing");
    }
    assert_null(text_nearest("rule", NULL, 0));
}

/* One letter in place of another says nothing; one letter and a neighbour does. */
static void short_words(void **state)
{
    static const char *const letters[] = { "k", "lr" };

    (void)state;
    assert_null(text_nearest("x", letters, 2));
    assert_string_equal(text_nearest("rl", letters, 2), "lr");
    assert_string_equal(text_nearest("l", letters, 2), "lr");
}

static void long_words(void **state)
{
    char a[200], b[200];
    const char *candidates[] = { b };

    (void)state;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    a[127] = b[126] = '\0';
    assert_ptr_equal(text_nearest(a, candidates, 1), b);
    a[127] = 'a';
    a[199] = '\0';
    assert_null(text_nearest(a, candidates, 1));
    b[126] = 'a';
    b[199] = '\0';
    assert_null(text_nearest("aaa", candidates, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suggests),
        cmocka_unit_test(short_words),
        cmocka_unit_test(long_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
