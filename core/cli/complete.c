/* Candidates for the word being written on a command line. */
#include "cli/complete.h"
#include "cli/print.h"

#include "manifest/experiment.h"
#include "plugin/registry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void complete_print(const char *word, const char *candidate, const char *help)
{
    if (strncmp(candidate, word, strlen(word)) == 0)
        print("%s\t%s\n", candidate, help);
}

static const struct argument *find_option(const struct command_line *c, const char *word)
{
    for (const struct argument *a = c->arguments; a->name; a++)
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, a->name) == 0)
            return a;
    return NULL;
}

/* The words with which a usage begins: "list | show NAME | test FILE" has list, show and test. */
static bool print_subcommands(const char *usage, const char *word)
{
    bool any = false;

    if (!strstr(usage, " | "))
        return false;
    for (const char *s = usage; s; s = strstr(s, " | ") ? strstr(s, " | ") + 3 : NULL) {
        char name[32];
        const size_t length = strspn(s, "abcdefghijklmnopqrstuvwxyz");
        if (length == 0 || length >= sizeof name)
            return any;
        snprintf(name, sizeof name, "%.*s", (int)length, s);
        complete_print(word, name, "");
        any = true;
    }
    return any;
}

static void print_kinds(const char *word)
{
    for (uint32_t kind = 1; kind <= PLUGIN_KINDS; kind++)
        complete_print(word, kind_word(kind), "");
}

/* By the files' names: none is opened. */
static void print_plugins(const char *word)
{
    struct registry *r = NULL;
    struct registry_file *files;
    struct error err;
    size_t count;

    if (registry_create(&(struct registry_places){ .environment = true, .implicit = true, .unopened = true }, NULL, &r,
                        &err) == BIOFT_OK &&
        registry_files(r, &files, &count, &err) == BIOFT_OK) {
        for (size_t i = 0; i < count; i++)
            complete_print(word, files[i].name, kind_word(files[i].kind));
        registry_files_free(files, count);
    }
    registry_destroy(r);
}

/* The paths of a manifest's values, for --set PATH=VALUE; nothing where it cannot be read. */
static void print_settings(const char *manifest, const char *word)
{
    struct experiment *e = NULL;
    struct error err = { 0 };
    char *said = NULL;

    if (manifest && !strchr(word, '=') &&
        experiment_read(&(struct experiment_params){ .path = manifest, .threads = 1 }, &e, &said, &err) == BIOFT_OK &&
        e->trial_count > 0) {
        const struct settings *s = &e->trials[0].settings;
        for (size_t i = 0; i < s->count; i++) {
            char path[256];
            snprintf(path, sizeof path, "%s=", s->items[i].path);
            complete_print(word, path, s->items[i].value);
        }
    }
    free(said);
    experiment_destroy(e);
}

static void print_value(const struct argument *a, const char *manifest, const char *word)
{
    if (strcmp(a->value, "KIND") == 0)
        print_kinds(word);
    else if (strcmp(a->name, "set") == 0)
        print_settings(manifest, word);
    else if (strstr(a->value, "DIR") || strncmp(a->value, "FILE", 4) == 0)
        print(COMPLETE_FILES "\n");
}

int complete_arguments(const struct command_line *c, int count, char **words)
{
    const char *word = count > 0 ? words[count - 1] : "", *first = NULL;
    const struct argument *before = count > 1 ? find_option(c, words[count - 2]) : NULL;
    int positionals = 0;

    for (int i = 0; i + 1 < count; i++) {
        const struct argument *a = find_option(c, words[i]);
        if (a && a->kind != ARGUMENT_FLAG)
            i++;
        else if (strncmp(words[i], "--", 2) != 0 && positionals++ == 0)
            first = words[i];
    }
    if (before && before->kind != ARGUMENT_FLAG) {
        print_value(before, first, word);
    } else if (word[0] == '-') {
        for (const struct argument *a = c->arguments; a->name; a++) {
            char name[64];
            snprintf(name, sizeof name, "--%s", a->name);
            complete_print(word, name, a->help);
        }
        complete_print(word, "--help", "this text");
    } else if (positionals == 0 && print_subcommands(c->usage, word)) {
        return 0;
    } else if (first && strcmp(first, "show") == 0 && strcmp(c->name, "plugin") == 0) {
        print_plugins(word);
    } else if (first && strcmp(first, "new") == 0 && positionals == 1) {
        print_kinds(word);
    } else {
        print(COMPLETE_FILES "\n");
    }
    return 0;
}
