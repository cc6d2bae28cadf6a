/* bioft fetch: published data and weights into a folder. */
#include "base/file.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/print.h"
#include "cli/signals.h"
#include "fetch/fetch.h"

#include <stdlib.h>
#include <string.h>

enum { TIMEOUT = 60 }; /* seconds */

struct request {
    const char *to, *from, *name;
    uint32_t kind, timeout;
    bool show, quiet;
    struct argument_list plugin_paths;
    struct console console;
    struct registry *registry;
    struct arena *arena;
};

static int failed(struct request *q, const struct error *err)
{
    console_error(&q->console, err->text);
    return err->status == BIOFT_ERR_INVALID ? 2 : 1;
}

static bioft_status add_list(struct request *q, uint32_t kind, struct text *t, struct error *err)
{
    char **names = NULL;
    size_t count = 0;

    bioft_status st = publication_names(q->registry, kind, &names, &count, err);
    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        const struct publication *s;
        st = publication_find(q->registry, kind, names[i], q->arena, &s, err);
        if (st == BIOFT_OK && s)
            text_printf(t, "%s%-*s %s%s\n", kind == BIOFT_KIND_BACKBONE ? "weights " : "",
                        kind == BIOFT_KIND_BACKBONE ? 18 : 26, s->name, s->what, s->agreement ? " (by agreement)" : "");
    }
    registry_names_free(names, count);
    return st;
}

/* All that can be fetched. */
static int list(struct request *q)
{
    struct text t = { 0 };
    struct error err = { 0 };

    bioft_status st = add_list(q, BIOFT_KIND_DATASET, &t, &err);
    if (st == BIOFT_OK)
        st = add_list(q, BIOFT_KIND_BACKBONE, &t, &err);
    if (st == BIOFT_OK && t.failed)
        st = error_memory(&err, "the list");
    if (st == BIOFT_OK)
        print("%s", t.data ? t.data : "nothing: no plugin has a table of what it needs\n");
    text_free(&t);
    return st == BIOFT_OK ? 0 : failed(q, &err);
}

static int unknown(struct request *q)
{
    struct error err, ignored;
    char **names = NULL;
    size_t count = 0;

    const char *near = publication_names(q->registry, q->kind, &names, &count, &ignored) == BIOFT_OK
                           ? text_nearest(q->name, (const char *const *)names, count)
                           : NULL;
    error_set(&err, BIOFT_ERR_INVALID,
              "nothing is known to be published for %s '%s'%s%s%s; 'bioft fetch' lists what is",
              q->kind == BIOFT_KIND_BACKBONE ? "the weights of" : "the dataset", q->name,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    registry_names_free(names, count);
    return failed(q, &err);
}

static int print_commands(const struct request *q, const struct publication *s)
{
    struct text t = { 0 };

    publication_add_commands(s, q->to ? q->to : ".", &t);
    const bool whole = !t.failed;
    if (whole)
        print("%s", t.data);
    text_free(&t);
    return whole ? 0 : 1;
}

/* What the manifest says to use it. */
static void print_use(const struct request *q, const struct publication *s)
{
    if (s->kind == BIOFT_KIND_DATASET)
        print("dataset: {plugin: %s, root: %s}\n", s->name, q->to);
    for (size_t i = 0; s->kind == BIOFT_KIND_BACKBONE && i < s->count; i++) {
        char *path = path_join(q->to, s->files[i].gives);
        print("weights: %s\n", path ? path : s->files[i].gives);
        free(path);
    }
}

static int get(struct request *q, const struct publication *s)
{
    struct error err = { 0 };
    const struct stop *stop = signals_catch();
    char *folder = path_absolute(NULL, q->to);

    bioft_status st = folder ? fetch(&(struct fetch_params){ .source = s,
                                                             .folder = folder,
                                                             .from = q->from,
                                                             .timeout = q->timeout,
                                                             .log = &q->console.log,
                                                             .stop = stop },
                                     &err)
                             : error_memory(&err, q->to);
    free(folder);
    if (st == BIOFT_OK)
        print_use(q, s);
    return st == BIOFT_OK                                           ? 0
           : st == BIOFT_ERR_CANCELLED && signals_exit_status(stop) ? (failed(q, &err), signals_exit_status(stop))
                                                                    : failed(q, &err);
}

static int dispatch(struct request *q)
{
    struct error err = { 0 };
    const struct publication *s;

    const bioft_status st = publication_find(q->registry, q->kind, q->name, q->arena, &s, &err);
    if (st != BIOFT_OK)
        return failed(q, &err);
    if (!s)
        return unknown(q);
    if (q->show)
        return print_commands(q, s);
    if (s->agreement) {
        error_set(&err, BIOFT_ERR_UNSUPPORTED, "%s: behind an agreement, which is yours to make. %s\n%s", s->name,
                  s->agreement, s->page);
        return failed(q, &err);
    }
    if (!q->to) {
        error_set(&err, BIOFT_ERR_INVALID,
                  "fetch: name the folder with --to FOLDER, or see what would be fetched with --show");
        return failed(q, &err);
    }
    if (!fetch_available()) {
        print_commands(q, s);
        error_set(&err, BIOFT_ERR_UNSUPPORTED,
                  "this bioft was built without libcurl and libarchive and cannot fetch: the commands "
                  "above do");
        return failed(q, &err);
    }
    return get(q, s);
}

static int open_and_dispatch(struct request *q)
{
    const struct registry_places places = { .command_line = q->plugin_paths.items,
                                            .command_line_count = q->plugin_paths.count,
                                            .environment = true,
                                            .implicit = true,
                                            .unopened = true };
    struct error err = { 0 };
    int status;

    q->arena = arena_create();
    bioft_status st = q->arena ? registry_create(&places, &q->console.log, &q->registry, &err)
                               : error_memory(&err, "tables");
    status = st != BIOFT_OK ? failed(q, &err) : q->name ? dispatch(q) : list(q);
    registry_destroy(q->registry);
    arena_destroy(q->arena);
    return status;
}

int command_fetch(int argc, char **argv)
{
    struct request q = { .timeout = TIMEOUT };
    const struct argument arguments[] = {
        { "to", "FOLDER", ARGUMENT_TEXT, &q.to, "where to put it: a dataset's root, or the folder of the weights" },
        { "from", "URL|FILE", ARGUMENT_TEXT, &q.from,
          "a mirror's address, or a file or folder here, in the place of the published address" },
        { "show", NULL, ARGUMENT_FLAG, &q.show,
          "fetch nothing: print addresses, sizes, sums and the commands to do it by hand" },
        { "timeout", "SECONDS", ARGUMENT_COUNT, &q.timeout,
          "give a server up that sends nothing for so long (default: 60)" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &q.plugin_paths, "look for plugins here first; may be given again" },
        { "quiet", NULL, ARGUMENT_FLAG, &q.quiet, "only warnings and the result" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line c = {
        .name = "fetch",
        .usage = "[DATASET | weights BACKBONE] --to FOLDER [options]",
        .arguments = arguments,
        .positional_max = 2,
        .summary =
            "Fetches published data or weights, checks size and SHA-256, and unpacks; continues where it was interrupted.\n"
            "Without a name, lists what can be fetched. Nothing that is fetched is executed.",
    };
    struct error err;
    int status = arguments_parse(&c, argc, argv);

    if (status >= 0)
        return status;
    console_init(&q.console, q.quiet);
    const bool weights = c.positional_count > 0 && strcmp(c.positional[0], "weights") == 0;
    q.kind = weights ? BIOFT_KIND_BACKBONE : BIOFT_KIND_DATASET;
    q.name = c.positional_count > (weights ? 1U : 0U) ? c.positional[weights ? 1 : 0] : NULL;
    if (c.positional_count == (weights ? 1U : 2U)) {
        error_set(&err, BIOFT_ERR_INVALID, "fetch: 'DATASET' or 'weights BACKBONE' expected");
        status = failed(&q, &err);
    } else {
        status = open_and_dispatch(&q);
    }
    console_finish(&q.console);
    return status;
}
