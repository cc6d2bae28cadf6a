/* metrics.jsonl of a stage: one object an epoch or interval, and the progress line beside it. */
#ifndef RUN_METRICS_H
#define RUN_METRICS_H

#include "base/log.h"
#include "run/status_file.h"
#include "train/stage.h"

struct metrics {
    char *path; /* of the stage's metrics.jsonl */
    const char *trial;
    const struct log *log;
    struct status_file *status;
    double started;
};
/* Cuts the file back to lines of at most `step` updates: what a checkpoint of that step has seen. */
bioft_status metrics_cut(const char *path, uint64_t step, struct error *err);
bioft_status metrics_report(void *metrics, const struct stage_report *r, struct error *err); /* a stage_reporter */
/* What was reported is on disk, whatever happens to the machine: before a checkpoint counts on it. */
bioft_status metrics_sync(const char *path, struct error *err);
/* A trial's file: its stages' one after another. */
bioft_status metrics_join(const char *path, const char *const *parts, size_t count, struct error *err);

#endif
