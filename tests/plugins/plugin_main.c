/* The command `plugin` alone, for the tests of it. */
#include "cli/commands.h"

int main(int argc, char **argv) { return argc > 1 ? command_plugin(argc - 1, argv + 1) : 2; }
