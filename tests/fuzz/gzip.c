/* gzip: never more than the bound, and a NUL after the end. */
#include "fuzz.h"

#include "formats/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { BOUND = 100000 };
    uint8_t *out;
    size_t out_size;
    struct error err = { .text = "" };
    if (gzip_unpack("t", data, size, BOUND, &out, &out_size, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0');
        return 0;
    }
    MUST(out_size <= BOUND && out[out_size] == 0 && gzip_is(data, size));
    free(out);
    return 0;
}
