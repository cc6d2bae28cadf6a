/* What a dataset's plugin says of itself when it is opened: splits, classes, notes. */
#ifndef DATA_DESCRIBE_H
#define DATA_DESCRIBE_H

#include "base/memory.h"
#include "plugin/instance.h"

enum { MAX_SPLITS = 4 };

struct description { /* its strings and arrays live in the arena it was given */
    struct {
        const char *name;
        uint64_t count;
    } splits[MAX_SPLITS]; /* in the plugin's order: its numbers */
    size_t split_count;
    const char **class_names;
    size_t class_count;
    const char **notes;
    size_t note_count;
    bool multi_label;
};
/* has_root: the manifest names one; without, the error says what belongs there. */
bioft_status describe(struct instance *instance, bool has_root, struct arena *arena, struct description *ret,
                      struct error *err);

#endif
