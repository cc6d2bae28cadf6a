/* NumPy's .npz. */
#include "formats/npz.h"

#include "base/text.h"
#include "formats/zip.h"

#include <stdio.h>
#include <stdlib.h>

static bioft_status read_entry(const char *name, const struct zip_entry *e, struct npy *ret, struct error *err)
{
    char escaped[TEXT_ESCAPED], *place = NULL;
    uint8_t *unpacked = NULL;
    bioft_status st = e->deflated ? zip_unpack(name, e, &unpacked, err) : zip_verify(name, &e, 1, NULL, err);
    text_escape(escaped, e->path, e->path_length);
    if (st == BIOFT_OK && asprintf(&place, "%s: %s", name, escaped) < 0)
        st = error_memory(err, name);
    if (st == BIOFT_OK)
        st = npy_parse(place, e->deflated ? unpacked : e->bytes, (size_t)e->unpacked, ret, err);
    free(place);
    free(unpacked);
    return st;
}

bioft_status npz_parse(const char *name, const uint8_t *bytes, size_t size, const char *const *names, size_t count,
                       struct npy *ret, struct error *err)
{
    struct zip zip = { .entries = NULL };
    bioft_status st = zip_parse(name, bytes, size, ZIP_NUMPY, &zip, err);
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct npy){ .data = NULL };
    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        char path[256];
        const int length = snprintf(path, sizeof path, "%s.npy", names[i]);
        const struct zip_entry *e = length > 0 && (size_t)length < sizeof path ? zip_find(&zip, path, (size_t)length)
                                                                               : NULL;
        if (e)
            st = read_entry(name, e, &ret[i], err);
    }
    zip_free(&zip);
    for (size_t i = 0; st != BIOFT_OK && i < count; i++)
        npy_free(&ret[i]);
    return st;
}
