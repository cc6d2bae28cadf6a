/* OUT/trials/<id>/status: what a trial is doing right now, for other processes to read. */
#ifndef RUN_STATUS_FILE_H
#define RUN_STATUS_FILE_H

#include "base/error.h"
#include "base/text.h"

struct status {
    long pid;
    char activity[200];                  /* "fine-tune", "fine-tune: clean", "pgd steps=5, gradient exact" */
    uint64_t epoch, epochs, step, steps; /* steps 0: no training at the moment */
    double loss, images_per_s, left;     /* left: seconds of this stage; NaN: not known */
    double started, updated;             /* seconds since 1970, by a clock that people set */
    double seconds;                      /* from the one to the other, by one that nobody does */
    bool failed;                         /* it ended so */
    bool live;                           /* the process that writes it is at work: it has the file locked */
};
struct status_file {
    int fd;                /* 0: not open, and nothing is written */
    double begun, written; /* clock_seconds */
    struct status now;
};
/* A file that cannot be written is no reason for a run to fail: then there is none. */
void status_open(const char *path, struct status_file *ret);
/* One write of the whole, at most once a second but where the activity is new. */
void status_activity(struct status_file *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void status_progress(struct status_file *s);
/* Removes the file, or leaves it as that of a failed trial. */
void status_close(struct status_file *s, const char *path, bool failed);

/* false: there is none, or it cannot be understood. */
bool status_read(const char *path, struct status *ret);
/* "fine-tune, epoch 2 of 5, step 120 of 800, loss 0.1234, 2100 images/s, 3 min 2 s left" */
void status_line(const struct status *s, struct text *ret);
/* How long it has been at work, in seconds, as well as can be told; NaN: it is not known. */
double status_age(const struct status *s);
double status_clock(void); /* seconds since 1970 */

#endif
