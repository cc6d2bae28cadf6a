/* Completion of command lines: candidates for the word being written, from the option tables and the plugins' names. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/arguments.h"

/* What a shell's script says instead of arguments: `bioft __complete COMMAND WORD...`. */
#define COMPLETE_WORD "__complete"
/* The line that asks the shell for names of files. */
#define COMPLETE_FILES ":files"

/* Prints "CANDIDATE\tHELP" where the candidate begins with `word`. */
void complete_print(const char *word, const char *candidate, const char *help);
/* The candidates for the last of `count` words behind the command. Returns the exit status, 0. */
int complete_arguments(const struct command_line *c, int count, char **words);

#endif
