/* .pth, zip and legacy: every tensor of a file that is taken lies within its bytes and converts.
 * The sums are not compared, or nothing but them would be tested. */
#include "fuzz.h"

#include "formats/weights.h"

enum { LARGEST = 1 << 20 }; /* elements that are converted */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weights *w = NULL;
    struct error err = { .text = "" };
    if (weights_parse("t", data, size, &(struct torch_params){ .unverified = true }, &w, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0');
        return 0;
    }
    MUST(w->count > 0 || w->format == WEIGHTS_SAFETENSORS);
    for (size_t i = 0; i < w->count; i++) {
        const struct tensor_entry *e = &w->tensors[i];
        MUST(weights_find(w, e->name) == e);
        MUST(e->bytes >= data && e->size <= size && e->bytes + e->size <= data + size);
        if (e->count > LARGEST || tensor_dtype_size(e->dtype) == 0)
            continue;
        float *floats = malloc(e->count * sizeof *floats + 1);
        int64_t *integers = malloc(e->count * sizeof *integers + 1);
        MUST(floats && integers);
        bool real = tensor_to_float(e, floats, e->count, &err) != BIOFT_ERR_INVALID;
        bool whole = tensor_to_int64(e, integers, e->count, &err) != BIOFT_ERR_INVALID;
        MUST(real != whole);
        free(floats);
        free(integers);
    }
    weights_close(w);
    return 0;
}
