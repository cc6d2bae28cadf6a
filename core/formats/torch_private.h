/* What the readers of the two .pth formats share: storages found by their keys. */
#ifndef FORMATS_TORCH_PRIVATE_H
#define FORMATS_TORCH_PRIVATE_H

#include "base/memory.h"
#include "formats/torch.h"
#include "formats/torch_pickle.h"
#include "formats/zip.h"

struct torch_reading {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    const struct torch_params *params;
    struct pickle pickle; /* of the object */
    struct pickle_value object;
    struct zip zip; /* zero in a legacy file */
    /* [pickle.storage_count], by the pickle's number of a use of a storage: */
    uint32_t *order;                /* the uses sorted by key */
    uint32_t *first;                /* the first use, in that order, of the same key */
    const uint8_t **data;           /* where the storage begins; of a first use */
    const struct zip_entry **entry; /* of a first use; NULL in a legacy file */
    bool *used;                     /* by a tensor of the state dict; of a first use */
    struct error *err;
};

/* "NAME: storage 'KEY': ..." */
__attribute__((format(printf, 3, 4))) bioft_status torch_storage_fail(struct torch_reading *r, uint32_t use,
                                                                      const char *format, ...);
/* Fills order and first after the pickle has run; uses that disagree are refused. */
bioft_status torch_group_storages(struct torch_reading *r);
/* The first use of a key; UINT32_MAX: none. */
uint32_t torch_find_storage(const struct torch_reading *r, const char *key, size_t length);
/* Bytes that a use's whole storage has. */
uint64_t torch_storage_bytes(const struct torch_reading *r, uint32_t use);

bioft_status torch_read_zip(struct torch_reading *r);
bioft_status torch_read_legacy(struct torch_reading *r);
/* Finds the state dict in the object and makes its entries. */
bioft_status torch_find_state(struct torch_reading *r, struct torch_file *ret);

#endif
