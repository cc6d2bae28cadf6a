/* The commands. argv[0] is the command's word; the result is the exit status: 0 done, 1 failed, 2 wrong usage or
 * manifest, 130 and 143 interrupted. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

int command_run(int argc, char **argv);
int command_report(int argc, char **argv);
int command_status(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_check(int argc, char **argv);
int command_plugin(int argc, char **argv);
int command_map(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_fetch(int argc, char **argv);
int command_weights(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_completion(int argc, char **argv);

#endif
