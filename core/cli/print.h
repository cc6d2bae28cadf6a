/* What bioft prints, on its one way out. Text from files is in it (names of tensors, files and classes, YAML, what a plugin
 * says), so bytes that a terminal would act on leave as \xNN: text_visible(). Any thread. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stddef.h>
#include <stdio.h>

/* To standard output, and to standard error. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_to(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
void print_bytes(FILE *to, const char *text, size_t length);
/* A message that begins with `head`. Its further lines are set in, so that a line break in a name begins no message. */
void print_message(FILE *to, const char *head, const char *text);
/* An escape sequence of bioft's own. */
void print_control(FILE *to, const char *sequence);

#endif
