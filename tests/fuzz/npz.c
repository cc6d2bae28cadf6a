/* .npz, and the pickled dicts of CIFAR's Python releases: arrays that are taken have the bytes that their shapes need. The
 * first byte's last bit chooses the dict. */
#include "fuzz.h"

#include "formats/npz.h"
#include "formats/pickle_dict.h"

#include <string.h>

static void read_dict(const uint8_t *bytes, size_t size)
{
    struct pickle_field fields[] = { { .key = "data" }, { .key = "labels" }, { .key = "label_names" } };
    struct error err = { .text = "" };
    const size_t count = sizeof fields / sizeof *fields;

    if (pickle_dict_read("t", bytes, size, fields, count, &err) != BIOFT_OK)
        MUST(err.text[0] != '\0');
    for (size_t i = 0; i < count && !err.text[0]; i++) {
        uint64_t n = 1;
        for (unsigned d = 0; d < fields[i].dims; d++)
            n *= fields[i].shape[d];
        if (fields[i].kind == PICKLE_FIELD_ARRAY) {
            const uint8_t *data = fields[i].data;
            MUST(n <= size && (n == 0 || (data >= bytes && data + n <= bytes + size)));
        }
        for (uint64_t k = 0; fields[i].kind == PICKLE_FIELD_TEXTS && k < n; k++)
            MUST(strlen(((const char *const *)fields[i].data)[k]) <= size);
    }
    pickle_dict_free(fields, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "a", "train_images" };
    struct npy arrays[2] = { { .data = NULL } };
    struct error err = { .text = "" };

    if (size == 0)
        return 0;
    if (data[0] & 1) {
        read_dict(data + 1, size - 1);
        return 0;
    }
    if (npz_parse("t", data + 1, size - 1, names, 2, arrays, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0');
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        const size_t item = arrays[i].dtype == NPY_U8 ? 1 : arrays[i].dtype == NPY_F32 ? 4 : 8;
        volatile char last = arrays[i].data && arrays[i].count
                                 ? ((const char *)arrays[i].data)[arrays[i].count * item - 1]
                                 : 0;
        (void)last;
        npy_free(&arrays[i]);
    }
    return 0;
}
