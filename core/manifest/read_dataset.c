/* The section `dataset`, of an experiment or of a stage. */
#include "fetch/hint.h"
#include "manifest/read.h"

#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {
    "plugin", "root",    "transform", "cache",      "classes", "split_seed", "protocol",
    "limit",  "missing", "broken",    "unlabelled", "split",   NULL,
};

const char *const part_names[PARTS] = { "test", "database", "val" };

enum { LARGEST_IMAGE = 1 << 14 };

static void read_transform(struct reader *r, struct yaml *node, struct transform_spec *ret)
{
    static const char *const kinds[] = { [TRANSFORM_AUTO] = "auto", [TRANSFORM_NONE] = "none", NULL };
    static const char *const crops[] = { "random_crop", "random_resized_crop", "none", NULL };
    static const enum crop_kind crop_of[] = { CROP_RANDOM, CROP_RANDOM_RESIZED, CROP_NONE };
    static const char *const members[] = { "size", "resize", "train", "padding", "flip", NULL };

    if (node->type != YAML_MAP) {
        ret->kind = (enum transform_kind)read_word_node(r, node, "transform", kinds, TRANSFORM_AUTO);
        return;
    }
    ret->kind = TRANSFORM_MAP;
    ret->size = (uint32_t)read_integer(r, node, "size", 1, LARGEST_IMAGE, 0);
    ret->resize = (uint32_t)read_integer(r, node, "resize", 1, LARGEST_IMAGE, 0);
    ret->train = crop_of[read_word(r, node, "train", crops, 0)];
    ret->padding = (uint32_t)read_integer(r, node, "padding", 0, LARGEST_IMAGE, 0);
    ret->flip = read_bool(r, node, "flip", false);
    read_unknown(r, node, "in a transform", members, NULL);
    if (ret->size > 0 && ret->resize > 0 && ret->resize < ret->size)
        read_error(r, yaml_get(node, "resize"), "'resize' is %u, less than 'size', %u", ret->resize, ret->size);
}

static void read_cache(struct reader *r, struct yaml *node, struct dataset_spec *ret)
{
    if (!node || (node->type == YAML_SCALAR && strcmp(node->text, "auto") == 0))
        ret->cache = "auto";
    else if (node->type == YAML_SCALAR && strcmp(node->text, "off") == 0)
        ret->cache = "off";
    else
        ret->cache = read_absolute(r, node, "cache");
}

static void read_classes(struct reader *r, struct yaml *node, struct dataset_spec *ret)
{
    int64_t *classes;
    bool wrong = false;
    char found[READ_FOUND];

    if (node->type != YAML_LIST || node->count == 0) {
        read_error(r, node, "'classes': a list such as [0, 1, 7] expected, found %s",
                   node->type == YAML_LIST ? "an empty one" : read_found(found, node));
        return;
    }
    classes = read_array(r, node->count, sizeof *classes);
    for (size_t i = 0; classes && i < node->count; i++) {
        classes[i] = read_integer_node(r, node->items[i], "classes", 0, INT32_MAX, -1);
        wrong = wrong || classes[i] < 0;
    }
    if (classes && !wrong)
        read_once(r, node, "classes", classes, sizeof *classes, read_compare_integers);
    ret->classes = classes;
    ret->class_count = classes ? node->count : 0;
}

/* {test: 0.2, val: 0.1}: what is left is to train with. */
static void read_parts(struct reader *r, struct yaml *node, struct dataset_spec *ret)
{
    static const char *const members[] = { "val", "test", "database", NULL };
    static const struct range below_one = { .low = 0.0, .high = 1.0, .below = true };
    char found[READ_FOUND];
    double sum = 0.0;

    if (node->type != YAML_MAP || node->count == 0) {
        read_error(r, node, "'split': a map such as {test: 0.2, val: 0.1} expected, found %s",
                   node->type == YAML_MAP ? "an empty one" : read_found(found, node));
        return;
    }
    for (int p = 0; p < PARTS; p++)
        sum += ret->parts[p] = read_number(r, node, part_names[p], &below_one, 0.0);
    read_unknown(r, node, "in a split", members, NULL);
    if (sum >= 1.0)
        read_error(r, node, "'split': the shares add up to %g, and nothing is left to train with", sum);
}

static enum policy read_policy(struct reader *r, struct yaml *node, const char *key, enum policy first,
                               enum policy second)
{
    static const char *const words[] = {
        [POLICY_ERROR] = "error",
        [POLICY_DROP] = "drop",
        [POLICY_KEEP] = "keep",
    };
    const char *const choices[] = { words[first], words[second], NULL };

    return read_word(r, node, key, choices, 0) == 0 ? first : second;
}

/* Below the error that there is no root: what it should have in it, or where bioft can fetch it. */
static void note_root(struct reader *r, const struct yaml *node, const struct plugin *dataset)
{
    const bioft_dataset *api = &dataset->api.dataset;
    const char *name = dataset->descriptor.name, *path = read_absolute(r, node, "root");
    char *hint = path ? hint_data(r->registry, name, path) : NULL;

    if (api->layout)
        diagnose_note(r->d, "expected in the root: %s%s%s%s%s", api->layout, api->source ? "; source: " : "",
                      api->source ? api->source : "", hint ? "; " : "", hint ? hint : "");
    else
        diagnose_note(r->d, "bioft plugin show %s describes what belongs there%s%s", name, hint ? "; " : "",
                      hint ? hint : "");
    free(hint);
}

void read_dataset(struct reader *r, struct yaml *node, struct dataset_spec *ret)
{
    struct yaml *member;

    *ret = (struct dataset_spec){
        .cache = "auto", .missing = POLICY_ERROR, .broken = POLICY_DROP, .unlabelled = POLICY_DROP, .mark = node->mark
    };
    read_choice(r, node, BIOFT_KIND_DATASET, keys, &ret->choice, NULL);
    if (node->type != YAML_MAP)
        return;
    if ((member = read_member(node, "root"))) {
        ret->root = read_path_node(r, member, "root");
        if (!ret->root && ret->choice.plugin)
            note_root(r, member, ret->choice.plugin);
    }
    if ((member = read_member(node, "transform")))
        read_transform(r, member, &ret->transform);
    read_cache(r, read_member(node, "cache"), ret);
    if ((member = read_member(node, "classes")))
        read_classes(r, member, ret);
    ret->split_seed = (uint64_t)read_integer(r, node, "split_seed", 0, INT64_MAX, 0);
    if ((member = read_member(node, "split")))
        read_parts(r, member, ret);
    if ((member = read_member(node, "protocol")))
        ret->protocol = read_name_node(r, member, "protocol", false);
    ret->limit = (uint64_t)read_integer(r, node, "limit", 0, INT64_MAX, 0);
    ret->missing = read_policy(r, node, "missing", POLICY_ERROR, POLICY_DROP);
    ret->broken = read_policy(r, node, "broken", POLICY_DROP, POLICY_ERROR);
    ret->unlabelled = read_policy(r, node, "unlabelled", POLICY_DROP, POLICY_KEEP);
}
