/* bioft: the command line. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/print.h"
#include "results/provenance.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *help;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "run", "train, evaluate and attack what a manifest describes", command_run },
    { "status", "say what a run is doing, from another terminal", command_status },
    { "report", "tables, plots and a page from the results of runs", command_report },
    { "verify", "recompute every figure of a run from its checkpoints and predictions", command_verify },
    { "check", "validate a manifest; print its trials and what they will take", command_check },
    { "plugin", "list and show plugins", command_plugin },
    { "map", "mean average precision of hash codes in .npy files", command_map },
    { "predict", "a network's outputs for an array or a folder of images", command_predict },
    { "fetch", "download published data and weights, checked by SHA-256", command_fetch },
    { "weights", "show and convert files of weights", command_weights },
    { "bench", "measure images per second", command_bench },
    { "schema", "a JSON Schema of the manifest, for editors", command_schema },
    { "completion", "a script that completes command lines in a shell", command_completion },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(FILE *to)
{
    print_to(to,
             "usage: bioft COMMAND [arguments]\n\n"
             "Fine-tunes networks with bio-plausible learning rules and measures what that does to accuracy and to\n"
             "robustness against adversarial attacks. Experiments are described in a YAML manifest.\n\ncommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        print_to(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    print_to(
        to,
        "\n'bioft COMMAND --help' describes a command, 'man bioft' all of them; 'bioft --version' prints the version.\n");
}

/* `bioft __complete WORD...`, which the shells' scripts call: the last word is being written. A command completes its own
 * arguments from its table. */
static int complete_command(int argc, char **argv)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (argc <= 3) {
            complete_print(argc == 3 ? argv[2] : "", commands[i].name, commands[i].help);
        } else if (strcmp(argv[2], commands[i].name) == 0) {
            argv[2] = argv[1]; /* COMMAND __complete WORD..., as arguments_parse knows it */
            argv[1] = (char *)commands[i].name;
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return 0;
}

/* A full disk behind standard output is a failure like any other. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    print_error("bioft: standard output: could not be written\n");
    return status ? status : 1;
}

int main(int argc, char **argv)
{
    const char *names[COMMANDS];

    if (argc < 2) {
        help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return finish(0);
    }
    if (strcmp(argv[1], "--version") == 0) {
        print("bioft %s (%s)\n", BIOFT_VERSION, provenance_commit());
        return finish(0);
    }
    if (strcmp(argv[1], COMPLETE_WORD) == 0)
        return finish(complete_command(argc, argv));
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(argv[1], commands[i].name) == 0)
            return finish(commands[i].run(argc - 1, argv + 1));
    }
    const char *near = text_nearest(argv[1], names, COMMANDS);
    print_error("bioft: unknown command '%s'", argv[1]);
    if (near)
        print_error("; did you mean '%s'?", near);
    print_error("\n");
    return 2;
}
