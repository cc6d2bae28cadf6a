/* The canonical tree of a trial, section by section as read_*.c reads them. */
#include "manifest/resolve.h"

#include "plugin/precision.h"

#include <string.h>

static struct yaml *build_transform(struct resolver *b, const struct transform_spec *s)
{
    static const char *const crops[] = {
        [CROP_NONE] = "none",
        [CROP_RANDOM] = "random_crop",
        [CROP_RANDOM_RESIZED] = "random_resized_crop",
    };
    struct yaml *map;

    if (s->kind != TRANSFORM_MAP)
        return build_text(b, s->kind == TRANSFORM_AUTO ? "auto" : "none");
    map = build_map(b);
    if (s->size > 0)
        build_put(b, map, "size", build_integer(b, s->size));
    if (s->resize > 0)
        build_put(b, map, "resize", build_integer(b, s->resize));
    build_put(b, map, "train", build_text(b, crops[s->train]));
    build_put(b, map, "padding", build_integer(b, s->padding));
    build_put(b, map, "flip", build_bool(b, s->flip));
    return map;
}

/* A folder that would read back as a word gets "./" before it. */
static struct yaml *build_cache(struct resolver *b, const char *cache)
{
    struct yaml *node = cache[0] == '/' ? build_path(b, cache) : build_text(b, cache);

    if (node && cache[0] == '/' && (strcmp(node->text, "auto") == 0 || strcmp(node->text, "off") == 0)) {
        node->text = arena_printf(b->arena, "./%s", node->text);
        b->failed = b->failed || !node->text;
    }
    return node;
}

static struct yaml *build_weights(struct resolver *b, const struct weights_spec *w)
{
    struct yaml *map, *rename;

    if (!w->key && !w->prefix && !w->rename_count)
        return build_path(b, w->file);
    map = build_map(b);
    build_put(b, map, "file", build_path(b, w->file));
    if (w->key)
        build_put(b, map, "key", build_text(b, w->key));
    if (w->prefix)
        build_put(b, map, "prefix", build_text(b, w->prefix));
    if (w->rename_count) {
        rename = build_map(b);
        for (size_t i = 0; i < w->rename_count; i++)
            build_put(b, rename, w->rename[i].from, build_text(b, w->rename[i].to));
        build_put(b, map, "rename", rename);
    }
    return map;
}

static struct yaml *build_parts(struct resolver *b, const double *parts)
{
    struct yaml *map = build_map(b);

    for (int p = 0; p < PARTS; p++)
        if (parts[p] > 0.0)
            build_put(b, map, part_names[p], build_number(b, parts[p]));
    return map;
}

static struct yaml *build_dataset(struct resolver *b, const struct dataset_spec *s)
{
    static const char *const policies[] = {
        [POLICY_ERROR] = "error",
        [POLICY_DROP] = "drop",
        [POLICY_KEEP] = "keep",
    };
    struct yaml *map = build_plugin(b, s->choice.plugin, s->choice.values, NULL), *classes;

    if (s->root)
        build_put(b, map, "root", build_path(b, s->root));
    build_put(b, map, "transform", build_transform(b, &s->transform));
    if (!b->key)
        build_put(b, map, "cache", build_cache(b, s->cache));
    if (s->classes) {
        classes = build_list(b);
        for (size_t i = 0; i < s->class_count; i++)
            build_append(b, classes, build_integer(b, s->classes[i]));
        build_put(b, map, "classes", classes);
    }
    build_put(b, map, "split_seed", build_integer(b, (int64_t)s->split_seed));
    if (s->parts[PART_VAL] + s->parts[PART_TEST] + s->parts[PART_DATABASE] > 0.0)
        build_put(b, map, "split", build_parts(b, s->parts));
    if (s->protocol)
        build_put(b, map, "protocol", build_text(b, s->protocol));
    build_put(b, map, "limit", build_integer(b, (int64_t)s->limit));
    build_put(b, map, "missing", build_text(b, policies[s->missing]));
    build_put(b, map, "broken", build_text(b, policies[s->broken]));
    build_put(b, map, "unlabelled", build_text(b, policies[s->unlabelled]));
    return map;
}

static struct yaml *build_engine(struct resolver *b, const struct reading *reading)
{
    const struct trial *t = reading->trial;
    struct yaml *map = NULL;

    if (t->engine) {
        map = build_plugin(b, t->engine, t->engine_values, NULL);
    } else {
        map = build_map(b);
        build_put(b, map, "plugin", build_text(b, "auto"));
    }
    if (!b->key && reading->engine_threads > 0)
        build_put(b, map, "threads", build_integer(b, reading->engine_threads));
    return map;
}

static struct yaml *build_head(struct resolver *b, const struct head_spec *s)
{
    struct yaml *map = build_map(b);

    if (s->classes > 0)
        build_put(b, map, "classes", build_integer(b, s->classes));
    if (s->bits > 0)
        build_put(b, map, "bits", build_integer(b, s->bits));
    build_put(b, map, "reuse", build_bool(b, s->reuse));
    return map;
}

static struct yaml *build_model(struct resolver *b, const struct trial *t)
{
    struct yaml *map = build_map(b);

    build_put(b, map, "backbone", build_plugin(b, t->backbone.plugin, t->backbone.values, NULL));
    if (t->weights)
        build_put(b, map, "weights", build_weights(b, t->weights));
    build_put(b, map, "head", build_head(b, &t->head));
    return map;
}

static void put_rules(struct resolver *b, struct yaml *map, const struct stage_spec *s)
{
    struct yaml *list = build_list(b), *entry;

    if (!s->rules_listed) {
        build_put(b, map, "rule", build_plugin(b, s->rules[0].choice.plugin, s->rules[0].choice.values, NULL));
        return;
    }
    for (size_t i = 0; i < s->rule_count; i++) {
        entry = build_map(b);
        build_put(b, entry, "layers", build_text(b, s->rules[i].layers));
        build_put(b, entry, "rule", build_plugin(b, s->rules[i].choice.plugin, s->rules[i].choice.values, NULL));
        build_append(b, list, entry);
    }
    build_put(b, map, "rules", list);
}

static struct yaml *build_optimizer(struct resolver *b, const struct optimizer_spec *s)
{
    const bool adam = s->kind == BIOFT_ADAM;
    struct yaml *map = build_map(b), *betas = build_list(b);

    build_put(b, map, "name", build_text(b, adam ? "adam" : "sgd"));
    build_put(b, map, "lr", build_number(b, s->lr));
    build_put(b, map, "head_lr", build_number(b, s->head_lr));
    build_put(b, map, "loss_lr", build_number(b, s->loss_lr));
    build_put(b, map, "weight_decay", build_number(b, s->weight_decay));
    if (adam) {
        build_append(b, betas, build_number(b, s->beta1));
        build_append(b, betas, build_number(b, s->beta2));
        build_put(b, map, "betas", betas);
        build_put(b, map, "eps", build_number(b, s->eps));
    } else {
        build_put(b, map, "momentum", build_number(b, s->momentum));
    }
    return map;
}

static struct yaml *build_schedule(struct resolver *b, const struct schedule_spec *s)
{
    struct yaml *map;

    if (s->kind != SCHEDULE_STEP)
        return build_text(b, s->kind == SCHEDULE_CONSTANT ? "constant" : "cosine");
    map = build_map(b);
    build_put(b, map, "name", build_text(b, "step"));
    build_put(b, map, "every", build_integer(b, (int64_t)s->every));
    build_put(b, map, "gamma", build_number(b, s->gamma));
    return map;
}

/* What changes what is written beside the results, not the results. */
static void put_records(struct resolver *b, struct yaml *map, const struct stage_spec *s)
{
    struct yaml *checkpoint = build_map(b);

    build_put(b, map, "alignment", build_integer(b, (int64_t)s->alignment));
    build_put(b, map, "log_every", build_integer(b, (int64_t)s->log_every));
    build_put(b, checkpoint, "every", build_integer(b, (int64_t)s->checkpoint_epochs));
    build_put(b, map, "checkpoint", checkpoint);
}

static struct yaml *build_stage(struct resolver *b, const struct stage_spec *s, const struct reading *reading)
{
    struct yaml *map = build_map(b), *freeze = build_list(b);

    build_put(b, map, "name", build_text(b, s->name));
    if (b->key || !reading->own_dataset || s->dataset != reading->trial->dataset)
        build_put(b, map, "dataset", build_dataset(b, s->dataset));
    if (s->head)
        build_put(b, map, "head", build_head(b, s->head));
    if (s->weights)
        build_put(b, map, "weights", build_weights(b, s->weights));
    put_rules(b, map, s);
    build_put(b, map, "loss", build_plugin(b, s->loss.plugin, s->loss.values, NULL));
    build_put(b, map, "optimizer", build_optimizer(b, &s->optimizer));
    build_put(b, map, "schedule", build_schedule(b, &s->schedule));
    if (s->epochs > 0.0)
        build_put(b, map, "epochs", build_number(b, s->epochs));
    else
        build_put(b, map, "steps", build_integer(b, (int64_t)s->steps));
    build_put(b, map, "batch_size", build_integer(b, s->batch_size));
    build_put(b, map, "accumulate", build_integer(b, s->accumulate));
    for (size_t i = 0; i < s->freeze_count; i++)
        build_append(b, freeze, build_text(b, s->freeze[i]));
    build_put(b, map, "freeze", freeze);
    build_put(b, map, "batchnorm", build_text(b, s->batchnorm_frozen ? "frozen" : "train"));
    build_put(b, map, "shuffle", build_bool(b, s->shuffle));
    build_put(b, map, "model_selection", build_text(b, s->select_by_val ? "val" : "last"));
    if (!b->key)
        put_records(b, map, s);
    return map;
}

static struct yaml *build_target(struct resolver *b, const struct attack_spec *s)
{
    static const char *const words[] = {
        [TARGET_NONE] = "none",
        [TARGET_RANDOM] = "random",
        [TARGET_LEAST_LIKELY] = "least_likely",
    };

    return s->target == TARGET_CLASS ? build_integer(b, s->target_class) : build_text(b, words[s->target]);
}

static struct yaml *build_restarts(struct resolver *b, const struct attack_entry *e)
{
    const struct grid *last = e->grids.count ? &e->grids.items[e->grids.count - 1] : NULL;
    struct yaml *list;

    if (!last || last->option != GRID_RESTARTS)
        return build_integer(b, e->specs[0].restarts);
    list = build_list(b);
    for (size_t i = 0; i < last->count; i++)
        build_append(b, list, build_integer(b, last->values[i].integer));
    return list;
}

static struct yaml *build_from_map(struct resolver *b, const struct from_spec *f)
{
    struct yaml *map = build_map(b);

    for (size_t i = 0; i < f->count; i++)
        build_put(b, map, f->keys[i], yaml_copy(f->values[i], b->arena));
    return map;
}

static void put_from(struct resolver *b, struct yaml *map, const struct attack_entry *e)
{
    struct yaml *list;

    for (size_t g = 0; g < e->grids.count; g++) {
        const struct grid *grid = &e->grids.items[g];
        if (grid->option != GRID_FROM)
            continue;
        list = build_list(b);
        for (size_t i = 0; i < grid->count; i++)
            build_append(b, list, build_from_map(b, grid->from[i]));
        build_put(b, map, "from", list);
        return;
    }
    if (e->specs[0].from)
        build_put(b, map, "from", build_from_map(b, e->specs[0].from));
}

/* What holds for the whole of an entry, whatever its lists. */
static void put_attack(struct resolver *b, struct yaml *map, const struct attack_spec *s)
{
    build_put(b, map, "samples", build_integer(b, (int64_t)s->samples));
    build_put(b, map, "split", build_text(b, s->split));
    build_put(b, map, "labels", build_text(b, s->predicted_labels ? "predicted" : "true"));
    build_put(b, map, "target", build_target(b, s));
    if (s->eot)
        build_put(b, map, "eot", build_integer(b, s->eot));
    if (s->rescale_logits)
        build_put(b, map, "rescale_logits", build_bool(b, true));
    if (s->survivors)
        build_put(b, map, "only", build_text(b, "survivors"));
}

static struct yaml *build_attack(struct resolver *b, const struct attack_entry *e)
{
    const struct attack_spec *s = &e->specs[0];
    struct yaml *map = build_plugin(b, s->choice.plugin, s->choice.values, &e->grids), *list;

    build_put(b, map, "name", build_text(b, s->name));
    list = build_list(b);
    for (size_t i = 0; i < s->epsilon_count; i++)
        build_append(b, list, build_number(b, s->epsilon[i]));
    build_put(b, map, "epsilon", list);
    list = build_list(b);
    for (size_t i = 0; i < s->gradient_count; i++)
        build_append(b, list, build_gradient(b, s, s->gradients[i]));
    build_put(b, map, "gradient", list);
    put_attack(b, map, s);
    put_from(b, map, e);
    build_put(b, map, "restarts", build_restarts(b, e));
    build_put(b, map, "batch_size", build_integer(b, s->batch_size));
    build_put(b, map, "dump", build_integer(b, (int64_t)s->dump));
    return map;
}

/* What comes before the first stage. */
static void put_start(struct resolver *b, struct yaml *root, const struct reading *reading)
{
    const struct trial *t = reading->trial;

    if (!b->identity)
        build_put(b, root, "seed", build_integer(b, (int64_t)t->seed));
    if (!b->key)
        build_put(b, root, "threads", build_integer(b, reading->threads));
    build_put(b, root, "engine", build_engine(b, reading));
    build_put(b, root, "precision", build_text(b, precision_word(t->precision)));
}

static void put_attacks(struct resolver *b, struct yaml *root, const struct reading *reading)
{
    struct yaml *list = build_list(b);

    for (size_t i = 0; i < reading->entry_count; i++)
        build_append(b, list, build_attack(b, &reading->entries[i]));
    build_put(b, root, "attacks", list);
}

/* How rankings are measured: after the training, so that it changes no stage. */
static void put_retrieval(struct resolver *b, struct yaml *root, const struct trial *t)
{
    struct yaml *map = build_map(b), *list = build_list(b);

    if (t->k_count == 0)
        return;
    for (size_t i = 0; i < t->k_count; i++)
        build_append(b, list, build_integer(b, (int64_t)t->k[i]));
    build_put(b, map, "k", list);
    build_put(b, root, "retrieval", map);
}

static void put_log(struct resolver *b, struct yaml *root, const struct trial *t)
{
    struct yaml *list = build_list(b);

    if (t->tensorboard)
        build_append(b, list, build_text(b, "tensorboard"));
    if (t->mlflow)
        build_append(b, list, build_text(b, "mlflow"));
    build_put(b, root, "log", list);
}

struct yaml *resolve_trial(struct resolver *b, const struct resolve_common *common, const struct reading *reading)
{
    const struct trial *t = reading->trial;
    struct yaml *root = build_map(b), *list = build_list(b);

    build_put(b, root, "bioft", build_integer(b, 1));
    build_put(b, root, "name", build_text(b, common->name));
    build_put(b, root, "folder", build_text(b, common->folder));
    if (common->plugin_count > 0) {
        for (size_t i = 0; i < common->plugin_count; i++)
            build_append(b, list, build_path(b, common->plugins[i]));
        build_put(b, root, "plugins", list);
    }
    build_put(b, root, "output", build_text(b, common->output));
    if (common->baseline)
        build_put(b, root, "baseline", build_text(b, common->baseline));
    put_start(b, root, reading);
    if (reading->own_dataset)
        build_put(b, root, "dataset", build_dataset(b, t->dataset));
    build_put(b, root, "model", build_model(b, t));
    list = build_list(b);
    for (size_t i = 0; i < t->stage_count; i++)
        build_append(b, list, build_stage(b, &t->stages[i], reading));
    build_put(b, root, "stages", list);
    put_retrieval(b, root, t);
    put_attacks(b, root, reading);
    put_log(b, root, t);
    return b->failed ? NULL : root;
}

struct yaml *resolve_identity(struct resolver *b, const struct reading *reading)
{
    const struct trial *t = reading->trial;
    struct yaml *root = build_map(b), *stages = build_list(b);

    put_start(b, root, reading);
    build_put(b, root, "model", build_model(b, t));
    for (size_t i = 0; i < t->stage_count; i++)
        build_append(b, stages, build_stage(b, &t->stages[i], reading));
    build_put(b, root, "stages", stages);
    if (t->stage_count == 0)
        build_put(b, root, "dataset", build_dataset(b, t->dataset));
    put_retrieval(b, root, t);
    put_attacks(b, root, reading);
    return b->failed ? NULL : root;
}

static void sum(struct resolver *b, const struct yaml *root, char ret[SHA256_HEX])
{
    struct text text = { 0 };

    if (b->failed)
        return;
    tree_write(root, &text);
    if (text.failed)
        b->failed = true;
    else
        sha256_bytes(text.data, text.length, ret);
    text_free(&text);
}

/* What `sum` gives with one stage, with two and so on; stages is the last in root, and its items are the last lines. */
static void sum_stages(struct resolver *b, struct yaml *root, struct yaml *stages, const struct reading *reading)
{
    const struct trial *t = reading->trial;
    struct sha256 *running = sha256_begin();

    b->failed = b->failed || !running;
    for (size_t i = 0; !b->failed && i < t->stage_count; i++) {
        struct yaml *stage = build_stage(b, &t->stages[i], reading);
        struct text text = { 0 };
        build_append(b, stages, stage);
        if (b->failed)
            break;
        if (i == 0)
            tree_write(root, &text);
        else
            tree_write_item(stage, 1, &text);
        if (!text.failed)
            sha256_add(running, text.data, text.length);
        sha256_peek(running, t->stage_key[i]);
        b->failed = text.failed || !t->stage_key[i][0];
        text_free(&text);
    }
    sha256_end(running, (char[SHA256_HEX]){ 0 });
}

/* One attack of an entry's grids, whatever its epsilons and gradients. */
static void sum_attack(struct resolver *b, const struct trial *t, struct attack_spec *s)
{
    struct yaml *map = build_plugin(b, s->choice.plugin, s->choice.values, NULL);

    build_put(b, map, "name", build_text(b, s->name));
    build_put(b, map, "options", build_text(b, s->options));
    put_attack(b, map, s);
    if (s->from)
        build_put(b, map, "from", build_from_map(b, s->from));
    build_put(b, map, "restarts", build_integer(b, s->restarts));
    build_put(b, map, "batch_size", build_integer(b, s->batch_size));
    build_put(b, map, "dump", build_integer(b, (int64_t)s->dump));
    /* What is left to attack is what the attacks before left. */
    if (s->survivors)
        build_put(b, map, "after", build_before(b, t, s));
    sum(b, map, s->key);
}

void resolve_keys(struct resolver *b, const struct reading *reading)
{
    const struct trial *t = reading->trial;
    struct yaml *root = build_map(b), *stages = build_list(b);

    put_start(b, root, reading);
    build_put(b, root, "model", build_model(b, t));
    build_put(b, root, "stages", stages);
    sum_stages(b, root, stages, reading);
    if (t->stage_count == 0)
        build_put(b, root, "dataset", build_dataset(b, t->dataset));
    put_retrieval(b, root, t);
    sum(b, root, reading->trial->base_key);
    put_attacks(b, root, reading);
    sum(b, root, reading->trial->key);
    for (size_t i = 0; i < t->attack_count; i++)
        sum_attack(b, reading->trial, &reading->trial->attacks[i]);
}
