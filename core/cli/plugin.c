/* `bioft plugin list | show NAME | test NAME | new KIND NAME`, where NAME may be a file: which plugins there are, what one says of itself,
 * whether it keeps the contract, and a new one. */
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/plugin_catalogue.h"
#include "cli/plugin_child.h"
#include "cli/plugin_new.h"
#include "cli/plugin_test.h"
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    const char *name; /* of `show`; NULL: list */
    uint32_t kind;
    bool json, markdown, quiet;
    const char *new_kind, *new_name, *out; /* of `new` */
    struct test_command test;              /* of `test`; its file is NULL otherwise */
};

static int failed(struct console *console, const struct error *err, int status)
{
    console_error(console, err->text);
    return status;
}

/* Prints what was put together; 1 where memory did not suffice for it. */
static int print_whole(struct console *console, struct text *t)
{
    struct error err;
    int status = 0;
    if (t->failed) {
        error_memory(&err, "the answer");
        status = failed(console, &err, 1);
    } else {
        print("%s", t->data ? t->data : "");
    }
    text_free(t);
    return status;
}

/* The table, then what the build left out. */
static void list_text(struct registry *r, const struct request *q, const struct catalogue *c, struct text *ret)
{
    catalogue_text(c, ret);
    for (uint32_t kind = 1; kind <= PLUGIN_KINDS; kind++) {
        struct registry_absence *absent = NULL;
        struct error ignored = { 0 };
        size_t count = 0;
        if ((q->kind != 0 && q->kind != kind) || registry_absences(r, kind, &absent, &count, &ignored) != BIOFT_OK)
            continue;
        for (size_t i = 0; i < count; i++)
            text_printf(ret, "%-9s %s is not here: %s\n", kind_word(kind), absent[i].name, absent[i].why);
        registry_absences_free(absent, count);
    }
}

static int list(struct registry *r, const struct request *q, struct arena *arena, struct console *console)
{
    struct catalogue c;
    struct text t = { 0 };
    struct error err;
    if (catalogue_read(r, q->kind, NULL, arena, &c, &err) != BIOFT_OK)
        return failed(console, &err, 1);
    if (q->json)
        catalogue_json(&c, &t);
    else if (q->markdown)
        catalogue_markdown(&c, &t);
    else
        list_text(r, q, &c, &t);
    return print_whole(console, &t);
}

/* "no plugin 'x'; did you mean 'y'? ..." over all kinds; of one kind the registry says where it looked. */
static int not_there(struct registry *r, const struct request *q, struct arena *arena, struct console *console)
{
    struct registry_file *files;
    size_t count;
    char *path, escaped[TEXT_ESCAPED];
    struct error err;
    if (q->kind != 0 && registry_locate(r, q->kind, q->name, &path, &err) != BIOFT_OK)
        return failed(console, &err, 2);
    if (registry_files(r, &files, &count, &err) != BIOFT_OK)
        return failed(console, &err, 1);
    const char **names = arena_array(arena, count, sizeof *names);
    for (size_t i = 0; names && i < count; i++)
        names[i] = files[i].name;
    const char *near = names ? text_nearest(q->name, names, count) : NULL;
    error_set(&err, BIOFT_ERR_INVALID, "no plugin '%s'%s%s%s ('bioft plugin list' has all of them)",
              text_escape(escaped, q->name, strlen(q->name)), near ? "; did you mean '" : "", near ? near : "",
              near ? "'?" : "");
    registry_files_free(files, count);
    return failed(console, &err, 2);
}

/* The row that is meant; NULL where the name alone does not say it. A refused file that the user names comes first. */
static const struct catalogue_row *choose(const struct catalogue *c, const struct request *q, struct error *err)
{
    const struct catalogue_row *chosen = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const struct catalogue_row *row = &c->rows[i];
        if (row->overridden)
            continue;
        if (row->kind == 0)
            return row;
        if (chosen) {
            error_set(err, BIOFT_ERR_INVALID,
                      "'%s' is the name of a plugin of kind %s and of one of kind %s: choose "
                      "with --kind",
                      q->name, kind_word(chosen->kind), kind_word(row->kind));
            return NULL;
        }
        chosen = row;
    }
    return chosen;
}

static int show(struct registry *r, const struct request *q, struct arena *arena, struct console *console)
{
    struct catalogue c;
    struct text t = { 0 };
    struct error err;
    char *path = NULL;
    if (catalogue_read(r, q->kind, q->name, arena, &c, &err) != BIOFT_OK)
        return failed(console, &err, 1);
    if (c.count == 0)
        return not_there(r, q, arena, console);
    const struct catalogue_row *row = choose(&c, q, &err);
    if (!row)
        return failed(console, &err, 2);
    if (row->fault) {
        error_set(&err, BIOFT_ERR_FORMAT, "%s", row->fault);
        return failed(console, &err, 1);
    }
    /* What a run would say of it: the user's folder may not shadow. */
    if (!row->explicit_place && registry_locate(r, row->kind, row->name, &path, &err) != BIOFT_OK)
        return failed(console, &err, 1);
    free(path);
    text_add(&t, q->json ? row->json : row->text);
    if (q->json)
        text_add(&t, "\n");
    return print_whole(console, &t);
}

/* Everything that one file holds. */
static int show_file(const struct request *q, struct arena *arena, struct console *console)
{
    char *path = realpath(q->name, NULL);
    struct description d = { 0 };
    struct text t = { 0 };
    struct error err = { 0 };
    bioft_status st = path ? describe_file(path, 0, arena, &d, &err)
                           : error_set(&err, BIOFT_ERR_IO, "%s: no such file", q->name);

    if (st == BIOFT_OK && d.fault)
        st = error_set(&err, BIOFT_ERR_FORMAT, "%s", d.fault);
    free(path);
    if (st != BIOFT_OK)
        return failed(console, &err, 1);
    for (size_t i = 0; i < d.plugins->count; i++) {
        const struct json *said = json_get(d.plugins->items[i], q->json ? "json" : "text");
        text_printf(&t, "%s%s%s", i ? "\n" : "", said && said->type == JSON_STRING ? said->text : "",
                    q->json ? "\n" : "");
    }
    return print_whole(console, &t);
}

/* `test NAME`: the file of the plugin of this name. -1: go on. */
static int find_tested(struct registry *r, struct request *q, struct arena *arena, struct console *console)
{
    struct request named = { .name = q->test.file, .kind = q->kind };
    struct catalogue c;
    struct error err;

    if (catalogue_read(r, q->kind, named.name, arena, &c, &err) != BIOFT_OK)
        return failed(console, &err, 1);
    if (c.count == 0)
        return not_there(r, &named, arena, console);
    const struct catalogue_row *row = choose(&c, &named, &err);
    if (!row)
        return failed(console, &err, 2);
    q->test.file = row->path;
    return -1;
}

/* Is it a path of a file, and not a plugin's name? */
static bool is_file_name(const char *s)
{
    const char *dot = strrchr(s, '.');
    return strchr(s, '/') || (dot && strcmp(dot, ".so") == 0) || (file_exists(s) && !file_is_folder(s));
}

/* What is asked for, or an exit status. -1: go on. */
static int understand(const struct command_line *c, const char *kind, struct request *q, struct console *console)
{
    struct error err;
    const char *what = c->positional[0];
    const bool wants_list = strcmp(what, "list") == 0, wants_show = strcmp(what, "show") == 0;
    const bool wants_test = strcmp(what, "test") == 0, wants_new = strcmp(what, "new") == 0;
    if (!wants_list && !wants_show && !wants_test && !wants_new)
        error_set(&err, BIOFT_ERR_INVALID,
                  "plugin: 'list', 'show NAME', 'test NAME' or 'new KIND NAME' expected, found "
                  "'%s'",
                  what);
    else if (wants_new && c->positional_count < 3)
        error_set(&err, BIOFT_ERR_INVALID, "plugin new: a kind and a name are wanted, as in 'plugin new rule my_rule'");
    else if (!wants_new && c->positional_count > 2)
        error_set(&err, BIOFT_ERR_INVALID, "plugin %s: '%s' is one argument too many", what, c->positional[2]);
    else if (wants_list && c->positional_count > 1)
        error_set(&err, BIOFT_ERR_INVALID, "plugin list: '%s' is one argument too many", c->positional[1]);
    else if (wants_show && c->positional_count < 2)
        error_set(&err, BIOFT_ERR_INVALID, "plugin show: the name or file of a plugin is missing");
    else if (wants_test && c->positional_count < 2)
        error_set(&err, BIOFT_ERR_INVALID, "plugin test: the plugin's name or file is missing");
    else if (q->markdown && (!wants_list || q->json))
        error_set(&err, BIOFT_ERR_INVALID, "plugin: --markdown is for 'list', and not together with --json");
    else if (kind && (q->kind = kind_by_word(kind)) == 0)
        error_set(&err, BIOFT_ERR_INVALID,
                  "plugin: '%s' is not a kind: rule, backbone, dataset, attack, loss or engine", kind);
    else {
        q->name = wants_show ? c->positional[1] : NULL;
        if (wants_new) {
            q->new_kind = c->positional[1];
            q->new_name = c->positional[2];
        }
        q->test.file = wants_test ? c->positional[1] : NULL;
        return -1;
    }
    return failed(console, &err, 2);
}

int command_plugin(int argc, char **argv)
{
    struct request q = { .test = { .seed = 1, .patience = 60 } };
    struct argument_list paths = { 0 }, sets = { 0 };
    const char *kind = NULL;
    uint32_t threads = 0; /* taken as everywhere; there is nothing here to share out */
    const struct argument arguments[] = {
        { "kind", "KIND", ARGUMENT_TEXT, &kind, "rule, backbone, dataset, attack, loss or engine: only these" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &paths, "look here first, in a folder or a file; may be repeated" },
        { "json", NULL, ARGUMENT_FLAG, &q.json, "for programs" },
        { "markdown", NULL, ARGUMENT_FLAG, &q.markdown, "list: as a page for the documentation" },
        { "out", "DIR", ARGUMENT_TEXT, &q.out, "new: the folder to make; by default NAME" },
        { "test", "NAME", ARGUMENT_TEXT, &q.test.test, "test: only this one" },
        { "root", "DIR", ARGUMENT_TEXT, &q.test.root, "test: a dataset's data" },
        { "set", "OPTION=VALUE", ARGUMENT_LIST, &sets, "test: a value for an option; may be repeated" },
        { "seed", "N", ARGUMENT_COUNT, &q.test.seed, "test: of all random numbers; 1 by default" },
        { "timeout", "N", ARGUMENT_COUNT, &q.test.patience, "test: seconds for one test; 60 by default" },
        { "in-process", NULL, ARGUMENT_FLAG, &q.test.here, "test: in this process, for a debugger" },
        { "threads", "N", ARGUMENT_COUNT, &threads, "no effect here" },
        { "quiet", NULL, ARGUMENT_FLAG, &q.quiet, "warnings and errors only" },
        { 0 },
    };
    struct command_line c = {
        .name = "plugin",
        .usage = "list | show NAME|FILE | test NAME|FILE | new KIND NAME [options]",
        .summary =
            "Lists the plugins that can be found, prints the description of one, tests whether a\n"
            "file's plugins keep the contract, or makes a small project for a new one. Each file is opened in a\n"
            "process of its own; one that cannot be used is listed with the reason.",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 3,
    };
    struct console console;
    struct registry *r = NULL;
    struct error err;

    if (argc == 4 && strcmp(argv[1], "__describe") == 0)
        describe_in_child(argv[2], argv[3]);
    if (argc >= 8 && strcmp(argv[1], "__conform") == 0)
        conform_in_child(argc, argv);
    int status = arguments_parse(&c, argc, argv);
    if (status >= 0)
        return status;
    console_init(&console, q.quiet);
    struct arena *arena = arena_create();
    const struct registry_places places = {
        .command_line = paths.items,
        .command_line_count = paths.count,
        .environment = true,
        .implicit = true,
        .unopened = true,
    };
    status = understand(&c, kind, &q, &console);
    if (status < 0 && q.new_name)
        status = plugin_new(q.new_kind, q.new_name, q.out, &err) == BIOFT_OK
                     ? 0
                     : failed(&console, &err, err.status == BIOFT_ERR_IO ? 1 : 2);
    if (status < 0 && !arena) {
        error_memory(&err, "the list of plugins");
        status = failed(&console, &err, 1);
    }
    if (status < 0 && q.name && is_file_name(q.name))
        status = show_file(&q, arena, &console);
    if (status < 0 && registry_create(&places, &console.log, &r, &err) != BIOFT_OK)
        status = failed(&console, &err, 2);
    if (status < 0 && q.test.file && !is_file_name(q.test.file))
        status = find_tested(r, &q, arena, &console);
    if (status < 0 && q.test.file) {
        q.test.json = q.json;
        q.test.places = paths.items;
        q.test.place_count = paths.count;
        q.test.sets = sets.items;
        q.test.set_count = sets.count;
        status = plugin_test(&q.test, &console);
    }
    if (status < 0)
        status = q.name ? show(r, &q, arena, &console) : list(r, &q, arena, &console);
    registry_destroy(r);
    arena_destroy(arena);
    console_finish(&console);
    return status;
}
