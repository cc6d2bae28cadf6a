/* The log: rooms below the command line report through it and never print. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* PROGRESS, of one line or several, replaces the one before it. ERROR: of a part whose failure does not end the
 * whole; what ends it is returned. */
enum log_level { LOG_DETAIL, LOG_INFO, LOG_WARNING, LOG_PROGRESS, LOG_ERROR };

struct log {
    void (*write)(void *ctx, enum log_level level, const char *text); /* any thread */
    void *ctx;
};

/* log may be NULL. */
void log_write(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
