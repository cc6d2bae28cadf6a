/* Ranks of a stage among those that draw alike. */
#include "train/rank.h"

#include "base/random.h"
#include <string.h>

static bool identical(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* The same samples under the same numbers, whatever else is said of them. */
static bool same_data(const struct dataset_spec *a, const struct dataset_spec *b)
{
    return a == b ||
           (a->choice.plugin == b->choice.plugin && identical(a->root, b->root) && a->class_count == b->class_count &&
            a->split_seed == b->split_seed && a->limit == b->limit &&
            (a->class_count == 0 || memcmp(a->classes, b->classes, a->class_count * sizeof *a->classes) == 0));
}

uint32_t rank_of_data(const struct trial *t, uint32_t stage)
{
    uint32_t rank = 0;

    for (uint32_t i = 0; i < stage; i++)
        rank += same_data(t->stages[i].dataset, t->stages[stage].dataset);
    return rank;
}

uint32_t rank_of_loss(const struct trial *t, uint32_t stage)
{
    uint32_t rank = 0;

    for (uint32_t i = 0; i < stage; i++)
        rank += t->stages[i].loss.plugin == t->stages[stage].loss.plugin;
    return rank;
}

static bool shares_rule(const struct stage_spec *a, const struct stage_spec *b)
{
    for (size_t i = 0; i < a->rule_count; i++)
        for (size_t k = 0; k < b->rule_count; k++)
            if (a->rules[i].choice.plugin == b->rules[k].choice.plugin)
                return true;
    return false;
}

uint32_t rank_of_rules(const struct trial *t, uint32_t stage)
{
    uint32_t rank = 0;

    for (uint32_t i = 0; i < stage; i++)
        rank += shares_rule(&t->stages[i], &t->stages[stage]);
    return rank;
}

uint64_t rank_seed(uint64_t seed, uint32_t rank)
{
    uint32_t words[2];

    if (rank == 0)
        return seed;
    random_fill(BIOFT_BITS, seed, "stage", rank, 0, words, 2);
    return (uint64_t)words[1] << 32 | words[0];
}
