/* A resolved tree as a list: every value with its path, as --set writes it. */
#ifndef MANIFEST_SETTINGS_H
#define MANIFEST_SETTINGS_H

#include "base/memory.h"
#include "manifest/yaml.h"

struct keyed_value {
    const char *path, *value; /* stages.fine-tune.optimizer.lr, 0.0001 */
};
struct settings {
    struct keyed_value *items;
    size_t count, room;
};
/* Entries of a list go by their name or their number; other lists stand on one line; an empty value is
 * left out. All in the arena. false: out of memory. */
bool settings_read(const struct yaml *root, struct arena *arena, struct settings *ret);
/* NULL: no such path. hint: where it is likely to be. */
const char *settings_find(const struct settings *s, const char *path, size_t hint);

#endif
