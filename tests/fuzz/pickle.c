/* The machine that reads a .pth's pickle, without the archive around it; the first byte's last bit
 * chooses the older format's persistent ids, its second NumPy's arrays instead of tensors. */
#include "fuzz.h"

#include "formats/torch_pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pickle_value value = { .type = PICKLE_UNSET };
    struct error err = { .text = "" };
    if (size == 0)
        return 0;
    struct pickle p = { .name = "t",
                        .bytes = data + 1,
                        .size = size - 1,
                        .legacy = data[0] & 1,
                        .data = data[0] >> 1 & 1,
                        .budget = 1 << 20 };
    if (pickle_run(&p, &value, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0');
    } else {
        MUST(value.type != PICKLE_UNSET && value.type != PICKLE_MARK && p.at <= p.size);
        for (size_t i = 0; i < p.tensor_count; i++) {
            const struct pickle_tensor *t = &p.tensors[i];
            uint64_t last = t->offset;
            for (unsigned d = 0; d < t->dims && t->count > 0; d++)
                last += (t->shape[d] - 1) * t->stride[d];
            MUST(t->count > 0 ? last < p.storages[t->storage].size : true);
        }
        for (size_t i = 0; i < p.array_count; i++) {
            const struct pickle_array *a = &p.arrays[i];
            MUST(!a->bytes || a->count * (uint64_t)(a->code[1] - '0') <= p.size);
        }
    }
    pickle_free(&p);
    return 0;
}
