/* Command-line arguments by a table. */
#include "cli/arguments.h"
#include "cli/print.h"

#include "base/text.h"
#include "cli/complete.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(const struct command_line *c)
{
    print("usage: bioft %s %s\n\n%s\n", c->name, c->usage, c->summary);
    if (c->arguments[0].name)
        print("\noptions:\n");
    for (const struct argument *a = c->arguments; a->name; a++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", a->name, a->value ? " " : "", a->value ? a->value : "");
        print("  %-26s %s\n", left, a->help);
    }
    print("  %-26s %s\n", "--help", "this text");
}

static int wrong(const struct command_line *c, const char *format, const char *what)
{
    print_error("bioft %s: ", c->name);
    print_error(format, what);
    print_error("\nusage: bioft %s %s\n", c->name, c->usage);
    return 2;
}

static int unknown(const struct command_line *c, const char *word)
{
    const char *names[64];
    size_t count = 0;
    for (const struct argument *a = c->arguments; a->name && count < 64; a++)
        names[count++] = a->name;
    const char *near = text_nearest(word, names, count);
    print_error("bioft %s: unknown option '--%s'", c->name, word);
    if (near)
        print_error("; did you mean '--%s'?", near);
    print_error("\nusage: bioft %s %s\n", c->name, c->usage);
    return 2;
}

static int take(const struct command_line *c, const struct argument *a, const char *value)
{
    char *end;
    switch (a->kind) {
    case ARGUMENT_FLAG: *(bool *)a->target = true; return -1;
    case ARGUMENT_TEXT: *(const char **)a->target = value; return -1;
    case ARGUMENT_LIST: {
        struct argument_list *l = a->target;
        if (l->count == sizeof l->items / sizeof *l->items)
            return wrong(c, "too many of '--%s', 64 at most", a->name);
        l->items[l->count++] = value;
        return -1;
    }
    case ARGUMENT_COUNT: {
        const unsigned long n = strtoul(value, &end, 10);
        if (*value < '0' || *value > '9' || *end || n == 0 || n > 1000000000)
            return wrong(c, "'--%s' takes a whole number from 1", a->name);
        *(uint32_t *)a->target = (uint32_t)n;
        return -1;
    }
    }
    return -1;
}

int arguments_parse(struct command_line *c, int argc, char **argv)
{
    bool options = true;

    if (argc > 1 && strcmp(argv[1], COMPLETE_WORD) == 0)
        return complete_arguments(c, argc - 2, argv + 2);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (options && strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        if (options && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            print_help(c);
            return 0;
        }
        if (!options || strncmp(word, "--", 2) != 0) {
            if (options && word[0] == '-' && word[1])
                return wrong(c, "unknown option '%s': options begin with --", word);
            if (c->positional_count == c->positional_max)
                return wrong(c, "'%s' is one argument too many", word);
            c->positional[c->positional_count++] = word;
            continue;
        }
        char name[64];
        const char *equals = strchr(word, '=');
        const size_t length = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
        snprintf(name, sizeof name, "%.*s", (int)length, word + 2);
        const struct argument *a = c->arguments;
        while (a->name && strcmp(a->name, name) != 0)
            a++;
        if (!a->name)
            return unknown(c, name);
        if (a->kind == ARGUMENT_FLAG && equals)
            return wrong(c, "'--%s' takes no value", a->name);
        if (a->kind != ARGUMENT_FLAG && !equals && i + 1 == argc)
            return wrong(c, "'--%s' needs a value", a->name);
        const int status = take(c, a, a->kind == ARGUMENT_FLAG ? NULL : equals ? equals + 1 : argv[++i]);
        if (status >= 0)
            return status;
    }
    if (c->positional_count < c->positional_min)
        return wrong(c, "something is missing after '%s'", c->name);
    return -1;
}
