/* The console: the log to standard error and to a trial's file, progress in place on a terminal. */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include "base/log.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

/* Trials one after another: what stands below the progress of the one at work. */
struct console_sweep {
    size_t count, done, failed; /* count below 2: no sweep */
    double each, begun;         /* seconds that a trial took, 0: none has ended; clock of this one */
};
struct console {
    struct log log; /* give this to the rooms below */
    bool quiet, terminal;
    bool engine_said;   /* the engine and why, once a run */
    double progress_at; /* clock of the last progress line */
    unsigned block;     /* lines of the block that is shown */
    struct console_sweep sweep;
    FILE *file; /* the trial's log, or NULL */
    pthread_mutex_t lock;
};
void console_init(struct console *c, bool quiet);
void console_finish(struct console *c); /* ends a progress line */
/* Errors always show. */
void console_error(struct console *c, const char *text);

#endif
