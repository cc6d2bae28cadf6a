/* From a kind and a name to a checked plugin: where plugins are looked for, in order, and what was loaded. */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include "base/error.h"
#include "base/log.h"
#include "base/sha256.h"
#include "plugin/kind.h"
#include <bioft/attack.h>
#include <bioft/backbone.h>
#include <bioft/dataset.h>
#include <bioft/engine.h>
#include <bioft/loss.h>
#include <bioft/rule.h>
#include <stdbool.h>

/* A descriptor that the rest of core may trust: adopted by copy, complete, its strings and options checked. */
struct plugin {
    bioft_plugin descriptor; /* `options` is our own array, vtable is `api` */
    union {
        bioft_rule rule;
        bioft_backbone backbone;
        bioft_dataset dataset;
        bioft_attack attack;
        bioft_loss loss;
        bioft_engine engine;
    } api;
    char *path;          /* absolute, of the file */
    bool explicit_place; /* named by the user: command line, manifest, environment */
};

/* Where to look. Strings are copied; folders and files alike; relative ones are made absolute. */
struct registry_places {
    const char *const *command_line; /* --plugin-path, in order */
    size_t command_line_count;
    const char *const *manifest; /* `plugins:`, already absolute */
    size_t manifest_count;
    bool trust_manifest; /* else `plugins:` counts only below what the user named or installed */
    bool environment;    /* BIOFT_PLUGIN_PATH, a colon list, by secure_getenv */
    bool implicit;       /* the build tree, the installed folder, the user's folder */
    bool unopened;       /* files named as places stay closed: for `plugin list` and `show` */
};
struct registry;
/* Opens nothing but the files that places name as files. An empty component, a place that does not exist, two
 * explicit files of one KIND/NAME: errors. */
bioft_status registry_create(const struct registry_places *places, const struct log *log, struct registry **ret,
                             struct error *err);
void registry_destroy(struct registry *r); /* NULL is fine; accepted files stay loaded */

/* The plugin, loaded at first use and remembered. BIOFT_ERR_INVALID with the places in order and the nearest names
 * where there is none; BIOFT_ERR_FORMAT with one line a fault where its file is refused. */
bioft_status registry_find(struct registry *r, uint32_t kind, const char *name, const struct plugin **ret,
                           struct error *err);
/* The file that registry_find would open, without opening it. Freed with free(). */
bioft_status registry_locate(struct registry *r, uint32_t kind, const char *name, char **ret_path, struct error *err);
/* The names of a kind that could be found, sorted, without opening files (files named as places excepted). Freed with
 * registry_names_free. */
bioft_status registry_names(struct registry *r, uint32_t kind, char ***ret, size_t *ret_count, struct error *err);
void registry_names_free(char **names, size_t count);
/* Every file found, sorted by kind, name and place: for `plugin list`. */
struct registry_file {
    uint32_t kind;       /* 0: a file named as a place, not opened */
    char *name, *path;   /* name: the plugin's, or the file's without ".so" */
    bool overridden;     /* an earlier place has the same KIND/NAME */
    bool explicit_place; /* named by the user */
};
bioft_status registry_files(struct registry *r, struct registry_file **ret, size_t *ret_count, struct error *err);
void registry_files_free(struct registry_file *files, size_t count);
/* What the build left out among the plugins of a kind and no place has: a note says why, and what would bring it. */
struct registry_absence {
    char *name, *why;
};
bioft_status registry_absences(struct registry *r, uint32_t kind, struct registry_absence **ret, size_t *ret_count,
                               struct error *err);
void registry_absences_free(struct registry_absence *list, size_t count); /* NULL is fine */
/* A file that a kind's plugin of this name has beside it: NAME and `ending`. *ret NULL: none. Freed with free(). There need
 * not be such a plugin. */
bioft_status registry_beside(const struct registry *r, uint32_t kind, const char *name, const char *ending, char **ret,
                             struct error *err);
/* The names that have one, sorted. Freed with registry_names_free. */
bioft_status registry_beside_names(const struct registry *r, uint32_t kind, const char *ending, char ***ret,
                                   size_t *ret_count, struct error *err);
/* Every plugin loaded so far, for provenance. */
const struct plugin *const *registry_loaded(const struct registry *r, size_t *ret_count);

#endif
