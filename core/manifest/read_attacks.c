/* The section `attacks`: an entry whose numbers are lists makes an attack of each combination. */
#include "manifest/defaults.h"
#include "manifest/read.h"

#include <stdio.h>
#include <string.h>

static const char *const keys[] = {
    "plugin",   "name",       "epsilon", "samples", "split",          "gradient", "target", "labels",
    "restarts", "batch_size", "dump",    "eot",     "rescale_logits", "only",     "from",   NULL,
};

enum { MOST_ATTACKS = 10000, LARGEST_BATCH = 1 << 20, MOST_DRAWS = 10000 };

static double read_epsilon(struct reader *r, const struct yaml *node, uint32_t norm)
{
    static const struct range any = { .low = 0.0, .high = 1e300 }, pixels = { .low = 0.0, .high = 1.0 };
    char fraction[TEXT_NUMBER];
    double value;

    if (norm == BIOFT_LINF && node->type == YAML_SCALAR && !node->quoted &&
        number_parse(node->text, node->length, true, &value) && value > 1.0 && value <= 255.0) {
        snprintf(fraction, sizeof fraction, "%.5g", value / 255.0);
        read_error(r, node, "'epsilon': pixels are in [0, 1]; did you mean %s/255 = %s?", node->text, fraction);
        return 0.0;
    }
    return read_number_node(r, node, "epsilon", norm == BIOFT_LINF ? &pixels : &any, true, 0.0);
}

static void read_epsilons(struct reader *r, struct yaml *entry, uint32_t norm, struct attack_spec *ret)
{
    struct yaml *node = read_member(entry, "epsilon");
    const size_t before = r->d->errors;
    const size_t count = node && node->type == YAML_LIST ? node->count : 1;
    double *values = read_array(r, count, sizeof *values);

    if (!values)
        return;
    if (!node || count == 0) {
        read_error(r, node ? node : entry,
                   node ? "'epsilon': an empty list" : "an attack needs 'epsilon', a number or a list of them");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct yaml *item = node->type == YAML_LIST ? node->items[i] : node;
        values[i] = read_epsilon(r, item, norm);
    }
    if (node->type == YAML_LIST && r->d->errors == before)
        read_once(r, node, "epsilon", values, sizeof *values, read_compare_numbers);
    ret->epsilon = values;
    ret->epsilon_count = count;
}

static void read_target(struct reader *r, struct yaml *entry, struct attack_spec *ret)
{
    static const char *const words[] = {
        [TARGET_NONE] = "none",
        [TARGET_RANDOM] = "random",
        [TARGET_LEAST_LIKELY] = "least_likely",
    };
    struct yaml *node = read_member(entry, "target");
    const struct plugin *plugin = ret->choice.plugin;

    if (!node)
        return;
    ret->target = TARGET_CLASS;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (node->type == YAML_SCALAR && strcmp(node->text, words[i]) == 0)
            ret->target = (enum target_kind)i;
    if (ret->target == TARGET_CLASS) {
        int64_t value;
        char found[READ_FOUND];
        if (node->type == YAML_SCALAR && !node->quoted && integer_parse(node->text, node->length, &value) &&
            value >= 0 && value <= INT32_MAX)
            ret->target_class = (uint32_t)value;
        else
            read_error(r, node, "'target': none, random, least_likely or the number of a class expected, found %s",
                       read_found(found, node));
    }
    if (ret->target != TARGET_NONE && plugin && !(plugin->api.attack.flags & BIOFT_ATTACK_TARGETED))
        read_error(r, node, "attack '%s' takes no target", plugin->descriptor.name);
}

/* `restarts` is the host's, and a number of the attack like its own. */
static void read_restarts(struct reader *r, struct yaml *entry, struct grids *grids, struct attack_spec *ret)
{
    const size_t before = r->d->errors;
    struct yaml *node = read_member(entry, "restarts");
    struct grid grid = { .name = "restarts", .option = GRID_RESTARTS };

    ret->restarts = 1;
    if (!node)
        return;
    if (node->type != YAML_LIST) {
        ret->restarts = (uint32_t)read_integer_node(r, node, "restarts", 1, 1 << 20, 1);
        return;
    }
    if (node->count == 0)
        read_error(r, node, "'restarts': an empty list");
    grid.count = node->count;
    grid.values = read_array(r, node->count, sizeof *grid.values);
    for (size_t i = 0; grid.values && i < grid.count; i++) {
        grid.values[i].integer = read_integer_node(r, node->items[i], "restarts", 1, 1 << 20, 1);
    }
    if (grid.values && r->d->errors == before)
        read_once(r, node, "restarts", grid.values, sizeof *grid.values, read_compare_values);
    if (grid.values && grids->items && grid.count > 0)
        grids->items[grids->count++] = grid;
}

/* Is the network that is attacked of the attack's kind? */
static void check_head(struct reader *r, const struct yaml *entry, const struct trial *t, const struct plugin *plugin)
{
    const struct head_spec *head = trial_head(t, t->stage_count);

    const char *why = attack_unsuited(&plugin->api.attack, head->bits > 0);

    if (why)
        read_error(r, entry, "attack '%s' %s", plugin->descriptor.name, why);
}

static void read_name(struct reader *r, struct yaml *entry, struct attack_spec *ret)
{
    struct yaml *node = read_member(entry, "name");

    if (node)
        ret->name = read_name_node(r, node, "name", false);
    if (ret->name && strcmp(ret->name, "worst") == 0)
        read_error(r, node, "'worst' is the name of the results' rows over all attacks");
    if (!ret->name)
        ret->name = ret->choice.plugin ? ret->choice.plugin->descriptor.name : "";
}

/* Keys of the host for attacks on classifiers and their gradients. */
static void read_more(struct reader *r, struct yaml *entry, const struct trial *t, struct attack_spec *ret)
{
    static const char *const only[] = { "all", "survivors", NULL };
    const struct plugin *plugin = ret->choice.plugin;
    const bool codes = trial_head(t, t->stage_count)->bits > 0;
    const bool gradient = !plugin || plugin->api.attack.flags & BIOFT_ATTACK_GRADIENT;

    ret->eot = (uint32_t)read_integer(r, entry, "eot", 0, MOST_DRAWS, 0);
    ret->rescale_logits = read_bool(r, entry, "rescale_logits", false);
    ret->survivors = read_word(r, entry, "only", only, 0) == 1;
    if (ret->eot && !gradient)
        read_error(r, entry, "'eot': attack '%s' asks for no gradient", plugin->descriptor.name);
    if (ret->rescale_logits && (codes || !gradient))
        read_error(r, entry, "'rescale_logits' is for attacks on classifiers that follow a gradient");
    if (ret->survivors && codes)
        read_error(r, entry, "'only': of hash codes no image is broken or not");
}

/* What the host does otherwise than by default, for the column `options`; in_list: `from` stands there already. */
static void add_host_options(const struct attack_spec *s, bool in_list, struct text *t)
{
    static const char *const targets[] = { [TARGET_RANDOM] = "random", [TARGET_LEAST_LIKELY] = "least_likely" };
    const size_t before = t->length;
    char number[TEXT_NUMBER];

    if (s->target == TARGET_CLASS)
        text_printf(t, ";target=%u", s->target_class);
    else if (s->target != TARGET_NONE)
        text_printf(t, ";target=%s", targets[s->target]);
    if (s->predicted_labels)
        text_add(t, ";labels=predicted");
    if (s->eot)
        text_printf(t, ";eot=%u", s->eot);
    if (s->rescale_logits)
        text_add(t, ";rescale_logits=true");
    if (s->smoothing.samples && s->smoothing.samples != DEFAULT_SMOOTHING_SAMPLES)
        text_printf(t, ";smoothed_samples=%u", s->smoothing.samples);
    if (s->smoothing.samples && s->smoothing.sigma != DEFAULT_SMOOTHING_SIGMA)
        text_printf(t, ";smoothed_sigma=%s", text_number(number, s->smoothing.sigma));
    if (s->survivors)
        text_add(t, ";only=survivors");
    if (s->from && !in_list)
        text_printf(t, ";from=%s", s->from->text);
    if (before == 0 && t->length > 0 && !t->failed)
        memmove(t->data, t->data + 1, t->length--); /* its end is moved too */
}

static void read_entry(struct reader *r, struct yaml *node, const struct trial *t, struct attack_spec *ret,
                       struct grids *grids)
{
    static const char *const splits[] = { "train", "val", "test", "database", NULL };
    static const char *const labels[] = { "true", "predicted", NULL };

    *ret = (struct attack_spec){ .mark = node->mark, .name = "", .options = "", .split = DEFAULT_SPLIT };
    if (!read_is_map(r, node, "attacks", "{plugin: NAME, epsilon: 8/255}"))
        return;
    const bool chosen = read_choice(r, node, BIOFT_KIND_ATTACK, keys, &ret->choice, grids);
    if (chosen)
        check_head(r, node, t, ret->choice.plugin);
    if (ret->choice.plugin)
        ret->norm = chosen ? read_norm(r, node, &ret->choice) : ret->choice.plugin->api.attack.norm;
    ret->name = NULL;
    read_name(r, node, ret);
    read_epsilons(r, node, ret->norm, ret);
    read_gradient(r, node, ret);
    ret->samples = (uint64_t)read_integer(r, node, "samples", 0, INT64_MAX, 0);
    ret->split = splits[read_word(r, node, "split", splits, 2)];
    ret->predicted_labels = read_word(r, node, "labels", labels, 0) == 1;
    read_target(r, node, ret);
    if (trial_head(t, t->stage_count)->bits > 0 && (ret->predicted_labels || ret->target == TARGET_LEAST_LIKELY))
        read_error(r, node, "'%s': a head with bits predicts no class", ret->predicted_labels ? "labels" : "target");
    read_from(r, node, t, grids, ret);
    read_restarts(r, node, grids, ret);
    ret->batch_size = (uint32_t)read_integer(r, node, "batch_size", 0, LARGEST_BATCH, 0);
    read_more(r, node, t, ret);
    ret->dump = (uint64_t)read_integer(r, node, "dump", 0, INT64_MAX, 0);
}

/* Number `index` of the product of the grids, the last one fastest. */
static void expand(struct reader *r, const struct yaml *node, const struct attack_spec *base, const struct grids *grids,
                   size_t index, struct attack_spec *ret)
{
    const struct plugin *plugin = base->choice.plugin;
    const uint32_t options = plugin ? plugin->descriptor.option_count : 0;
    struct option_value *values = read_array(r, options, sizeof *values);
    struct text text = { 0 };
    size_t below = 1;
    bool in_list = false;

    *ret = *base;
    if (!values)
        return;
    for (uint32_t i = 0; i < options && base->choice.values; i++)
        values[i] = base->choice.values[i];
    ret->choice.values = values;
    for (size_t g = 0; g < grids->count; g++)
        below *= grids->items[g].count;
    for (size_t g = 0; g < grids->count; g++) {
        const struct grid *grid = &grids->items[g];
        below /= grid->count;
        const size_t at = index / below % grid->count;
        text_printf(&text, "%s%s=", g ? ";" : "", grid->name);
        if (grid->option == GRID_FROM) {
            ret->from = grid->from[at];
            text_add(&text, ret->from ? ret->from->text : "");
            in_list = true;
        } else if (grid->option == GRID_RESTARTS) {
            ret->restarts = (uint32_t)grid->values[at].integer;
            text_printf(&text, "%u", ret->restarts);
        } else {
            values[grid->option] = grid->values[at];
            option_text(&plugin->descriptor.options[grid->option], &grid->values[at], &text);
        }
    }
    add_host_options(ret, in_list, &text);
    if (grids->count && base->norm)
        ret->norm = read_norm(r, node, &ret->choice);
    ret->options = read_copy(r, text.data ? text.data : "");
    r->failed = r->failed || text.failed;
    text_free(&text);
}

/* Grids stand in the order of the plugin's table, whatever the order in the manifest. */
static void sort_grids(struct grids *grids)
{
    for (size_t i = 1; i < grids->count; i++)
        for (size_t k = i; k > 0 && grids->items[k].option < grids->items[k - 1].option; k--) {
            const struct grid swapped = grids->items[k];
            grids->items[k] = grids->items[k - 1];
            grids->items[k - 1] = swapped;
        }
}

/* The number of attacks that the grids make; 0: too many. */
static size_t grid_product(const struct grids *grids)
{
    size_t product = 1;

    for (size_t g = 0; g < grids->count; g++) {
        if (grids->items[g].count > MOST_ATTACKS / product)
            return 0;
        product *= grids->items[g].count;
    }
    return product;
}

void read_attacks(struct reader *r, struct yaml *root, struct reading *ret)
{
    struct trial *t = ret->trial;
    struct yaml *list = read_member(root, "attacks");
    struct attack_spec *bases;
    size_t total = 0, at = 0;

    if (!list)
        return;
    if (list->type != YAML_LIST) {
        read_error(r, list, "'attacks': a list of attacks expected");
        return;
    }
    bases = read_array(r, list->count, sizeof *bases);
    ret->entries = read_array(r, list->count, sizeof *ret->entries);
    if (!bases || !ret->entries)
        return;
    ret->entry_count = list->count;
    for (size_t i = 0; i < list->count; i++) {
        struct attack_entry *e = &ret->entries[i];
        read_entry(r, list->items[i], t, &bases[i], &e->grids);
        for (size_t k = 0; *bases[i].name && k < i; k++)
            if (strcmp(bases[i].name, bases[k].name) == 0)
                read_error(r, list->items[i], "two attacks are named '%s', the first on line %u; give one a 'name'",
                           bases[i].name, bases[k].mark.line);
        sort_grids(&e->grids);
        e->count = grid_product(&e->grids);
        if (e->count == 0 || e->count > MOST_ATTACKS - total)
            read_error(r, list->items[i], "the lists here make more than %d attacks", (int)MOST_ATTACKS);
        total += e->count;
        if (total > MOST_ATTACKS)
            return;
    }
    t->attacks = read_array(r, total, sizeof *t->attacks);
    t->attack_count = t->attacks ? total : 0;
    for (size_t i = 0; t->attacks && i < list->count; i++) {
        ret->entries[i].specs = t->attacks + at;
        for (size_t k = 0; k < ret->entries[i].count; k++)
            expand(r, list->items[i], &bases[i], &ret->entries[i].grids, k, &t->attacks[at++]);
    }
}
