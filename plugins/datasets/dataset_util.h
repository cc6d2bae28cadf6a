/* What the datasets of this folder share: the files extension, the protocol, one label as a bit. */
#ifndef DATASET_UTIL_H
#define DATASET_UTIL_H

#include <bioft/dataset.h>
#include <bioft/util.h>
#include <string.h>

static inline const bioft_files *files_of(const bioft_host *host)
{
    return host->get_extension(host, "bioft.files/1");
}

/* Refuses a protocol that this dataset has no splits for. known: "classification" and such, NULL at
 * the end. */
static inline bioft_status check_protocol(const bioft_host *host, const char *const *known)
{
    const char *asked = files_of(host)->protocol(host);
    for (size_t i = 0; asked && known[i]; i++)
        if (!strcmp(asked, known[i]))
            return BIOFT_OK;
    if (!asked)
        return BIOFT_OK;
    return bioft_failf(host, BIOFT_ERR_UNSUPPORTED,
                       "protocol '%s' is not known; there is '%s'%s%s%s", asked, known[0],
                       known[1] ? " and '" : "", known[1] ? known[1] : "", known[1] ? "'" : "");
}

static inline void set_label(uint64_t *bits, uint32_t label)
{
    bits[label / 64] |= UINT64_C(1) << (label % 64);
}

static inline bioft_status sample_name(const bioft_host *host, const char *split, uint64_t index,
                                       char *ret, size_t size)
{
    const int n = snprintf(ret, size, "%s/%llu", split, (unsigned long long)index);
    return n >= 0 && (size_t)n < size
               ? BIOFT_OK
               : host->fail(host, BIOFT_ERR_INVALID, "no room for a sample's name");
}

#endif
