/* Reading a tree into specs: single values, plugins with their options, and the manifest's sections. Whatever is
 * wrong is reported and reading goes on with a default, so that all mistakes come at once. */
#ifndef MANIFEST_READ_H
#define MANIFEST_READ_H

#include "manifest/experiment.h"

struct reader {
    struct arena *arena; /* of the experiment */
    struct diagnostics *d;
    struct registry *registry;
    const char *folder;         /* what paths in the manifest are relative to; absolute */
    const char *working_folder; /* what those in --set are relative to; absolute */
    const bool *set_sweeps;     /* of each --set: it changes the sweep */
    uint32_t threads;           /* where the manifest names none */
    bool failed;                /* memory ran out */
};

/* Memory of the experiment; NULL: none is left, and the reader has failed. */
void *read_array(struct reader *r, size_t count, size_t size);
const char *read_copy(struct reader *r, const char *text);

/* A member, which counts as known then; NULL where it is missing or null. */
struct yaml *read_member(struct yaml *map, const char *key);
void read_error(struct reader *r, const struct yaml *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "'x'", "a list", "a map", "null", "the text 'x'": what stands there, for a message. */
enum { READ_FOUND = TEXT_ESCAPED + 16 };
const char *read_found(char ret[READ_FOUND], const struct yaml *node);
/* Is it a map? `what` in the error: "a map such as {..} expected for 'head', found 'x'". */
bool read_is_map(struct reader *r, const struct yaml *node, const char *what, const char *example);
/* One scalar, whether quoted or not; NULL where it is none, which is reported against `expected`. */
const char *read_scalar(struct reader *r, const struct yaml *node, const char *key, const char *expected);

/* Where a key is missing or wrong the answer is `otherwise`. */
struct range {
    double low, high;
    bool above, below; /* low, high themselves are outside */
};
double read_number_node(struct reader *r, const struct yaml *node, const char *key, const struct range *range,
                        bool fraction, double otherwise);
double read_number(struct reader *r, struct yaml *map, const char *key, const struct range *range, double otherwise);
int64_t read_integer_node(struct reader *r, const struct yaml *node, const char *key, int64_t low, int64_t high,
                          int64_t otherwise);
int64_t read_integer(struct reader *r, struct yaml *map, const char *key, int64_t low, int64_t high, int64_t otherwise);
bool read_bool(struct reader *r, struct yaml *map, const char *key, bool otherwise);
/* Index of one of `words`, which NULL ends. */
size_t read_word_node(struct reader *r, const struct yaml *node, const char *key, const char *const *words,
                      size_t otherwise);
size_t read_word(struct reader *r, struct yaml *map, const char *key, const char *const *words, size_t otherwise);
/* A text, or NULL. */
const char *read_text(struct reader *r, struct yaml *map, const char *key);
/* A name that can stand in a file's name: letters, digits, '_', '-' and, where `dots`, '.'; NULL otherwise. */
const char *read_name_node(struct reader *r, const struct yaml *node, const char *key, bool dots);
/* The absolute path of something that must be there; NULL otherwise. */
const char *read_path_node(struct reader *r, const struct yaml *node, const char *key);
/* The same without looking at the disk. */
const char *read_absolute(struct reader *r, const struct yaml *node, const char *key);

/* Reports every item of a list whose value, one of `values`, an earlier one has; false where there is one. Integers are
 * signed or not, of 64 bits; values are struct option_value with a number or an integer. */
bool read_once(struct reader *r, const struct yaml *list, const char *key, const void *values, size_t size,
               int (*compare)(const void *a, const void *b));
int read_compare_integers(const void *a, const void *b);
int read_compare_numbers(const void *a, const void *b);
int read_compare_values(const void *a, const void *b);

/* Reports members that nobody asked for. keys: those there are, NULL at the end; plugin: whose options are keys too,
 * or NULL. where: "in a stage". */
void read_unknown(struct reader *r, const struct yaml *map, const char *where, const char *const *keys,
                  const struct plugin *plugin);

/* An option that is a list where it takes one number: a grid, one value an attack. */
struct grid {
    const char *name;
    size_t option; /* index in the plugin's table; GRID_FROM, GRID_RESTARTS */
    size_t count;
    struct option_value *values;   /* [count], but of GRID_FROM */
    const struct from_spec **from; /* [count] of GRID_FROM */
};
#define GRID_FROM     (SIZE_MAX - 1)
#define GRID_RESTARTS SIZE_MAX
struct grids {
    struct grid *items;
    size_t count;
};

/* A plugin: its name alone, or a map with `plugin`, the section's own `keys` (NULL at the end; read elsewhere) and
 * options; what is neither is reported. grids: numbers may be lists; NULL: not here. false: no such plugin, or one
 * that cannot be used, or a wrong option; reported. */
bool read_choice(struct reader *r, struct yaml *node, uint32_t kind, const char *const *keys, struct choice *ret,
                 struct grids *grids);
/* By name; mark and width of the place that asks for it. */
const struct plugin *read_plugin(struct reader *r, uint32_t kind, const char *name, const struct yaml *place);
/* One option's value from its node. */
bool read_option(struct reader *r, const struct plugin *plugin, size_t index, const struct yaml *node,
                 struct option_value *ret);

/* An entry of `attacks:` and the attacks that its grids make of it. */
struct attack_entry {
    struct attack_spec *specs; /* [count] within the trial's */
    size_t count;
    struct grids grids;
};
/* A trial with what only its text needs. */
struct reading {
    struct trial *trial;
    bool own_dataset;                 /* `dataset:` at the top is given */
    uint32_t threads, engine_threads; /* `threads:` at the top; of the engine alone, 0: not given */
    struct attack_entry *entries;
    size_t entry_count;
};

void read_dataset(struct reader *r, struct yaml *node, struct dataset_spec *ret);
void read_engine(struct reader *r, struct yaml *root, struct reading *ret);
void read_model(struct reader *r, struct yaml *root, struct trial *ret);
/* The key `weights`, or NULL. */
const struct weights_spec *read_weights(struct reader *r, struct yaml *map);
void read_head(struct reader *r, struct yaml *node, struct head_spec *ret);
void read_optimizer(struct reader *r, struct yaml *stage, struct optimizer_spec *ret);
void read_schedule(struct reader *r, struct yaml *stage, struct schedule_spec *ret);
void read_stages(struct reader *r, struct yaml *root, struct trial *ret);
void read_attacks(struct reader *r, struct yaml *root, struct reading *ret);
/* The key `from` of an attack, after its plugin and gradients. */
/* The key `gradient`: the kinds, and how a smoothed one is estimated. */
void read_gradient(struct reader *r, struct yaml *entry, struct attack_spec *ret);
void read_from(struct reader *r, struct yaml *entry, const struct trial *t, struct grids *grids,
               struct attack_spec *ret);
/* After the heads. */
void read_retrieval(struct reader *r, struct yaml *root, struct trial *ret);
/* Everything that a trial is. */
void read_trial(struct reader *r, struct yaml *root, struct reading *ret);

/* The norm of an attack's ball with these options; 0 where it cannot be had, which is reported. */
uint32_t read_norm(struct reader *r, const struct yaml *node, const struct choice *choice);

#endif
