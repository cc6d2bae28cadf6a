/* `bioft report DIR...`: tables, plots and the page again from the results. */
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/report_files.h"
#include <stdio.h>
#include <stdlib.h>

int command_report(int argc, char **argv)
{
    const char *out = NULL, *baseline = NULL;
    const struct argument arguments[] = {
        { "out", "DIR", ARGUMENT_TEXT, &out,
          "where the report goes (default: DIR, where there is one)" },
        { "baseline", "RULE", ARGUMENT_TEXT, &baseline,
          "the rule that the others are compared with (default: the one "
          "whose gradient is the exact one)" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "report",
        .usage = "DIR... [options]",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 8,
        .summary =
            "Writes tables, plots and report.html of one or several runs from their results.",
    };
    struct error err = { 0 };

    const int status = arguments_parse(&line, argc, argv);
    if (status >= 0)
        return status;
    for (size_t i = 0; i < line.positional_count; i++) {
        char *path = path_join(line.positional[i], "results.csv");
        const bool there = path && file_exists(path);
        free(path);
        if (!there) {
            fprintf(stderr,
                    "bioft report: %s has no results.csv: no trial of a run has ended there\n",
                    line.positional[i]);
            return 2;
        }
    }
    if (!out && line.positional_count > 1) {
        fprintf(stderr, "bioft report: the report of several runs needs a place: --out DIR\n");
        return 2;
    }
    out = out ? out : line.positional[0];
    if (report_files(line.positional, line.positional_count, out, baseline, &err) != BIOFT_OK) {
        fprintf(stderr, "bioft report: %s\n", err.text);
        return 1;
    }
    printf("%s/report.html\n", out);
    return 0;
}
