/* What a registry is. Only for registry*.c. */
#ifndef PLUGIN_REGISTRY_PRIVATE_H
#define PLUGIN_REGISTRY_PRIVATE_H

#include "plugin/places.h"

struct registry {
    struct places places;
    const struct log *log;
    struct plugin **loaded; /* in the order of loading; living as long as it */
    size_t loaded_count, loaded_capacity;
};

/* registry_files, or only those in places that the user names. */
bioft_status registry_gather(const struct registry *r, bool explicit_only, struct registry_file **ret,
                             size_t *ret_count, struct error *err);

#endif
