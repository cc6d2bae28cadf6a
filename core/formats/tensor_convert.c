/* Values of a tensor in a file to float and int64: half (IEEE 754 binary16) and bfloat16 exactly,
 * wherever they lie. */
#include "base/memory.h"
#include "base/text.h"
#include "formats/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are read as they are in the file");

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* 1 sign, 5 exponent (bias 15), 10 fraction bits; every value is a float's. */
static float float_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    if (exponent == 0x1f)
        return float_of_bits(sign | UINT32_C(0x7f800000) | fraction << 13);
    if (exponent == 0) {
        float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return float_of_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

static double double_at(const struct tensor_entry *t, size_t index)
{
    double value;
    memcpy(&value, t->bytes + index * sizeof value, sizeof value);
    return value;
}

static bioft_status refuse(const struct tensor_entry *t, const char *what, struct error *err)
{
    char name[TEXT_ESCAPED], dtype[TEXT_ESCAPED];
    return error_set(err, t->dtype == TENSOR_UNKNOWN ? BIOFT_ERR_UNSUPPORTED : BIOFT_ERR_INVALID,
                     "tensor '%s': %s dtype %s: %s", text_escape(name, t->name, strlen(t->name)),
                     t->dtype == TENSOR_UNKNOWN ? "unknown" : "its",
                     text_escape(dtype, t->dtype_name, strlen(t->dtype_name)), what);
}

static bioft_status check_count(const struct tensor_entry *t, size_t count, struct error *err)
{
    char name[TEXT_ESCAPED];
    if (t->count == count)
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_INVALID, "tensor '%s' has %zu elements, %zu are wanted",
                     text_escape(name, t->name, strlen(t->name)), t->count, count);
}

static bioft_status bad_value(const struct tensor_entry *t, size_t index, const char *what, struct error *err)
{
    char name[TEXT_ESCAPED];
    return error_set(err, BIOFT_ERR_FORMAT, "tensor '%s': the value at index %zu %s",
                     text_escape(name, t->name, strlen(t->name)), index, what);
}

/* The tensor row-major: itself, or a copy in *ret_room (free()). */
static bioft_status straighten(const struct tensor_entry *t, struct tensor_entry *ret, void **ret_room,
                               struct error *err)
{
    const size_t item = tensor_dtype_size(t->dtype);
    *ret = *t;
    if (!t->strided || t->count == 0)
        return BIOFT_OK;
    *ret_room = mem_array(t->count, item);
    if (!*ret_room)
        return error_memory(err, t->name);
    tensor_gather(t, *ret_room);
    ret->bytes = *ret_room;
    ret->size = t->count * item;
    ret->strided = false;
    return BIOFT_OK;
}

static bioft_status row_to_float(const struct tensor_entry *t, float *ret, size_t count, struct error *err)
{
    bool half = t->dtype == TENSOR_F16, brain = t->dtype == TENSOR_BF16;
    if (t->dtype != TENSOR_F32 && t->dtype != TENSOR_F64 && !half && !brain)
        return refuse(t, "F32, F16, BF16 and F64 load as float32", err);
    bioft_status st = check_count(t, count, err);
    if (st != BIOFT_OK || count == 0)
        return st;
    for (size_t i = 0; t->dtype == TENSOR_F64 && i < count; i++)
        if (isinf((float)double_at(t, i)) && !isinf(double_at(t, i)))
            return bad_value(t, i, "is out of float32's range", err);
    if (t->dtype == TENSOR_F32)
        memcpy(ret, t->bytes, count * sizeof *ret);
    for (size_t i = 0; (half || brain) && i < count; i++) {
        uint16_t bits;
        memcpy(&bits, t->bytes + i * sizeof bits, sizeof bits);
        ret[i] = half ? float_of_half(bits) : float_of_bits((uint32_t)bits << 16);
    }
    for (size_t i = 0; t->dtype == TENSOR_F64 && i < count; i++)
        ret[i] = (float)double_at(t, i);
    return BIOFT_OK;
}

static int64_t integer_at(const struct tensor_entry *t, size_t index)
{
    int64_t wide;
    int32_t middle;
    int16_t narrow;
    switch (t->dtype) {
    case TENSOR_I64: memcpy(&wide, t->bytes + index * sizeof wide, sizeof wide); return wide;
    case TENSOR_I32: memcpy(&middle, t->bytes + index * sizeof middle, sizeof middle); return middle;
    case TENSOR_I16: memcpy(&narrow, t->bytes + index * sizeof narrow, sizeof narrow); return narrow;
    case TENSOR_I8: return t->bytes[index] < 128 ? t->bytes[index] : (int64_t)t->bytes[index] - 256;
    default: return t->bytes[index];
    }
}

static bioft_status row_to_int64(const struct tensor_entry *t, int64_t *ret, size_t count, struct error *err)
{
    if (t->dtype != TENSOR_I64 && t->dtype != TENSOR_I32 && t->dtype != TENSOR_I16 && t->dtype != TENSOR_I8 &&
        t->dtype != TENSOR_U8 && t->dtype != TENSOR_BOOL)
        return refuse(t, "I64, I32, I16, I8, U8 and BOOL load as int64", err);
    bioft_status st = check_count(t, count, err);
    if (st != BIOFT_OK || count == 0)
        return st;
    for (size_t i = 0; t->dtype == TENSOR_BOOL && i < count; i++)
        if (t->bytes[i] > 1)
            return bad_value(t, i, "is a bool other than 0 and 1", err);
    for (size_t i = 0; i < count; i++)
        ret[i] = integer_at(t, i);
    return BIOFT_OK;
}

bioft_status tensor_to_float(const struct tensor_entry *t, float *ret, size_t count, struct error *err)
{
    struct tensor_entry row;
    void *room = NULL;
    bioft_status st = straighten(t, &row, &room, err);
    if (st == BIOFT_OK)
        st = row_to_float(&row, ret, count, err);
    free(room);
    return st;
}

bioft_status tensor_to_int64(const struct tensor_entry *t, int64_t *ret, size_t count, struct error *err)
{
    struct tensor_entry row;
    void *room = NULL;
    bioft_status st = straighten(t, &row, &room, err);
    if (st == BIOFT_OK)
        st = row_to_int64(&row, ret, count, err);
    free(room);
    return st;
}
