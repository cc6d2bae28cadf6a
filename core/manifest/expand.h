/* From one manifest to its trials: --set changes the tree, `sweep` makes a tree of each combination of values. */
#ifndef MANIFEST_EXPAND_H
#define MANIFEST_EXPAND_H

#include "manifest/experiment.h"
#include "manifest/path.h"

enum { SWEEP_TRIALS = 20000 };

/* The sources of --set, for marks and paths; [count]. false: out of memory. */
struct sets {
    struct source *sources;
    bool *sweeps; /* it changes the sweep */
    size_t count;
};
bool sets_open(const char *const *texts, size_t count, struct arena *arena, struct sets *ret);
/* Puts them into the tree, in order. false: out of memory; what is wrong is reported. */
bool sets_apply(const struct sets *sets, struct yaml *root, struct arena *arena, struct diagnostics *d);

struct sweep {
    const char *section; /* "sweep" or "search" */
    struct mark mark;    /* of it */
    size_t count;        /* of paths */
    struct path *paths;
    struct yaml **lists; /* of values */
    const char **labels; /* the path's last components, enough of them to tell it apart */
    size_t *axis;        /* of each path: zipped paths have one together */
    size_t axes;
    size_t *lengths; /* of each axis, the last one fastest */
    bool *zipped;
    size_t combinations, trials;
    const size_t *numbers;    /* each trial's combination; NULL: all are trials */
    const struct yaml *skips; /* the list of skip_if, or NULL */
};
/* Takes the section, `sweep` or `search`, out of the tree; values stay where they are, paths are copied. false: out of memory. */
bool sweep_open(struct yaml *root, const char *section, struct arena *arena, struct diagnostics *d, struct sweep *ret);
/* Reports what cannot be searched beside this sweep: paths that it has, and keys that change what is measured. */
void search_check(const struct sweep *search, const struct sweep *sweep, struct diagnostics *d);
/* The value of path `index` in a trial. */
const struct yaml *sweep_value(const struct sweep *sweep, size_t index, size_t number);
/* The trial that differs from trial `number` in these paths' values alone, with whatever is zipped with them. Paths go by
 * their labels too. false: there is none; *ret_unknown: the first key that is no path of the sweep, else
 * their number. */
struct sweep_point {
    const char *const *keys;
    const struct yaml *const *values;
    size_t count;
};
bool sweep_find(const struct sweep *sweep, size_t number, const struct sweep_point *point, size_t *ret,
                size_t *ret_unknown);
/* Puts trial `number`'s values into its own copy of the tree. false: out of memory. */
bool sweep_apply(const struct sweep *sweep, size_t number, const struct sets *sets, struct yaml *root,
                 struct arena *arena, struct diagnostics *d);
/* id, swept and swept_count of a trial. false: out of memory. */
bool sweep_name(const struct sweep *sweep, size_t number, struct arena *arena, struct trial *ret);
/* The section as it is written again. NULL: out of memory. */
struct yaml *sweep_node(const struct sweep *sweep, struct arena *arena);

#endif
