/* A stage's keys `optimizer` and `schedule`. */
#include "manifest/defaults.h"
#include "manifest/read.h"

#include <string.h>

static const struct range not_negative = { .low = 0.0, .high = 1e300 };
static const struct range positive = { .low = 0.0, .high = 1e300, .above = true };
static const struct range below_one = { .low = 0.0, .high = 1.0, .below = true };

static void read_betas(struct reader *r, struct yaml *optimizer, struct optimizer_spec *ret)
{
    struct yaml *node = read_member(optimizer, "betas");
    char found[READ_FOUND];

    if (!node)
        return;
    if (node->type != YAML_LIST || node->count != 2) {
        read_error(r, node, "'betas': two numbers such as [0.9, 0.999] expected, found %s", read_found(found, node));
        return;
    }
    ret->beta1 = read_number_node(r, node->items[0], "betas", &below_one, false, ret->beta1);
    ret->beta2 = read_number_node(r, node->items[1], "betas", &below_one, false, ret->beta2);
}

void read_optimizer(struct reader *r, struct yaml *stage, struct optimizer_spec *ret)
{
    static const char *const names[] = { "adam", "sgd", NULL };
    static const char *const adam_keys[] = {
        "name", "lr", "head_lr", "loss_lr", "weight_decay", "betas", "eps", NULL,
    };
    static const char *const sgd_keys[] = {
        "name", "lr", "head_lr", "loss_lr", "weight_decay", "momentum", NULL,
    };
    struct yaml *node = read_member(stage, "optimizer");

    *ret = (struct optimizer_spec){ .kind = BIOFT_ADAM,
                                    .lr = DEFAULT_LR,
                                    .head_lr = DEFAULT_LR,
                                    .loss_lr = DEFAULT_LR,
                                    .beta1 = DEFAULT_BETA1,
                                    .beta2 = DEFAULT_BETA2,
                                    .eps = DEFAULT_EPS };
    if (!node)
        return;
    if (node->type != YAML_MAP) {
        ret->kind = read_word_node(r, node, "optimizer", names, 0) == 0 ? BIOFT_ADAM : BIOFT_SGD;
        return;
    }
    ret->kind = read_word(r, node, "name", names, 0) == 0 ? BIOFT_ADAM : BIOFT_SGD;
    ret->lr = read_number(r, node, "lr", &not_negative, DEFAULT_LR);
    ret->head_lr = read_number(r, node, "head_lr", &not_negative, ret->lr);
    ret->loss_lr = read_number(r, node, "loss_lr", &not_negative, ret->head_lr);
    ret->weight_decay = read_number(r, node, "weight_decay", &not_negative, 0.0);
    if (ret->kind == BIOFT_ADAM) {
        read_betas(r, node, ret);
        ret->eps = read_number(r, node, "eps", &positive, DEFAULT_EPS);
    } else {
        ret->momentum = read_number(r, node, "momentum", &below_one, 0.0);
    }
    read_unknown(r, node, ret->kind == BIOFT_ADAM ? "of optimizer 'adam'" : "of optimizer 'sgd'",
                 ret->kind == BIOFT_ADAM ? adam_keys : sgd_keys, NULL);
}

void read_schedule(struct reader *r, struct yaml *stage, struct schedule_spec *ret)
{
    static const char *const names[] = {
        [SCHEDULE_CONSTANT] = "constant",
        [SCHEDULE_STEP] = "step",
        [SCHEDULE_COSINE] = "cosine",
        NULL,
    };
    static const char *const step_keys[] = { "name", "every", "gamma", NULL };
    static const char *const other_keys[] = { "name", NULL };
    struct yaml *node = read_member(stage, "schedule");
    const struct yaml *name = node;

    *ret = (struct schedule_spec){ .kind = SCHEDULE_CONSTANT };
    if (node && node->type == YAML_MAP)
        name = read_member(node, "name");
    if (name)
        ret->kind = (enum schedule_kind)read_word_node(r, name, "schedule", names, SCHEDULE_CONSTANT);
    if (ret->kind == SCHEDULE_STEP && (!yaml_get(node, "every") || !yaml_get(node, "gamma")))
        read_error(r, node, "'schedule': step needs 'every' and 'gamma': {name: step, every: 10, gamma: 0.5}");
    if (!node || node->type != YAML_MAP)
        return;
    if (ret->kind == SCHEDULE_STEP) {
        ret->every = (uint64_t)read_integer(r, node, "every", 1, INT64_MAX, 1);
        ret->gamma = read_number(r, node, "gamma", &positive, 1.0);
    }
    read_unknown(r, node, "in 'schedule'", ret->kind == SCHEDULE_STEP ? step_keys : other_keys, NULL);
}
