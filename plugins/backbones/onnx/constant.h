/* Arrays that are known before the network runs: initialisers, constants, and what only reshapes them. */
#ifndef ONNX_CONSTANT_H
#define ONNX_CONSTANT_H

#include "model.h"

enum { DIMS = 8 };

struct constant {
    const onnx_array *array; /* NULL: a node's own list, or `filled` */
    const Onnx__AttributeProto *list;
    bool filled; /* ConstantOfShape: one value, which a file without weights has */
    int64_t dims[DIMS];
    uint32_t rank;
    size_t count;
};
/* Is this tensor constant? Its shape then; its values are not read. False, with a fault, where it is one and broken. */
bool constant_find(const struct model *m, const char *name, struct constant *ret, struct fault *f);
/* Its values into ret of its count; name is for messages. */
bioft_status constant_floats(const struct model *m, const char *name, const struct constant *c, float *ret,
                             struct fault *f);
bioft_status constant_ints(const struct model *m, const char *name, const struct constant *c, int64_t *ret,
                           struct fault *f);
/* Up to `most` whole numbers of a constant of one dimension; false, perhaps with a fault, where it is not such. */
bool constant_list(const struct model *m, const char *name, int64_t *ret, uint32_t most, uint32_t *ret_count,
                   struct fault *f);
/* The one number of a constant; false, perhaps with a fault, where it is not such. */
bool constant_number(const struct model *m, const char *name, double *ret, struct fault *f);

#endif
