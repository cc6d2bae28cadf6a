/* .npy: what is read has the size its shape says. What begins like a zip archive is read as .npz. */
#include "fuzz.h"

#include "formats/npz.h"

static void read_archive(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "a", "b" };
    struct npy npy[2];
    struct error err = { .text = "" };
    if (npz_parse("t", data, size, names, 2, npy, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0');
        return;
    }
    for (int i = 0; i < 2; i++)
        npy_free(&npy[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy npy;
    struct error err = { .text = "" };
    if (size > 4 && data[0] == 'P' && data[1] == 'K') {
        read_archive(data, size);
        return 0;
    }
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
