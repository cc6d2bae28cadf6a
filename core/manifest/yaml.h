/* YAML as a tree in which every key and value knows its place. Built from libyaml's events, without recursion. */
#ifndef MANIFEST_YAML_H
#define MANIFEST_YAML_H

#include "base/error.h"
#include "base/memory.h"
#include <stdbool.h>

struct mark {
    uint32_t line, column; /* from 1; column counts characters; 0: no place in the file */
    uint32_t source;       /* 0: the manifest; n: the n-th --set, from 1 */
};
enum yaml_type { YAML_SCALAR, YAML_LIST, YAML_MAP };
struct yaml {
    enum yaml_type type;
    struct mark mark; /* of an alias: where the alias stands */
    uint32_t width;   /* characters to underline there */
    const char *text; /* SCALAR */
    size_t length;
    bool quoted; /* SCALAR: '...' or "...": never a number, true or null */
    size_t count;
    struct yaml **items; /* LIST and MAP */
    struct yaml **keys;  /* MAP: scalars, each once */
    bool used;           /* MAP member: the reader took it (unknown keys are what is left) */
};

/* A source and its lines, for carets. */
struct source {
    const char *path; /* as the user gave it */
    const char *bytes;
    size_t size;
};

struct diagnostics; /* diagnose.h */
/* Limits of a manifest; what aliases repeat counts. */
enum { YAML_BYTES = 1 << 20, YAML_DEPTH = 64, YAML_NODES = 200000, YAML_ANCHORS = 1000 };
/* One document. Faults of syntax and limits end it with BIOFT_ERR_INVALID (one is reported); duplicate keys, `<<`,
 * cycles and the like are all reported, and give BIOFT_OK with what is left: d->errors tells. */
bioft_status yaml_parse(const struct source *source, struct arena *arena, struct diagnostics *d, struct yaml **ret);
/* The same for the rest of a source from `offset`, which lies at `start`. Nothing there is null. */
bioft_status yaml_parse_at(const struct source *source, size_t offset, struct mark start, struct arena *arena,
                           struct diagnostics *d, struct yaml **ret);
struct yaml *yaml_get(const struct yaml *map, const char *key);       /* NULL: none, or no map */
struct yaml *yaml_copy(const struct yaml *node, struct arena *arena); /* deep */
bool yaml_is_null(const struct yaml *node);

#endif
