/* The trials that failed, and why. */
#ifndef RUN_FAILURES_H
#define RUN_FAILURES_H

#include <stddef.h>

struct failure {
    const char *id;
    char *why;
}; /* id: the experiment's */
struct failures {
    size_t failed;         /* all of them */
    struct failure *items; /* those that there was memory for */
    size_t count, room;
};
void failures_add(struct failures *f, const char *id, const char *why);
void failures_free(struct failures *f);

#endif
