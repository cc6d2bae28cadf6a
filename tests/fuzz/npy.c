/* .npy: what is read has the size its shape says. */
#include "fuzz.h"

#include "formats/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy npy;
    struct error err = { .text = "" };
    if (npy_parse("t", data, size, &npy, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0');
        return 0;
    }
    uint64_t count = 1;
    char header[512];
    MUST(npy.dims <= 8);
    for (unsigned d = 0; d < npy.dims; d++)
        count *= npy.shape[d];
    MUST(count == npy.count && npy.count <= size);
    MUST(npy_header(npy.dtype, npy.dims, npy.shape, header, sizeof header) % 64 == 0);
    npy_free(&npy);
    return 0;
}
