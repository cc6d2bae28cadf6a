/* The JSON header of a safetensors file, read by yajl's callbacks into tables. */
#ifndef FORMATS_SAFETENSORS_HEADER_H
#define FORMATS_SAFETENSORS_HEADER_H

#include "base/memory.h"
#include "formats/safetensors.h"

enum { SAFETENSORS_HEADER = 100000000 };

struct tensor_range {
    struct tensor_entry entry; /* first: an entry is found from its range and the reverse */
    uint64_t begin, end;       /* as the header says, not checked */
    size_t order;              /* in the header */
};
struct safetensors_header {
    struct tensor_range *tensors;
    size_t count, capacity;
    struct safetensors_meta *metadata;
    size_t metadata_count, metadata_capacity;
};

/* text: the header's bytes, the file's from byte 8 on. Texts are the arena's; the tables are freed
 * by safetensors_header_free, after an error too. Duplicate names are not looked for. */
bioft_status safetensors_header_parse(const char *name, const uint8_t *text, size_t size, struct arena *arena,
                                      struct safetensors_header *ret, struct error *err);
void safetensors_header_free(struct safetensors_header *h);

#endif
