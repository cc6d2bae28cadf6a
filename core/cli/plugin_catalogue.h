/* Every plugin that can be found, each file opened in a child process. */
#ifndef CLI_PLUGIN_CATALOGUE_H
#define CLI_PLUGIN_CATALOGUE_H

#include "cli/plugin_child.h"
#include "plugin/registry.h"

struct catalogue_row {
    uint32_t kind; /* 0: a file named as a place, and refused */
    const char *name, *path;
    const char *fault;         /* why its file is refused, on one line; or NULL */
    const struct json *plugin; /* what plugin_show_json says; NULL where there is a fault */
    const char *text, *json;   /* what plugin_show says, and plugin_show_json as text */
    bool overridden, explicit_place;
};
struct catalogue {
    struct catalogue_row *rows; /* by kind and name, then in the order of the places */
    size_t count;
};

/* Of all files, or of those of one kind, or of those that may hold a plugin of this name. All in the arena. */
bioft_status catalogue_read(struct registry *r, uint32_t kind, const char *name, struct arena *arena,
                            struct catalogue *ret, struct error *err);
void catalogue_text(const struct catalogue *c, struct text *ret);
void catalogue_json(const struct catalogue *c, struct text *ret);
void catalogue_markdown(const struct catalogue *c, struct text *ret);

#endif
