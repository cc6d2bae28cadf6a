/* `bioft completion SHELL`: the script that completes command lines, embedded by the build. */
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/print.h"

#include "completion_files.inc"
#include <stdio.h>
#include <string.h>

int command_completion(int argc, char **argv)
{
    const struct argument none[] = { { NULL, NULL, ARGUMENT_FLAG, NULL, NULL } };
    struct command_line line = {
        .name = "completion",
        .usage = "bash | zsh | fish",
        .arguments = none,
        .positional_min = 1,
        .positional_max = 1,
        .summary =
            "Prints the script that completes commands, options, names of plugins and paths of --set in this shell:\n"
            ". <(bioft completion bash).",
    };
    char name[64];
    const int status = arguments_parse(&line, argc, argv);

    if (status >= 0)
        return status;
    snprintf(name, sizeof name, "completion.%s", line.positional[0]);
    for (size_t i = 0; i < sizeof embedded_files / sizeof *embedded_files; i++)
        if (strcmp(embedded_files[i].name, name) == 0) {
            print("%s", embedded_files[i].text);
            return 0;
        }
    print_error("bioft completion: unknown shell '%s'; use bash, zsh or fish\n", line.positional[0]);
    return 2;
}
