/* Trees of YAML: building, comparing and writing them. */
#ifndef MANIFEST_TREE_H
#define MANIFEST_TREE_H

#include "base/text.h"
#include "manifest/yaml.h"

/* Room for `count` children. Every array of a tree is made here: its room is the next power of two, so that one more
 * child needs a new array only where the count is one. */
struct yaml **tree_array(struct arena *arena, size_t count);
/* NULL: out of memory, here and below. */
struct yaml *tree_node(struct arena *arena, enum yaml_type type, struct mark mark, uint32_t width);
struct yaml *tree_scalar(struct arena *arena, const char *text, struct mark mark, uint32_t width);
/* A deep copy in which everything stands at `at`; NULL: where it stood. */
struct yaml *tree_copy(const struct yaml *node, struct arena *arena, const struct yaml *at);
bool tree_append(struct arena *arena, struct yaml *list, struct yaml *item);
/* Adds or replaces a member; where it is replaced its first key stays. false: out of memory. */
bool tree_put(struct arena *arena, struct yaml *map, struct yaml *key, struct yaml *value);
void tree_remove(struct yaml *map, size_t index);
/* Index of a key, or the count. */
size_t tree_find(const struct yaml *map, const char *key);
/* The same types and texts; keys in the same order. */
bool tree_equal(const struct yaml *a, const struct yaml *b);

/* A document in block style, the same for equal trees; lists without maps stand on one line. */
void tree_write(const struct yaml *node, struct text *ret);
/* The lines that an item of a list which stands `depth` deep adds to its end. */
void tree_write_item(const struct yaml *item, size_t depth, struct text *ret);
/* On one line: {plugin: x, n: 3}. */
void tree_write_line(const struct yaml *node, struct text *ret);

#endif
