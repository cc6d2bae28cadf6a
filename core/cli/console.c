/* The console: the log to standard error and to a trial's file, progress in place on a terminal. */
#include "cli/console.h"

#include "base/clock.h"
#include <string.h>
#include <unistd.h>

static const double progress_interval = 0.2;       /* seconds, on a terminal */
static const double plain_interval = 10.0;         /* elsewhere */

static void clear_progress(struct console *c)
{
    if (c->progress_shown)
        fputs("\r\033[K", stderr);
    c->progress_shown = false;
}

static void show_progress(struct console *c, const char *text)
{
    const double now = clock_seconds();
    if (now - c->progress_at < (c->terminal ? progress_interval : plain_interval))
        return;
    c->progress_at = now;
    if (c->terminal) {
        clear_progress(c);
        fputs(text, stderr);
        fflush(stderr);
        c->progress_shown = true;
    } else {
        fprintf(stderr, "%s\n", text);
    }
}

static void write_log(void *ctx, enum log_level level, const char *text)
{
    struct console *c = ctx;
    pthread_mutex_lock(&c->lock);
    if (level != LOG_PROGRESS && c->file) {
        fprintf(c->file, "%s%s\n", level == LOG_WARNING ? "warning: " : "", text);
        fflush(c->file);
    }
    if (level == LOG_PROGRESS) {
        if (!c->quiet)
            show_progress(c, text);
    } else if (level == LOG_WARNING || (level == LOG_INFO && !c->quiet)) {
        clear_progress(c);
        fprintf(stderr, "%s%s\n", level == LOG_WARNING ? "warning: " : "", text);
    }
    pthread_mutex_unlock(&c->lock);
}

void console_init(struct console *c, bool quiet)
{
    *c = (struct console){ .log = { .write = write_log, .ctx = c }, .quiet = quiet, .terminal = isatty(2) == 1,
                           .progress_at = clock_seconds() };
    pthread_mutex_init(&c->lock, NULL);
}

void console_finish(struct console *c)
{
    clear_progress(c);
    fflush(stderr);
}

void console_error(struct console *c, const char *text)
{
    pthread_mutex_lock(&c->lock);
    clear_progress(c);
    fprintf(stderr, "bioft: %s\n", text);
    if (c->file) {
        fprintf(c->file, "error: %s\n", text);
        fflush(c->file);
    }
    pthread_mutex_unlock(&c->lock);
}
