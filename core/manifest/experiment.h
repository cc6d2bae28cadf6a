/* An experiment as a checked manifest describes it: its trials, each with everything chosen and every default filled.
 * All of it lives in one arena and is read-only. */
#ifndef MANIFEST_EXPERIMENT_H
#define MANIFEST_EXPERIMENT_H

#include "base/sha256.h"
#include "base/text.h"
#include "manifest/diagnose.h"
#include "manifest/settings.h"
#include "plugin/options.h"

struct choice { /* a plugin with its options */
    const struct plugin *plugin;
    struct option_value *values; /* plugin->descriptor.option_count of them */
    struct mark mark;
};

enum transform_kind { TRANSFORM_AUTO, TRANSFORM_NONE, TRANSFORM_MAP };
enum crop_kind { CROP_NONE, CROP_RANDOM, CROP_RANDOM_RESIZED };
struct transform_spec {
    enum transform_kind kind;
    uint32_t size, resize, padding; /* MAP; 0: not given */
    enum crop_kind train;
    bool flip;
};

enum { PART_TEST, PART_DATABASE, PART_VAL, PARTS };
extern const char *const part_names[PARTS]; /* "test", "database", "val" */
enum policy { POLICY_ERROR, POLICY_DROP, POLICY_KEEP };
struct dataset_spec {
    struct choice choice;
    const char *root; /* absolute, or NULL */
    struct transform_spec transform;
    const char *cache;      /* "auto", "off" or an absolute folder */
    const int64_t *classes; /* the subset kept, renumbered in this order; NULL: all */
    size_t class_count;
    uint64_t split_seed;
    double parts[PARTS];  /* `split`: what shares of the training split become these; 0: none */
    const char *protocol; /* NULL: the plugin's default */
    uint64_t limit;       /* samples a split at most, 0: all */
    enum policy missing, broken, unlabelled;
    struct mark mark;
};

struct head_spec {
    uint32_t classes, bits; /* classes 0 and bits 0: the data's classes */
    bool reuse;
    struct mark mark;
};

struct weights_spec {
    const char *file;   /* absolute */
    const char *key;    /* NULL: as found */
    const char *prefix; /* NULL: well-known ones are looked through */
    const struct name_change *rename;
    size_t rename_count;
};

struct rule_spec {
    const char *layers; /* pattern; "*" for all */
    struct choice choice;
    struct mark mark;
};

struct optimizer_spec {
    uint32_t kind; /* BIOFT_ADAM or BIOFT_SGD */
    double lr, head_lr, loss_lr;
    double beta1, beta2, eps, weight_decay, momentum;
};

enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE };
struct schedule_spec {
    enum schedule_kind kind;
    uint64_t every; /* epochs */
    double gamma;
};

struct stage_spec {
    const char *name;
    const struct dataset_spec *dataset; /* the stage's own or the trial's */
    const struct head_spec *head;       /* NULL: carried over from before */
    const struct weights_spec *weights; /* what it begins with, or NULL */
    struct rule_spec *rules;
    size_t rule_count;
    bool rules_listed;     /* written as `rules`, not as `rule` */
    const char *rule_name; /* for results: names joined by "+" */
    struct choice loss;
    struct optimizer_spec optimizer;
    struct schedule_spec schedule;
    double epochs;  /* may be a fraction (steps = ceil); 0 where `steps` is given */
    uint64_t steps; /* 0 where epochs is given; both 0: no training */
    uint32_t batch_size, accumulate;
    const char *const *freeze; /* patterns of parameters */
    size_t freeze_count;
    bool batchnorm_frozen, shuffle, select_by_val;
    uint64_t alignment;         /* log it every so many steps, 0: the first step only */
    uint64_t log_every;         /* log loss and accuracy of every so many steps' batches; 0: none */
    uint64_t checkpoint_epochs; /* a checkpoint every so many epochs; 0: at the end only */
    struct mark mark;
};

/* Whose gradient an attack follows: the rule's backward pass; true derivatives; those with stand-ins where they vanish or
 * are not defined (BPDA: Athalye, Carlini and Wagner 2018); an estimate by differences of the outputs. */
enum gradient_kind { GRADIENT_RULE = 1, GRADIENT_EXACT, GRADIENT_STRAIGHT_THROUGH, GRADIENT_SMOOTHED };
enum { GRADIENT_KINDS = 4 };
/* "rule", "exact", "straight_through", "smoothed": as manifests and results.csv have it. */
const char *gradient_word(enum gradient_kind gradient);
/* How `smoothed` estimates: images asked for each gradient, half on either side; standard deviation in pixels. */
struct smoothing {
    uint32_t samples;
    double sigma;
};
enum target_kind { TARGET_NONE, TARGET_RANDOM, TARGET_LEAST_LIKELY, TARGET_CLASS };
/* One attack of the grid of its own options: an entry of the manifest with lists makes several of these. */
/* Which trial's network an attack's images are made on, as the manifest has it: swept paths and their values. */
struct from_spec {
    const char **keys;
    const struct yaml **values;
    size_t count;
    const char *text; /* "rule:bp" */
    struct mark mark;
};

struct attack_spec {
    const char *name;    /* the entry's name: the plugin's by default */
    const char *options; /* "steps=5;restarts=1": the values of grids, "" without */
    struct choice choice;
    uint32_t norm;         /* of the ball, with these options */
    const double *epsilon; /* ascending order is the manifest's: kept as written */
    size_t epsilon_count;
    enum gradient_kind gradients[GRADIENT_KINDS];
    size_t gradient_count;
    struct smoothing smoothing; /* zero where no gradient is smoothed */
    uint64_t samples;           /* 0: all */
    const char *split;
    bool predicted_labels;
    enum target_kind target;
    uint32_t target_class;
    uint32_t restarts, batch_size; /* batch_size 0: the core's choice */
    uint32_t eot;                  /* draws of a random V in each backward pass; 0: the network's own */
    bool rescale_logits;           /* outputs divided by the clean image's margin, where that is above 1 */
    const struct from_spec *from;  /* NULL: the trial's own network */
    const struct trial *surrogate; /* the trial that `from` names, which may be this one; NULL: none */
    bool survivors;                /* leave out what earlier attacks of the same ball broke */
    uint64_t dump;
    char key[SHA256_HEX]; /* of all that decides a figure but epsilon and gradient */
    struct mark mark;
};

struct swept { /* one path of the sweep and this trial's value */
    const char *path, *value;
};

struct trial {
    uint32_t number; /* from 0, in the manifest's order */
    const char *id;  /* "03-rule=usf,seed=2" */
    struct swept *swept;
    size_t swept_count;
    uint64_t seed;
    const struct plugin *engine; /* NULL: auto */
    struct option_value *engine_values;
    uint32_t precision;       /* BIOFT_F32, BIOFT_BF16 */
    uint32_t threads;         /* resolved */
    bool tensorboard, mlflow; /* `log`: what else metrics are written as */
    const struct dataset_spec *dataset;
    struct choice backbone;
    const struct weights_spec *weights; /* what it begins with, or NULL */
    struct head_spec head;
    struct stage_spec *stages;
    size_t stage_count;
    struct attack_spec *attacks;
    size_t attack_count;
    const uint64_t *k; /* how much of a ranking counts; none where no head has bits */
    size_t k_count;
    /* Of all that decides a stage's result: manifest keys of this stage and the ones before it, seed, precision. The
     * caller adds what the files and the engine say. [stage_count] */
    char (*stage_key)[SHA256_HEX];
    char base_key[SHA256_HEX]; /* of all that decides the trial's results but the attacks */
    char key[SHA256_HEX];      /* the attacks too */
    const char *resolved;      /* this trial as YAML, every default filled in */
    struct settings settings;  /* the same as a list */
    /* Those that decide results, with versions of plugins, but for the seed and for places of files: what the files
     * hold is for the caller to add. */
    struct settings deciding;
    const char **varied; /* [varied_count] of the experiment: its values; "": none */
    /* `search`: the trial with each of the values to choose from, of which it is the first until one is chosen. All have its
     * number and id. [candidate_count]; 0: nothing is searched. */
    struct trial *candidates;
    size_t candidate_count;
    struct swept *searched; /* the values here of what is searched; [searched_count] */
    size_t searched_count;
};

struct experiment {
    const char *name, *output; /* output: absolute; --out where it was given */
    const char *folder;        /* what the manifest's paths are relative to; absolute */
    struct trial *trials;
    size_t trial_count;
    const char *const *sweep_paths;
    size_t sweep_count;
    struct mark search_mark;   /* of `search`, where there is one */
    const char *const *varied; /* paths of resolved keys in which the trials differ, but the seed */
    size_t varied_count;
    const char *resolved;      /* the manifest as resolved: OUT/manifest.yaml */
    char key[SHA256_HEX];      /* of what may change the results' bytes */
    struct registry *registry; /* with the manifest's `plugins:` */
    struct arena *arena;       /* holds all of it but the registry */
};

struct experiment_params {
    const char *path;       /* of the manifest */
    const char *const *set; /* "path=value" of --set, in order */
    size_t set_count;
    const char *out;                 /* --out, or NULL */
    const char *folder;              /* replaces the manifest's `folder`; NULL: it does not */
    uint32_t threads;                /* the default where the manifest names none */
    const char *const *plugin_paths; /* --plugin-path */
    size_t plugin_path_count;
    bool trust_plugins; /* --trust-plugins: the manifest's own are opened wherever they are */
    const struct log *log;
};
/* Reads, expands and checks. BIOFT_ERR_INVALID: the manifest, --set or a place of plugins is wrong; *ret_text
 * (free()) has every diagnostic, err their number. On success *ret_text has the warnings, or is NULL. On other
 * failures it is NULL, and err says what is not the manifest's fault. */
bioft_status experiment_read(const struct experiment_params *p, struct experiment **ret, char **ret_text,
                             struct error *err);
void experiment_destroy(struct experiment *e); /* NULL is fine */

/* What the network's outputs are at a stage (stage_count and more: after the last one): the head named last so far. One
 * that only says `reuse` is the one before it. */
const struct head_spec *trial_head(const struct trial *t, size_t stage);

#endif
