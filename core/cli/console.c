/* The console: the log to standard error and to a trial's file, progress in place on a terminal. */
#include "cli/console.h"
#include "cli/print.h"

#include "base/clock.h"
#include "base/text.h"
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const double progress_interval = 0.2; /* seconds, on a terminal */
static const double plain_interval = 10.0;   /* elsewhere */

static void clear_progress(struct console *c)
{
    for (; c->block > 0; c->block--)
        print_control(stderr, "\033[A\r\033[K");
}

/* Each line cut to the terminal's width, so that it is one line there. */
static void print_block(struct console *c, const char *text)
{
    struct winsize size;
    const size_t width = ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79;

    while (*text) {
        const size_t length = strcspn(text, "\n");
        print_error("%.*s\n", (int)(length < width ? length : width), text);
        c->block++;
        text += length + (text[length] == '\n');
    }
    fflush(stderr);
}

/* "3 of 15 trials done, about 2 h 5 min left"; empty where there is one. */
static void add_sweep(const struct console_sweep *s, struct text *t)
{
    char number[TEXT_NUMBER];
    const double left = s->each * (double)(s->count - s->done - s->failed) - (clock_seconds() - s->begun);

    if (s->count < 2)
        return;
    text_printf(t, "%zu of %zu trials done", s->done, s->count);
    if (s->failed)
        text_printf(t, ", %zu failed", s->failed);
    if (s->each > 0.0)
        text_printf(t, ", about %s left", text_duration(number, left > 0.0 ? left : 0.0));
}

static void show_progress(struct console *c, const char *text)
{
    const double now = clock_seconds();
    struct text sweep = { 0 };

    if (now - c->progress_at < (c->terminal ? progress_interval : plain_interval))
        return;
    c->progress_at = now;
    add_sweep(&c->sweep, &sweep);
    if (c->terminal) {
        clear_progress(c);
        print_block(c, text);
        print_block(c, sweep.data ? sweep.data : "");
    } else {
        print_error("%s%s%s\n", text, sweep.data ? "; " : "", sweep.data ? sweep.data : "");
    }
    text_free(&sweep);
}

void console_error(struct console *c, const char *text)
{
    pthread_mutex_lock(&c->lock);
    clear_progress(c);
    print_message(stderr, "bioft: ", text);
    if (c->file) {
        print_message(c->file, "error: ", text);
        fflush(c->file);
    }
    pthread_mutex_unlock(&c->lock);
}

static void write_log(void *ctx, enum log_level level, const char *text)
{
    struct console *c = ctx;
    if (level == LOG_ERROR) {
        console_error(c, text);
        return;
    }
    pthread_mutex_lock(&c->lock);
    if (level != LOG_PROGRESS && c->file) {
        print_message(c->file, level == LOG_WARNING ? "warning: " : "", text);
        fflush(c->file);
    }
    if (level == LOG_PROGRESS) {
        if (!c->quiet)
            show_progress(c, text);
    } else if (level == LOG_WARNING || (level == LOG_INFO && !c->quiet)) {
        clear_progress(c);
        print_message(stderr, level == LOG_WARNING ? "warning: " : "", text);
    }
    pthread_mutex_unlock(&c->lock);
}

void console_init(struct console *c, bool quiet)
{
    *c = (struct console){ .log = { .write = write_log, .ctx = c },
                           .quiet = quiet,
                           .terminal = isatty(2) == 1,
                           .progress_at = clock_seconds() };
    pthread_mutex_init(&c->lock, NULL);
}

void console_finish(struct console *c)
{
    clear_progress(c);
    fflush(stderr);
}
