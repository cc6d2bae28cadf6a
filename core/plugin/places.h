/* The places where plugins are looked for, in their order. Only for the registry. */
#ifndef PLUGIN_PLACES_H
#define PLUGIN_PLACES_H

#include "plugin/registry.h"

enum place_source { PLACE_COMMAND_LINE, PLACE_MANIFEST, PLACE_ENVIRONMENT, PLACE_BUILD, PLACE_INSTALLED, PLACE_USER };
struct place {
    char *path; /* absolute */
    enum place_source source;
    bool is_file, exists; /* only an implicit place may be missing */
    bool named_too;       /* of the manifest: by the user or an installation as well */
};
struct places {
    struct place *items;
    size_t count, capacity;
};

/* All of them, each once. Places named by the user must exist. */
bioft_status places_collect(const struct registry_places *p, const struct log *log, struct places *ret,
                            struct error *err);
void places_free(struct places *places);

bool place_is_explicit(const struct place *place);
/* The file KIND/NAME.so in a place that is a folder, KIND/NAME/NAME.so, where a build tree may have it, or, in a folder
 * that the user names, NAME.so. *ret NULL: not here. Freed with free(). */
bioft_status place_find(const struct place *place, uint32_t kind, const char *name, char **ret, struct error *err);
/* The names of a kind in a place that is a folder, sorted. Freed with registry_names_free. */
bioft_status place_names(const struct place *place, uint32_t kind, char ***ret, size_t *ret_count, struct error *err);
/* "--plugin-path", "the build tree", ... */
const char *place_source_word(enum place_source source);

#endif
