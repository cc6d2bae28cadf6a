/* Command-line arguments by a table: parsing, --help, and completion come from the same rows. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum argument_kind { ARGUMENT_FLAG, ARGUMENT_TEXT, ARGUMENT_LIST, ARGUMENT_COUNT };

struct argument_list { /* an option that may be given several times */
    const char *items[64];
    size_t count;
};
struct argument {
    const char *name;  /* without the two dashes; NULL ends the table */
    const char *value; /* what stands after it in the help: "DIR"; NULL for flags */
    enum argument_kind kind;
    void *target; /* bool, const char *, struct argument_list, uint32_t (1 and more) */
    const char *help;
};
/* Of --trust-plugins, wherever a manifest is read. */
#define TRUST_HELP "open the plugins that the manifest names, which run with your rights"

struct command_line {
    const char *name;  /* "run" */
    const char *usage; /* "MANIFEST [options]" */
    const char *summary;
    const struct argument *arguments;
    size_t positional_min, positional_max;
    const char *positional[8];
    size_t positional_count;
};
/* argv[0] is the command's word. -1: go on; otherwise the exit status (0 after --help, 2 after wrong usage, which has
 * been printed to standard error with the nearest option). */
int arguments_parse(struct command_line *c, int argc, char **argv);

#endif
