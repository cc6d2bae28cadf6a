/* Signals: SIGINT and SIGTERM ask the run to save and stop. */
#include "cli/signals.h"

#include <stddef.h>
#include <unistd.h>

/* A handler can reach nothing else: the one mutable global of the program. */
static struct stop stop;

static void handle(int number)
{
    if (stop.signal == SIGINT && number == SIGINT)
        _exit(130);
    stop.signal = number;
}

const struct stop *signals_catch(void)
{
    struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    return &stop;
}

int signals_exit_status(const struct stop *s) { return s->signal == 0 ? 0 : s->signal == SIGINT ? 130 : 143; }
