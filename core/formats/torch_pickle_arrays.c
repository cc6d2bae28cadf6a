/* NumPy's arrays in a pickle: the globals that one names, and the state it is built with (numpy.ndarray.__reduce__ and
 * __setstate__; a dtype likewise). */
#include "formats/torch_pickle.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

enum global { NEW_ARRAY, DTYPE, NDARRAY };
enum { STATE_ITEMS = 5 }; /* of an array: version, shape, dtype, fortran order, bytes */

static const struct {
    const char *module, *name;
    enum global global;
} globals[] = {
    { "numpy.core.multiarray", "_reconstruct", NEW_ARRAY },
    { "numpy._core.multiarray", "_reconstruct", NEW_ARRAY },
    { "numpy", "dtype", DTYPE },
    { "numpy", "ndarray", NDARRAY },
};

static bool same(const char *text, const char *bytes, size_t length)
{
    return strlen(text) == length && memcmp(text, bytes, length) == 0;
}

bioft_status pickle_array_global(struct pickle *p, const char *module, size_t module_length, const char *name,
                                 size_t name_length, struct pickle_value *ret)
{
    char escaped[2][TEXT_ESCAPED];
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (same(globals[i].module, module, module_length) && same(globals[i].name, name, name_length)) {
            *ret = (struct pickle_value){ .type = PICKLE_GLOBAL, .index = globals[i].global };
            return BIOFT_OK;
        }
    return pickle_fail(p, "global %s.%s not allowed: only lists, text and NumPy's arrays are read",
                       text_escape(escaped[0], module, module_length), text_escape(escaped[1], name, name_length));
}

bioft_status pickle_array_call(struct pickle *p, const struct pickle_value *global, const struct pickle_value *args,
                               struct pickle_value *ret)
{
    if (args->type != PICKLE_TUPLE || global->index == NDARRAY)
        return pickle_fail(p, "wrong arguments for a global of NumPy's");
    if (global->index == DTYPE) {
        const struct pickle_value *code = pickle_count(p, args) ? pickle_item(p, args, 0) : NULL;
        if (!code || code->type != PICKLE_STRING)
            return pickle_fail(p, "wrong arguments for numpy.dtype");
        *ret = *code;
        ret->type = PICKLE_DTYPE;
        return BIOFT_OK;
    }
    if (!mem_grow(&p->arrays, &p->array_capacity, p->array_count + 1, sizeof *p->arrays))
        return error_memory(p->err, p->name);
    p->arrays[p->array_count] = (struct pickle_array){ .bytes = NULL };
    *ret = (struct pickle_value){ .type = PICKLE_ARRAY, .index = (uint32_t)p->array_count++ };
    return BIOFT_OK;
}

/* The state's second item is the order of bytes; '|' where an element is one byte. */
static bioft_status build_dtype(struct pickle *p, const struct pickle_value *state)
{
    const struct pickle_value *order = state->type == PICKLE_TUPLE && pickle_count(p, state) > 1
                                           ? pickle_item(p, state, 1)
                                           : NULL;
    if (order && (pickle_is(order, "|") || pickle_is(order, "<")))
        return BIOFT_OK;
    return pickle_fail(p, "a dtype that is not little-endian");
}

static bioft_status take_shape(struct pickle *p, const struct pickle_value *shape, uint64_t item,
                               struct pickle_array *a, uint64_t *ret_bytes)
{
    a->dims = pickle_count(p, shape);
    if (a->dims > TENSOR_DIMS)
        return pickle_fail(p, "an array of %u dimensions, at most %d", a->dims, TENSOR_DIMS);
    a->count = 1;
    for (uint32_t d = 0; d < a->dims; d++) {
        const struct pickle_value *n = pickle_item(p, shape, d);
        if (n->type != PICKLE_INTEGER || n->as.integer < 0)
            return pickle_fail(p, "an array's shape is not of integers from 0");
        a->shape[d] = (uint64_t)n->as.integer;
        if (__builtin_mul_overflow(a->count, a->shape[d], &a->count))
            return pickle_fail(p, "the size of an array overflows");
    }
    if (__builtin_mul_overflow(a->count, item, ret_bytes))
        return pickle_fail(p, "the size of an array overflows");
    return BIOFT_OK;
}

static bioft_status build_array(struct pickle *p, struct pickle_array *a, const struct pickle_value *state)
{
    uint64_t need = 0;
    if (a->bytes)
        return pickle_fail(p, "an array that is built twice");
    if (state->type != PICKLE_TUPLE || pickle_count(p, state) != STATE_ITEMS)
        return pickle_fail(p, "an array's state is not %d values", STATE_ITEMS);
    const struct pickle_value *shape = pickle_item(p, state, 1), *dtype = pickle_item(p, state, 2),
                              *fortran = pickle_item(p, state, 3), *bytes = pickle_item(p, state, 4);
    if (shape->type != PICKLE_TUPLE || dtype->type != PICKLE_DTYPE || fortran->type != PICKLE_BOOL ||
        (bytes->type != PICKLE_BYTES && bytes->type != PICKLE_STRING))
        return pickle_fail(p, "an array's state is not version, shape, dtype, order and bytes");
    if (dtype->index != 2 || !strchr("uif", dtype->as.text[0]) || !strchr("1248", dtype->as.text[1]) ||
        !dtype->as.text[0] || !dtype->as.text[1])
        return pickle_fail(p, "an array that is not of numbers");
    bioft_status st = take_shape(p, shape, (uint64_t)(dtype->as.text[1] - '0'), a, &need);
    if (st != BIOFT_OK)
        return st;
    if (need != bytes->index)
        return pickle_fail(p, "an array of %llu bytes has %u", (unsigned long long)need, bytes->index);
    memcpy(a->code, dtype->as.text, 2);
    a->fortran_order = fortran->as.integer && a->dims > 1;
    a->bytes = (const uint8_t *)bytes->as.text;
    return BIOFT_OK;
}

bioft_status pickle_array_build(struct pickle *p, const struct pickle_value *object, const struct pickle_value *state)
{
    return object->type == PICKLE_DTYPE ? build_dtype(p, state) : build_array(p, &p->arrays[object->index], state);
}
