/* Opens a plugin's file in a child process, so that a file that crashes or hangs takes nothing else with it. */
#ifndef CLI_PLUGIN_CHILD_H
#define CLI_PLUGIN_CHILD_H

#include "formats/json.h"

/* What a child says of a file: either a fault, lines "PATH: reason", or its plugins, each an object of "text", which is
 * what plugin_show says, "json", the text of plugin_show_json, and "plugin", that read. */
struct description {
    const char *fault;
    const struct json *plugins;
};
/* kind 0: whatever it holds. The result lives in the arena; err is for what is not the file's fault. */
bioft_status describe_file(const char *path, uint32_t kind, struct arena *arena, struct description *ret,
                           struct error *err);

/* The child's side: `plugin __describe FILE KIND`. Does not return. */
_Noreturn void describe_in_child(const char *path, const char *kind);

#endif
