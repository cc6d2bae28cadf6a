/* Why a callback failed: the text given to host->fail, kept by thread until the caller of the callback asks. */
#include "plugin/instance_private.h"

#include <stdlib.h>
#include <string.h>

enum { READY = 4 }; /* made beforehand: a step that fails need not allocate */

static struct reason *add(struct reasons *r)
{
    struct reason *reason = mem_array(1, sizeof *reason);
    if (reason) {
        reason->next = r->first;
        r->first = reason;
    }
    return reason;
}

bool reasons_init(struct reasons *r)
{
    if (pthread_mutex_init(&r->lock, NULL) != 0)
        return false;
    r->first = NULL;
    for (int i = 0; i < READY; i++)
        if (!add(r)) {
            reasons_finish(r);
            return false;
        }
    return true;
}

void reasons_finish(struct reasons *r)
{
    struct reason *next;
    for (struct reason *reason = r->first; reason; reason = next) {
        next = reason->next;
        free(reason);
    }
    pthread_mutex_destroy(&r->lock);
}

/* This thread's, or NULL. */
static struct reason *find(const struct reasons *r)
{
    struct reason *reason = r->first;
    while (reason && !(reason->text[0] && pthread_equal(reason->thread, pthread_self())))
        reason = reason->next;
    return reason;
}

static struct reason *find_empty(const struct reasons *r)
{
    struct reason *reason = r->first;
    while (reason && reason->text[0])
        reason = reason->next;
    return reason;
}

void reasons_keep(struct reasons *r, const char *text)
{
    pthread_mutex_lock(&r->lock);
    struct reason *reason = find(r);
    if (!reason)
        reason = find_empty(r);
    if (!reason)
        reason = add(r);
    if (reason) {
        size_t n = 0;
        /* It goes to a terminal and to a log: line breaks are fine, other controls are not. */
        for (; text[n] && n + 1 < sizeof reason->text; n++)
            reason->text[n] = ((unsigned char)text[n] < 0x20 && text[n] != '\n') || text[n] == 0x7f ? '?' : text[n];
        while (n > 0 && reason->text[n - 1] == '\n')
            n--;
        reason->text[n] = '\0';
        reason->thread = pthread_self();
    }
    pthread_mutex_unlock(&r->lock);
}

void reasons_take(struct reasons *r, char ret[REASON_SIZE])
{
    pthread_mutex_lock(&r->lock);
    struct reason *reason = find(r);
    strcpy(ret, reason ? reason->text : "");
    if (reason)
        reason->text[0] = '\0';
    pthread_mutex_unlock(&r->lock);
}
