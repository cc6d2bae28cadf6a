/* The section `stages`. */
#include "manifest/defaults.h"
#include "manifest/read.h"

#include <stdio.h>
#include <string.h>

static const char *const stage_keys[] = {
    "name",       "dataset",         "head",       "weights",   "rule",    "rules",
    "loss",       "optimizer",       "schedule",   "epochs",    "steps",   "batch_size",
    "accumulate", "label_smoothing", "freeze",     "batchnorm", "shuffle", "model_selection",
    "alignment",  "log_every",       "checkpoint", NULL,
};

enum { LARGEST_BATCH = 1 << 20 };

static void read_rule(struct reader *r, struct yaml *node, const char *layers, struct rule_spec *ret)
{
    static const char *const keys[] = { "plugin", NULL };

    ret->layers = layers;
    ret->mark = node->mark;
    read_choice(r, node, BIOFT_KIND_RULE, keys, &ret->choice, NULL);
}

/* `rules: [{layers: "fc*", rule: bp}, {layers: "*", rule: usf}]`. */
static void read_rule_list(struct reader *r, struct yaml *node, struct stage_spec *ret)
{
    static const char *const keys[] = { "layers", "rule", NULL };
    const struct yaml *all = NULL;

    if (node->type != YAML_LIST || node->count == 0) {
        read_error(r, node, "'rules': a list such as [{layers: \"*\", rule: NAME}] expected");
        return;
    }
    ret->rules = read_array(r, node->count, sizeof *ret->rules);
    ret->rule_count = ret->rules ? node->count : 0;
    ret->rules_listed = true;
    for (size_t i = 0; i < ret->rule_count; i++) {
        struct yaml *entry = node->items[i], *rule;
        if (!read_is_map(r, entry, "rules", "{layers: \"*\", rule: NAME}"))
            continue;
        const char *layers = read_text(r, entry, "layers");
        if (!layers)
            read_error(r, entry, "'layers' is missing: it names the layers that the rule applies to");
        if (all)
            read_error(r, entry, "no layer is left for this rule: the one on line %u takes them all", all->mark.line);
        else if (layers && strcmp(layers, "*") == 0)
            all = entry;
        if ((rule = read_member(entry, "rule")))
            read_rule(r, rule, layers ? layers : "*", &ret->rules[i]);
        else
            read_error(r, entry, "'rule' is missing");
        read_unknown(r, entry, "in an entry of 'rules'", keys, NULL);
    }
}

static void read_rules(struct reader *r, struct yaml *stage, struct stage_spec *ret)
{
    struct yaml *one = read_member(stage, "rule"), *list = read_member(stage, "rules");
    struct text names = { 0 };

    if (!one == !list) {
        read_error(r, one ? one : stage,
                   one ? "a stage has 'rule' or 'rules', not both" : "a stage needs 'rule', the learning rule");
        return;
    }
    if (one) {
        ret->rules = read_array(r, 1, sizeof *ret->rules);
        ret->rule_count = ret->rules != NULL;
        if (ret->rules)
            read_rule(r, one, "*", ret->rules);
    } else {
        read_rule_list(r, list, ret);
    }
    for (size_t i = 0; i < ret->rule_count; i++) {
        text_add(&names, i ? "+" : "");
        text_add(&names, ret->rules[i].choice.plugin ? ret->rules[i].choice.plugin->descriptor.name : "");
    }
    ret->rule_name = read_copy(r, names.data ? names.data : "");
    r->failed = r->failed || names.failed;
    text_free(&names);
}

/* `label_smoothing` beside the loss is the option that the loss marks as such. */
static void read_smoothing(struct reader *r, struct yaml *stage, struct choice *loss)
{
    struct yaml *node = read_member(stage, "label_smoothing");
    struct option_value value;
    size_t index;

    if (!node || !loss->plugin)
        return;
    if (!options_flagged(loss->plugin, BIOFT_OPTION_LABEL_SMOOTHING, &index)) {
        read_error(r, node, "loss '%s' has no label smoothing", loss->plugin->descriptor.name);
    } else if (read_option(r, loss->plugin, index, node, &value)) {
        if (loss->values[index].given && loss->values[index].number != value.number)
            read_error(r, node, "'label_smoothing' differs from the loss's own");
        loss->values[index] = value;
    }
}

static void read_loss(struct reader *r, struct yaml *stage, struct stage_spec *ret)
{
    static const char *const keys[] = { "plugin", NULL };
    struct yaml *node = read_member(stage, "loss");
    struct error err;

    if (node && !(node->type == YAML_MAP && !yaml_get(node, "plugin"))) {
        read_choice(r, node, BIOFT_KIND_LOSS, keys, &ret->loss, NULL);
    } else if ((ret->loss.plugin = read_plugin(r, BIOFT_KIND_LOSS, DEFAULT_LOSS, node ? node : stage))) {
        ret->loss.mark = stage->mark;
        if (options_defaults(ret->loss.plugin, r->arena, &ret->loss.values, &err) != BIOFT_OK)
            r->failed = true;
    }
    if (ret->loss.values)
        read_smoothing(r, stage, &ret->loss);
}

static void read_length(struct reader *r, struct yaml *stage, struct stage_spec *ret)
{
    static const struct range range = { .low = 0.0, .high = 1e9, .above = true };
    struct yaml *epochs = read_member(stage, "epochs"), *steps = read_member(stage, "steps");

    if (epochs && steps)
        read_error(r, steps, "a stage has 'epochs' or 'steps', not both");
    else if (!epochs && !steps)
        read_error(r, stage, "a stage needs 'epochs' or 'steps' (steps: 0 trains nothing)");
    if (epochs)
        ret->epochs = read_number_node(r, epochs, "epochs", &range, false, 1.0);
    else if (steps)
        ret->steps = (uint64_t)read_integer_node(r, steps, "steps", 0, INT64_MAX, 0);
}

static void read_freeze(struct reader *r, struct yaml *stage, struct stage_spec *ret)
{
    struct yaml *node = read_member(stage, "freeze");
    const char **patterns;
    char found[READ_FOUND];

    if (!node)
        return;
    if (node->type != YAML_LIST) {
        read_error(r, node, "'freeze': a list such as [\"conv1.*\"] expected, found %s", read_found(found, node));
        return;
    }
    patterns = read_array(r, node->count, sizeof *patterns);
    for (size_t i = 0; patterns && i < node->count; i++) {
        const char *pattern = read_scalar(r, node->items[i], "freeze", "a pattern of parameters");
        patterns[i] = read_copy(r, pattern ? pattern : "");
    }
    ret->freeze = patterns;
    ret->freeze_count = patterns ? node->count : 0;
}

static void read_checkpoint(struct reader *r, struct yaml *stage, struct stage_spec *ret)
{
    static const char *const keys[] = { "every", NULL };
    struct yaml *node = read_member(stage, "checkpoint"), *every;

    ret->checkpoint_epochs = 1;
    if (!node || !read_is_map(r, node, "checkpoint", "{every: epoch}"))
        return;
    if ((every = read_member(node, "every")) && !(every->type == YAML_SCALAR && strcmp(every->text, "epoch") == 0))
        ret->checkpoint_epochs = (uint64_t)read_integer_node(r, every, "every", 0, INT64_MAX, 1);
    read_unknown(r, node, "in 'checkpoint'", keys, NULL);
}

static void read_stage(struct reader *r, struct yaml *node, const struct trial *trial, struct stage_spec *ret)
{
    static const char *const batchnorms[] = { "train", "frozen", NULL };
    static const char *const selections[] = { "last", "val", NULL };
    struct yaml *member;

    *ret = (struct stage_spec){ .mark = node->mark, .name = "", .dataset = trial->dataset, .rule_name = "" };
    if (!read_is_map(r, node, "stages", "{name: NAME, rule: NAME, epochs: 1}"))
        return;
    if ((member = read_member(node, "name")))
        ret->name = read_name_node(r, member, "name", false);
    else
        read_error(r, node, "a stage needs a 'name'");
    if (!ret->name)
        ret->name = "";
    if ((member = read_member(node, "dataset"))) {
        struct dataset_spec *dataset = read_array(r, 1, sizeof *dataset);
        ret->dataset = dataset;
        if (dataset)
            read_dataset(r, member, dataset);
    }
    if ((member = read_member(node, "head"))) {
        struct head_spec *head = read_array(r, 1, sizeof *head);
        ret->head = head;
        if (head)
            read_head(r, member, head);
    }
    ret->weights = read_weights(r, node);
    read_rules(r, node, ret);
    read_loss(r, node, ret);
    read_optimizer(r, node, &ret->optimizer);
    read_schedule(r, node, &ret->schedule);
    read_length(r, node, ret);
    ret->batch_size = (uint32_t)read_integer(r, node, "batch_size", 1, LARGEST_BATCH, DEFAULT_BATCH_SIZE);
    ret->accumulate = (uint32_t)read_integer(r, node, "accumulate", 1, LARGEST_BATCH, 1);
    read_freeze(r, node, ret);
    ret->batchnorm_frozen = read_word(r, node, "batchnorm", batchnorms, 0) == 1;
    ret->shuffle = read_bool(r, node, "shuffle", true);
    ret->select_by_val = read_word(r, node, "model_selection", selections, 0) == 1;
    ret->alignment = (uint64_t)read_integer(r, node, "alignment", 0, INT64_MAX, 0);
    ret->log_every = (uint64_t)read_integer(r, node, "log_every", 0, INT64_MAX, 0);
    read_checkpoint(r, node, ret);
    read_unknown(r, node, "in a stage", stage_keys, NULL);
}

/* What the stages' heads, losses and data say of each other without opening anything. */
static void check_heads(struct reader *r, const struct trial *t, const struct yaml *list)
{
    for (size_t i = 0; i < t->stage_count; i++) {
        const struct stage_spec *s = &t->stages[i];
        const struct head_spec *head = trial_head(t, i);
        const uint32_t takes = s->loss.plugin ? s->loss.plugin->api.loss.flags : 0;
        const size_t kept = s->dataset ? s->dataset->class_count : 0;
        if (kept > 0 && head->classes > 0 && head->classes != kept)
            diagnose_error(r->d, head->mark, 0, "the head has %u classes, stage '%s' keeps %zu of its dataset's",
                           head->classes, s->name, kept);
        if (takes && head->bits > 0 && !(takes & BIOFT_LOSS_CODES))
            read_error(r, list->items[i], "loss '%s' is for classes, and the head has bits",
                       s->loss.plugin->descriptor.name);
        if (takes && head->bits == 0 && !(takes & BIOFT_LOSS_CLASSES))
            read_error(r, list->items[i], "loss '%s' is for codes, and the head has classes",
                       s->loss.plugin->descriptor.name);
    }
}

void read_stages(struct reader *r, struct yaml *root, struct trial *ret)
{
    struct yaml *list = read_member(root, "stages");

    if (!list || list->type != YAML_LIST) {
        read_error(r, list ? list : root,
                   list ? "'stages': a list of stages expected"
                        : "'stages' is missing; stages: [] evaluates and attacks the weights as they are");
        return;
    }
    ret->stages = read_array(r, list->count, sizeof *ret->stages);
    ret->stage_count = ret->stages ? list->count : 0;
    for (size_t i = 0; i < ret->stage_count; i++) {
        struct stage_spec *s = &ret->stages[i];
        read_stage(r, list->items[i], ret, s);
        for (size_t k = 0; *s->name && k < i; k++)
            if (strcmp(s->name, ret->stages[k].name) == 0)
                read_error(r, yaml_get(list->items[i], "name"), "two stages are named '%s'; the first is on line %u",
                           s->name, ret->stages[k].mark.line);
    }
    if (!ret->dataset && ret->stage_count > 0)
        ret->dataset = ret->stages[ret->stage_count - 1].dataset;
    check_heads(r, ret, list);
}
