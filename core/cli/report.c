/* `bioft report DIR...`: tables, plots and the page again from the results. */
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/report_files.h"
#include "report/published.h"
#include <stdio.h>
#include <stdlib.h>

/* The figures of the file that no table shows. */
static void tell_unmatched(const struct published *p)
{
    const size_t unmatched = published_unmatched(p);

    if (unmatched == 0)
        return;
    print_error("bioft report: warning: %zu of the %zu figures of %s stand%s beside nothing, because "
                "these runs have no such figure:\n",
                unmatched, p->count, p->path, unmatched == 1 ? "s" : "");
    for (size_t i = 0; i < p->count; i++) {
        struct text line = { 0 };
        if (p->figures[i].shown)
            continue;
        published_describe(&p->figures[i], &line);
        print_error("    %s\n", line.data ? line.data : "");
        text_free(&line);
    }
}

/* The exit status. */
static int make_report(struct report_order *order, const char *published)
{
    struct error err = { 0 };
    struct published figures = { 0 };
    struct arena *arena = arena_create();
    int ret = 0;

    if (!arena) {
        print_error("bioft report: out of memory\n");
        return 1;
    }
    if (published) {
        order->published = &figures;
        ret = published_read(published, arena, &figures, &err) == BIOFT_OK ? 0 : 2;
    }
    if (ret == 0 && report_files(order, &err) != BIOFT_OK)
        ret = 1;
    if (ret != 0) {
        print_error("bioft report: %s\n", err.text);
    } else {
        tell_unmatched(&figures);
        print("%s/report.html\n", order->out);
    }
    arena_destroy(arena);
    return ret;
}

int command_report(int argc, char **argv)
{
    const char *out = NULL, *baseline = NULL, *published = NULL;
    const struct argument arguments[] = {
        { "out", "DIR", ARGUMENT_TEXT, &out, "where the report goes (default: DIR, where there is one)" },
        { "baseline", "RULE", ARGUMENT_TEXT, &baseline,
          "the rule that the others are compared with (default: the manifest's, or bp)" },
        { "published", "FILE.csv", ARGUMENT_TEXT, &published,
          "figures that a paper prints, to stand beside these: columns backbone, dataset, rule, "
          "metric, value and more (docs/report.md)" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "report",
        .usage = "DIR... [options]",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 8,
        .summary = "Writes tables, plots and report.html of one or several runs from their results.",
    };

    const int status = arguments_parse(&line, argc, argv);
    if (status >= 0)
        return status;
    for (size_t i = 0; i < line.positional_count; i++) {
        char *path = path_join(line.positional[i], "results.csv");
        const bool there = path && file_exists(path);
        free(path);
        if (!there) {
            print_error("bioft report: %s has no results.csv: no trial of a run has ended there\n", line.positional[i]);
            return 2;
        }
    }
    if (!out && line.positional_count > 1) {
        print_error("bioft report: the report of several runs needs a place: --out DIR\n");
        return 2;
    }
    return make_report(&(struct report_order){ .folders = line.positional,
                                               .count = line.positional_count,
                                               .out = out ? out : line.positional[0],
                                               .baseline = baseline },
                       published);
}
