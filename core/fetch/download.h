/* One file by HTTP or HTTPS, by libcurl: bounded, resumed, never executed. */
#ifndef FETCH_DOWNLOAD_H
#define FETCH_DOWNLOAD_H

#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"

#include <stdbool.h>
#include <stdint.h>

struct download_params {
    const char *url;
    const char *name; /* for messages */
    const char *path; /* written; what is there already is the file's beginning */
    uint64_t bytes;   /* its size; 0: not known */
    uint32_t timeout; /* seconds without a byte after which the server is given up */
    const struct log *log;
    const struct stop *stop; /* NULL: never */
};
/* Was bioft built with libcurl and libarchive? */
bool download_available(void);
/* BIOFT_ERR_IO with the reason and what to do; what has arrived stays in the file for the next time. An answer that is longer
 * than `bytes` is cut and refused, and removed. *ret_resumed: some of it was there before. BIOFT_ERR_CANCELLED: stopped. */
bioft_status download(const struct download_params *p, bool *ret_resumed, struct error *err);

#endif
