/* Signals: SIGINT and SIGTERM ask the run to save and stop, SIGUSR1 as SIGTERM for queues. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include "base/stop.h"

/* The one stop of this process, set by the handlers; a second SIGINT ends at once. */
const struct stop *signals_catch(void);
int signals_exit_status(const struct stop *stop); /* 130, 143; 0 where none came */

#endif
