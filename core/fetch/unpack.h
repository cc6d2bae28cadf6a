/* Archives (tar with gzip, bzip2, xz or nothing, and zip), by libarchive. */
#ifndef FETCH_UNPACK_H
#define FETCH_UNPACK_H

#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"

struct unpack_params {
    const char *archive;
    const char *folder; /* exists; what is unpacked is put here */
    const char *take;   /* this file of it alone, without its folders; NULL: everything */
    const struct log *log;
    const struct stop *stop; /* NULL: never */
};
/* Unpacks into a hidden folder of `folder`, then moves what lies at its top into `folder`: all of it, or after an error nothing
 * of it, is there. Only files and folders are made; a link, a device, or a name that leads out is BIOFT_ERR_FORMAT. What
 * exists already is never replaced. */
bioft_status unpack(const struct unpack_params *p, struct error *err);

#endif
