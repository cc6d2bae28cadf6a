/* What a trial calls its classes. */
#ifndef REPORT_CLASS_NAMES_H
#define REPORT_CLASS_NAMES_H

#include "report/study.h"

enum { MOST_CLASSES = 1000 };
/* names[k], or their numbers where the trial's classes.json does not say. */
struct class_names {
    const char *names[MOST_CLASSES];
    bool long_ones; /* some are no numbers */
};
/* In the arena. */
bioft_status class_names_read(const struct study_trial *t, struct arena *arena, struct class_names *ret,
                              struct error *err);

#endif
