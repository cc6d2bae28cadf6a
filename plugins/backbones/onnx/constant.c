/* Constant arrays: their shape through nodes that only reshape, their values from any of the places that ONNX has. */
#include "constant.h"

#include <stdlib.h>
#include <string.h>

/* TensorProto.DataType. */
enum { FLOAT = 1, INT32 = 6, INT64 = 7, FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16 };

static bool set_count(struct constant *c)
{
    c->count = 1;
    for (uint32_t i = 0; i < c->rank; i++) {
        if (c->dims[i] < 0 || (c->dims[i] > 0 && c->count > (size_t)INT32_MAX / (size_t)c->dims[i]))
            return false;
        c->count *= (size_t)c->dims[i];
    }
    return true;
}

static bool too_large(const struct model *m, const char *name, struct fault *f)
{
    char a[SHOWN];

    fault_set(f, BIOFT_ERR_UNSUPPORTED, "%s: the shape of '%s' is not one of at most %d dimensions and %d values",
              m->path, shown(a, name), DIMS, INT32_MAX);
    return false;
}

static bool of_array(const struct model *m, const char *name, const onnx_array *a, struct constant *ret,
                     struct fault *f)
{
    *ret = (struct constant){ .array = a, .rank = (uint32_t)a->n_dims };
    if (a->n_dims > DIMS)
        return too_large(m, name, f);
    for (uint32_t i = 0; i < ret->rank; i++)
        ret->dims[i] = a->dims[i];
    return set_count(ret) || too_large(m, name, f);
}

static bool of_list(const struct model *m, const char *name, const Onnx__AttributeProto *a, bool scalar,
                    struct constant *ret, struct fault *f)
{
    const size_t count = a->n_floats ? a->n_floats : a->n_ints;

    *ret = (struct constant){ .list = a, .rank = scalar ? 0 : 1, .dims = { scalar ? 1 : (int64_t)count } };
    return set_count(ret) || too_large(m, name, f);
}

static bool of_constant(const struct model *m, const onnx_node *n, struct constant *ret, struct fault *f)
{
    static const char *const lists[] = { "value_float", "value_int", "value_floats", "value_ints" };
    const Onnx__AttributeProto *a = attribute(n, "value");

    if (a && a->t) {
        if (a->t->n_external_data > 0 || a->t->data_location != 0) {
            char name[SHOWN];
            fault_set(f, BIOFT_ERR_UNSUPPORTED, "%s: the value of node '%s' is in another file, which is not read",
                      m->path, shown(name, n->name));
            return false;
        }
        return of_array(m, n->output[0], a->t, ret, f);
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if ((a = attribute(n, lists[i])))
            return of_list(m, n->output[0], a, i < 2, ret, f);
    return false;
}

/* An initialiser or a Constant itself; its node into *ret_node where it is neither. */
static bool find_plain(const struct model *m, const char *name, struct constant *ret, const onnx_node **ret_node,
                       struct fault *f)
{
    const uint32_t at = *name ? model_find(m, name) : NOWHERE;
    const onnx_node *n;

    *ret_node = NULL;
    if (at == NOWHERE || at == m->input)
        return false;
    if (m->names[at].array)
        return of_array(m, name, m->names[at].array, ret, f);
    n = m->graph->node[m->names[at].node];
    if (!n->op_type || n->n_output == 0)
        return false;
    if (strcmp(n->op_type, "Constant") == 0)
        return of_constant(m, n, ret, f);
    *ret_node = n;
    return false;
}

static bool list_of(const struct model *m, const char *name, const struct constant *c, int64_t *ret, uint32_t most,
                    uint32_t *ret_count, struct fault *f)
{
    if (c->rank > 1 || c->count > most || c->filled || constant_ints(m, name, c, ret, f) != BIOFT_OK)
        return false;
    *ret_count = (uint32_t)c->count;
    return true;
}

static bool plain_list(const struct model *m, const char *name, int64_t *ret, uint32_t most, uint32_t *ret_count,
                       struct fault *f)
{
    struct constant c;
    const onnx_node *other;

    return find_plain(m, name, &c, &other, f) && list_of(m, name, &c, ret, most, ret_count, f);
}

static bool of_shape(const struct model *m, const onnx_node *n, struct constant *ret, struct fault *f)
{
    struct constant c = { .filled = true };

    if (n->n_input != 1 || !plain_list(m, n->input[0], c.dims, DIMS, &c.rank, f))
        return false;
    *ret = c;
    return set_count(ret) || too_large(m, n->output[0], f);
}

/* Sides of 1 put in at its axes, which count the result's. */
static bool unsqueeze(const struct model *m, const onnx_node *n, struct constant *c, struct fault *f)
{
    const Onnx__AttributeProto *a = attribute(n, "axes");
    int64_t axes[DIMS];
    uint32_t count = 0, from = 0;
    struct constant wide = *c;
    bool one[DIMS] = { false };

    if (a && a->n_ints <= DIMS)
        for (; count < a->n_ints; count++)
            axes[count] = a->ints[count];
    else if (a || n->n_input < 2 || !plain_list(m, n->input[1], axes, DIMS, &count, f))
        return false;
    wide.rank = c->rank + count;
    if (wide.rank > DIMS)
        return too_large(m, n->output[0], f);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t at = axes[i] < 0 ? axes[i] + wide.rank : axes[i];
        if (at < 0 || at >= wide.rank || one[at])
            return false;
        one[at] = true;
    }
    for (uint32_t i = 0; i < wide.rank; i++)
        wide.dims[i] = one[i] ? 1 : c->dims[from++];
    *c = wide;
    return true;
}

/* What lies between a constant and its use: nodes that hand it on, a few at most. */
bool constant_find(const struct model *m, const char *name, struct constant *ret, struct fault *f)
{
    enum { FAR = 8 };
    const onnx_node *reshapes[FAR];
    uint32_t count = 0;
    bool found = false;

    for (;;) {
        const onnx_node *n;
        if ((found = find_plain(m, name, ret, &n, f)) || !n)
            break;
        if (strcmp(n->op_type, "ConstantOfShape") == 0) {
            found = of_shape(m, n, ret, f);
            break;
        }
        if ((strcmp(n->op_type, "Identity") != 0 && strcmp(n->op_type, "Unsqueeze") != 0) || n->n_input == 0 ||
            count == FAR)
            return false;
        reshapes[count++] = n;
        name = n->input[0];
    }
    while (found && count-- > 0)
        if (strcmp(reshapes[count]->op_type, "Unsqueeze") == 0)
            found = unsqueeze(m, reshapes[count], ret, f);
    return found;
}

static uint64_t little(const uint8_t *bytes, size_t size)
{
    uint64_t v = 0;

    for (size_t i = size; i-- > 0;)
        v = v << 8 | bytes[i];
    return v;
}

static float from_bits(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static float from_half(uint32_t h)
{
    const uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31, fraction = h & 1023;

    if (exponent == 31)
        return from_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent == 0)
        return (sign ? -1.0f : 1.0f) * (float)fraction * 0x1p-24f;
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static float number_of(int32_t type, uint64_t bits)
{
    double d;

    switch (type) {
    case FLOAT16: return from_half((uint32_t)bits);
    case BFLOAT16: return from_bits((uint32_t)bits << 16);
    case DOUBLE: memcpy(&d, &bits, sizeof d); return (float)d;
    default: return from_bits((uint32_t)bits);
    }
}

static size_t size_of(int32_t type)
{
    switch (type) {
    case FLOAT:
    case INT32: return 4;
    case FLOAT16:
    case BFLOAT16: return 2;
    case INT64:
    case DOUBLE: return 8;
    default: return 0;
    }
}

static bioft_status fail_count(const struct model *m, const char *name, const struct constant *c, size_t has,
                               struct fault *f)
{
    char a[SHOWN];
    return fault_set(f, BIOFT_ERR_FORMAT, "%s: '%s' has %zu values, its shape %zu", m->path, shown(a, name), has,
                     c->count);
}

static bioft_status fail_type(const struct model *m, const char *name, const struct constant *c, const char *wanted,
                              struct fault *f)
{
    char a[SHOWN];
    return fault_set(f, BIOFT_ERR_UNSUPPORTED, "%s: '%s' has data type %d of ONNX, and not %s", m->path, shown(a, name),
                     c->array ? c->array->data_type : 0, wanted);
}

bioft_status constant_floats(const struct model *m, const char *name, const struct constant *c, float *ret,
                             struct fault *f)
{
    const onnx_array *a = c->array;
    const int32_t type = a ? a->data_type : FLOAT;
    const size_t size = size_of(type);

    if (c->list) {
        const Onnx__AttributeProto *l = c->list;
        if (c->rank == 0 ? !l->has_f : l->n_floats != c->count)
            return fail_type(m, name, c, "a floating-point one", f);
        for (size_t i = 0; i < c->count; i++)
            ret[i] = c->rank == 0 ? l->f : l->floats[i];
        return BIOFT_OK;
    }
    if (!a || size == 0 || type == INT32 || type == INT64)
        return fail_type(m, name, c, "float, float16, bfloat16 or double", f);
    if (a->has_raw_data) {
        if (a->raw_data.len != c->count * size)
            return fail_count(m, name, c, a->raw_data.len / size, f);
        for (size_t i = 0; i < c->count; i++)
            ret[i] = number_of(type, little(a->raw_data.data + i * size, size));
        return BIOFT_OK;
    }
    const size_t has = type == FLOAT ? a->n_float_data : type == DOUBLE ? a->n_double_data : a->n_int32_data;
    if (has != c->count)
        return fail_count(m, name, c, has, f);
    for (size_t i = 0; i < c->count; i++)
        ret[i] = type == FLOAT    ? a->float_data[i]
                 : type == DOUBLE ? (float)a->double_data[i]
                                  : number_of(type, (uint16_t)a->int32_data[i]);
    return BIOFT_OK;
}

bioft_status constant_ints(const struct model *m, const char *name, const struct constant *c, int64_t *ret,
                           struct fault *f)
{
    const onnx_array *a = c->array;
    const int32_t type = a ? a->data_type : INT64;
    const size_t size = size_of(type);

    if (c->list) {
        const Onnx__AttributeProto *l = c->list;
        if (c->rank == 0 ? !l->has_i : l->n_ints != c->count)
            return fail_type(m, name, c, "an integer one", f);
        for (size_t i = 0; i < c->count; i++)
            ret[i] = c->rank == 0 ? l->i : l->ints[i];
        return BIOFT_OK;
    }
    if (!a || (type != INT32 && type != INT64))
        return fail_type(m, name, c, "int32 or int64", f);
    if (a->has_raw_data) {
        if (a->raw_data.len != c->count * size)
            return fail_count(m, name, c, a->raw_data.len / size, f);
        for (size_t i = 0; i < c->count; i++) {
            const uint64_t bits = little(a->raw_data.data + i * size, size);
            ret[i] = type == INT32 ? (int64_t)(int32_t)(uint32_t)bits : (int64_t)bits;
        }
        return BIOFT_OK;
    }
    const size_t has = type == INT64 ? a->n_int64_data : a->n_int32_data;
    if (has != c->count)
        return fail_count(m, name, c, has, f);
    for (size_t i = 0; i < c->count; i++)
        ret[i] = type == INT64 ? a->int64_data[i] : a->int32_data[i];
    return BIOFT_OK;
}

bool constant_list(const struct model *m, const char *name, int64_t *ret, uint32_t most, uint32_t *ret_count,
                   struct fault *f)
{
    struct constant c;

    return constant_find(m, name, &c, f) && list_of(m, name, &c, ret, most, ret_count, f);
}

bool constant_number(const struct model *m, const char *name, double *ret, struct fault *f)
{
    struct constant c;
    float value;

    if (!constant_find(m, name, &c, f) || c.count != 1 || c.filled ||
        constant_floats(m, name, &c, &value, f) != BIOFT_OK)
        return false;
    *ret = (double)value;
    return true;
}
