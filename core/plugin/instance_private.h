/* What stands behind an instance's host. Only for instance.c, host.c and reasons.c. */
#ifndef PLUGIN_INSTANCE_PRIVATE_H
#define PLUGIN_INSTANCE_PRIVATE_H

#include "plugin/instance.h"
#include "plugin/names.h"

#include <pthread.h>
#include <stdatomic.h>

struct scratch {
    char *name;
    size_t bytes;
    void *memory;
};

enum { REASON_SIZE = sizeof(((struct error *)0)->text) };
/* What one thread told host->fail; anybody's to take while the text is empty. */
struct reason {
    struct reason *next;
    pthread_t thread;
    char text[REASON_SIZE];
};
struct reasons {
    pthread_mutex_t lock;
    struct reason *first;
};

struct instance_private {
    struct names array_names, scratch_names;
    struct scratch *scratch;
    size_t scratch_count, scratch_capacity;
    size_t bytes; /* of all arrays and scratch */
    bool trainables;
    atomic_bool drew; /* random numbers were asked for */
    struct reasons reasons;
    struct arena *arena; /* of default option values */
    bioft_parallel parallel;
};

/* Fills the host's vtable, with the instance behind it. */
void host_init(struct instance *i);
/* Frees arrays and scratch. */
void host_finish(struct instance *i);

bool reasons_init(struct reasons *r); /* false: out of memory */
void reasons_finish(struct reasons *r);
/* Keeps a copy of this thread's text; the last one counts. */
void reasons_keep(struct reasons *r, const char *text);
/* Moves this thread's text into ret; "" where there is none. */
void reasons_take(struct reasons *r, char ret[REASON_SIZE]);

#endif
