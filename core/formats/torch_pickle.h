/* A pickle (Python's protocols 2 and 3), a .pth's or a dataset's, run by a machine that executes
 * nothing: it knows the opcodes and the few globals that a state dict needs. Of harmless objects that
 * checkpoints hold beside one, it makes stand-ins that are nothing and do nothing; it refuses the rest
 * by name. */
#ifndef FORMATS_TORCH_PICKLE_H
#define FORMATS_TORCH_PICKLE_H

#include "formats/tensor.h"
#include <stddef.h>

enum pickle_type {
    PICKLE_UNSET = 0,
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INTEGER,
    PICKLE_FLOAT,
    PICKLE_STRING,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_GLOBAL,
    PICKLE_STORAGE,
    PICKLE_TENSOR,
    PICKLE_INERT, /* something that is no tensor and of which nothing is known */
    PICKLE_MARK,
    /* With pickle.data: text that is not UTF-8, or bytes; NumPy's dtype and array. */
    PICKLE_BYTES,
    PICKLE_DTYPE,
    PICKLE_ARRAY
};

struct pickle_value {
    enum pickle_type type;
    uint32_t index; /* of a container, global, storage, tensor, array; the length of text and bytes */
    union {
        int64_t integer; /* also a bool's */
        double number;
        const char *text; /* in the pickle: not terminated; of a dtype its code, "u1" */
    } as;
};
struct pickle_node { /* one item of a container */
    struct pickle_value value;
    uint32_t next; /* meaningless in the last */
};
struct pickle_container { /* a dict's nodes are key, value, key, value, ... */
    enum pickle_type type;
    uint32_t first, last, count;
};

struct pickle_storage { /* one persistent id */
    const char *key;    /* decimal digits, in the pickle */
    size_t key_length;
    uint32_t type;         /* of storage_dtypes */
    uint64_t numel;        /* of the whole storage */
    uint64_t offset, size; /* the window that this one is: all of it but in old files */
};
struct pickle_tensor {
    uint32_t storage, dims;
    uint64_t offset, shape[TENSOR_DIMS], stride[TENSOR_DIMS], count;
};
struct pickle_array {     /* NumPy's */
    const uint8_t *bytes; /* in the pickle; NULL: not filled yet */
    char code[3];         /* of its dtype: "u1" */
    bool fortran_order;
    uint32_t dims;
    uint64_t shape[TENSOR_DIMS], count;
};

struct pickle {
    const char *name; /* of the file, for messages */
    const uint8_t *bytes;
    size_t size, at;  /* at: of the next opcode; after the STOP when it is done */
    size_t opcode_at; /* of the one that runs, for messages */
    uint64_t origin;  /* where the bytes stand in the file, for messages */
    bool legacy;      /* persistent ids of the format before zip */
    bool data;        /* no tensors but NumPy's arrays, lists, text and bytes */
    uint64_t budget;  /* bytes that the tensors may claim together */
    uint64_t visits;  /* of items that a global looked through */
    unsigned protocol;

    struct pickle_value *stack, *memo;
    size_t stack_count, stack_capacity, memo_count, memo_capacity;
    size_t *marks;
    size_t mark_count, mark_capacity;
    struct pickle_node *nodes;
    size_t node_count, node_capacity;
    struct pickle_container *containers;
    size_t container_count, container_capacity;
    struct pickle_storage *storages;
    size_t storage_count, storage_capacity;
    struct pickle_tensor *tensors;
    size_t tensor_count, tensor_capacity;
    struct pickle_array *arrays;
    size_t array_count, array_capacity;
    struct error *err;
};

/* Runs to the STOP; the one value left is *ret. The settings (name, bytes, size, at, origin,
 * legacy, data, budget) are the caller's, the rest zero; whatever is returned, pickle_free ends it. */
bioft_status pickle_run(struct pickle *p, struct pickle_value *ret, struct error *err);
void pickle_free(struct pickle *p); /* zero is fine */

/* The storage types by pickle_storage.type. */
enum tensor_dtype storage_dtype(uint32_t type);
const char *storage_name(uint32_t type);
size_t storage_item(uint32_t type); /* bytes of an element */

/* The i-th item of a container; count is checked by the caller. */
const struct pickle_value *pickle_item(const struct pickle *p, const struct pickle_value *container, uint32_t i);
uint32_t pickle_count(const struct pickle *p, const struct pickle_value *container);
bool pickle_is(const struct pickle_value *v, const char *text); /* that string */

/* Between the machine's files. */
__attribute__((format(printf, 2, 3))) bioft_status pickle_fail(struct pickle *p, const char *format, ...);
bioft_status pickle_step(struct pickle *p, uint8_t code);
bioft_status pickle_new(struct pickle *p, enum pickle_type type, struct pickle_value *ret);
bioft_status pickle_append(struct pickle *p, const struct pickle_value *container, const struct pickle_value *item);
bioft_status pickle_global(struct pickle *p, const char *module, size_t module_length, const char *name,
                           size_t name_length, struct pickle_value *ret);
bioft_status pickle_call(struct pickle *p, const struct pickle_value *global, const struct pickle_value *args,
                         struct pickle_value *ret);
bioft_status pickle_persistent(struct pickle *p, const struct pickle_value *id, struct pickle_value *ret);

/* The globals of pickle.data, calling them, and BUILD of an array or a dtype. */
bioft_status pickle_array_global(struct pickle *p, const char *module, size_t module_length, const char *name,
                                 size_t name_length, struct pickle_value *ret);
bioft_status pickle_array_call(struct pickle *p, const struct pickle_value *global, const struct pickle_value *args,
                               struct pickle_value *ret);
bioft_status pickle_array_build(struct pickle *p, const struct pickle_value *object, const struct pickle_value *state);

#endif
