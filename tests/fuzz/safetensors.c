/* safetensors: the tensors read cover the data, each is found by its name and converted. */
#include "fuzz.h"

#include "formats/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors *s;
    struct error err = { .text = "" };
    if (safetensors_parse("t", data, size, &s, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0');
        return 0;
    }
    const uint8_t *at = NULL;
    for (size_t i = 0; i < safetensors_count(s); i++) {
        const struct tensor_entry *e = safetensors_entry(s, i);
        MUST(safetensors_find(s, e->name) == e);
        MUST(e->bytes >= data && e->size <= size && e->bytes + e->size <= data + size);
        MUST(!at || e->bytes == at);
        at = e->bytes + e->size;
        if (e->dtype == TENSOR_UNKNOWN || e->dtype == TENSOR_OTHER)
            continue;
        MUST(e->count <= e->size);
        float *floats = malloc(e->count * sizeof *floats + 1);
        int64_t *integers = malloc(e->count * sizeof *integers + 1);
        MUST(floats && integers);
        bool real = tensor_to_float(e, floats, e->count, &err) != BIOFT_ERR_INVALID;
        bool whole = tensor_to_int64(e, integers, e->count, &err) != BIOFT_ERR_INVALID;
        MUST(real != whole);
        free(floats);
        free(integers);
    }
    MUST(!at || at == data + size);
    safetensors_metadata(s, "format");
    safetensors_close(s);
    return 0;
}
