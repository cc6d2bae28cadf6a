/* One test of one plugin, in a process of its own. */
#ifndef CLI_PLUGIN_TEST_H
#define CLI_PLUGIN_TEST_H

#include "conform/conform.h"
#include "formats/json.h"

struct conform_request {
    const char *path; /* absolute, of the plugin's file */
    size_t index;     /* of the plugin in it */
    const char *test;
    const char *seed, *root;   /* root NULL: none */
    const char *const *places; /* --plugin-path */
    size_t place_count;
    const char *const *sets; /* OPTION=VALUE */
    size_t set_count;
    uint32_t patience; /* seconds */
};
struct test_result {
    const char *skipped; /* why, or NULL */
    struct conform_finding *findings;
    size_t count, capacity;
};
/* A crash, a hang, an exit and a print are findings. What is in the result lives in the arena; err is for what is not
 * the plugin's fault. */
bioft_status test_in_child(const struct conform_request *q, struct arena *arena, struct test_result *ret,
                           struct error *err);
/* The same in this process, for a debugger. */
bioft_status test_here(const struct conform_request *q, struct arena *arena, struct test_result *ret,
                       struct error *err);
void add_finding(struct test_result *r, struct arena *arena, const struct conform_finding *f);

/* The child's side: `plugin __conform ...`. Does not return. */
_Noreturn void conform_in_child(int argc, char **argv);

/* `plugin test FILE`. */
struct test_command {
    const char *file, *test, *root;
    bool json, here;
    uint32_t seed, patience;
    const char *const *places;
    size_t place_count;
    const char *const *sets;
    size_t set_count;
};
struct console;
int plugin_test(const struct test_command *t, struct console *console);

#endif
