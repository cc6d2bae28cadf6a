/* Published data and weights into a folder: downloaded or taken from a file, checked against their sums, unpacked. */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "base/log.h"
#include "base/stop.h"
#include "fetch/publication.h"

struct fetch_params {
    const struct publication *source;
    const char *folder; /* made where it does not exist */
    const char *from;   /* another address, a file, or a folder of files; NULL: the published one */
    uint32_t timeout;   /* seconds, as in download.h */
    const struct log *log;
    const struct stop *stop; /* NULL: never */
};
/* Can it be done here, or is it to be done by hand? */
bool fetch_available(void);
/* What is in the folder already is left alone. A second one in the same folder is refused. BIOFT_ERR_UNSUPPORTED: not
 * available. A source behind an agreement has no files: nothing is done. */
bioft_status fetch(const struct fetch_params *p, struct error *err);

#endif
