/* The canonical text of what was read: every default filled in, one way to write each thing, read back to the same
 * trial; and the keys, sums over the part of it that decides results. */
#ifndef MANIFEST_RESOLVE_H
#define MANIFEST_RESOLVE_H

#include "manifest/read.h"
#include "manifest/tree.h"

/* What all trials share. */
struct resolve_common {
    const char *name, *folder, *output; /* folder, output: absolute */
    const char *baseline;               /* NULL: not given */
    const char *const *plugins;         /* absolute */
    size_t plugin_count;
};

struct resolver {
    struct arena *arena;
    const char *folder; /* paths within it are written relative to it */
    bool key;           /* for a key: with versions, without what changes no result */
    bool identity;      /* with `key`: without the seed and places of files */
    bool failed;        /* memory ran out */
};
/* A trial without sweep. NULL: out of memory. */
struct yaml *resolve_trial(struct resolver *b, const struct resolve_common *common, const struct reading *reading);
/* stage_key and key of the trial, which has room for them. */
void resolve_keys(struct resolver *b, const struct reading *reading);
/* What decides a trial's results, whatever the seed. NULL: out of memory. */
struct yaml *resolve_identity(struct resolver *b, const struct reading *reading);
/* Leaves of `into` what `other` has too: the part that trials share, with derived defaults that differ left out. */
void resolve_merge(struct yaml *into, const struct yaml *other);
/* Takes out maps and lists that a merge left without meaning. */
void resolve_prune(struct yaml *node);

/* Trees built with a failure that sticks (build.c). */
struct yaml *build_map(struct resolver *b);
struct yaml *build_list(struct resolver *b);
void build_put(struct resolver *b, struct yaml *map, const char *key, struct yaml *value);
void build_append(struct resolver *b, struct yaml *list, struct yaml *item);
struct yaml *build_text(struct resolver *b, const char *text);
struct yaml *build_number(struct resolver *b, double value);
struct yaml *build_integer(struct resolver *b, int64_t value);
struct yaml *build_bool(struct resolver *b, bool value);
/* The attacks before s, each by its key with its epsilons and gradients. */
struct yaml *build_before(struct resolver *b, const struct trial *t, const struct attack_spec *s);
/* A word, or {smoothed: {samples: 100, sigma: 0.01}}. */
struct yaml *build_gradient(struct resolver *b, const struct attack_spec *s, enum gradient_kind kind);
struct yaml *build_path(struct resolver *b, const char *absolute);
/* {plugin: NAME, option: value, ...}; with its version for a key. grids: options that are lists, or NULL. */
struct yaml *build_plugin(struct resolver *b, const struct plugin *plugin, const struct option_value *values,
                          const struct grids *grids);

#endif
