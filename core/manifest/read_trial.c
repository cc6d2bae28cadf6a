/* A trial: the whole of a manifest once the sweep's values stand in it. */
#include "manifest/defaults.h"
#include "manifest/read.h"

static void read_log(struct reader *r, struct yaml *root, struct trial *t)
{
    static const char *const forms[] = { "tensorboard", "mlflow", NULL };
    struct yaml *node = read_member(root, "log");
    const bool listed = node && node->type == YAML_LIST;
    const size_t count = listed ? node->count : node ? 1 : 0;

    for (size_t i = 0; i < count; i++) {
        const size_t form = read_word_node(r, listed ? node->items[i] : node, "log", forms, 2);
        t->tensorboard = t->tensorboard || form == 0;
        t->mlflow = t->mlflow || form == 1;
    }
}

void read_trial(struct reader *r, struct yaml *root, struct reading *ret)
{
    static const char *const keys[] = {
        "bioft", "name",   "folder",  "plugins",   "seed",     "threads", "engine", "precision", "output", "dataset",
        "model", "stages", "attacks", "retrieval", "baseline", "log",     "sweep",  "search",    NULL,
    };
    static const char *const common[] = { "bioft", "name", "folder", "plugins", "output", "baseline" };
    struct trial *t = ret->trial;
    struct yaml *node;
    bool complete = true;

    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        read_member(root, common[i]);
    t->seed = (uint64_t)read_integer(r, root, "seed", 0, INT64_MAX, DEFAULT_SEED);
    read_engine(r, root, ret);
    if ((node = read_member(root, "dataset"))) {
        struct dataset_spec *dataset = read_array(r, 1, sizeof *dataset);
        t->dataset = dataset;
        ret->own_dataset = true;
        if (dataset)
            read_dataset(r, node, dataset);
    }
    read_model(r, root, t);
    read_stages(r, root, t);
    for (size_t i = 0; i < t->stage_count; i++)
        complete = complete && t->stages[i].dataset;
    if (!t->dataset || !complete)
        read_error(r, root, "'dataset' is missing: dataset: {plugin: NAME, root: FOLDER}");
    read_attacks(r, root, ret);
    read_retrieval(r, root, t);
    read_log(r, root, t);
    read_unknown(r, root, "in a manifest", keys, NULL);
    t->stage_key = read_array(r, t->stage_count, sizeof *t->stage_key);
}
