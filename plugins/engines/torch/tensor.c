/* Tensors: made, viewed, copied, given back. */
#include "tensor.h"

#include <stdio.h>
#include <string.h>

struct shape shape_image(int64_t n, int64_t c, int64_t h, int64_t w)
{
    return (struct shape){ 4, { n, c, h, w }, { c * h * w, 1, w * c, c } };
}

struct shape shape_plain(int64_t n, int64_t c, int64_t h, int64_t w)
{
    return (struct shape){ 4, { n, c, h, w }, { c * h * w, h * w, w, 1 } };
}

struct shape shape_matrix(int64_t rows, int64_t columns)
{
    return (struct shape){ 2, { rows, columns }, { columns, 1 } };
}

struct shape shape_vector(int64_t n) { return (struct shape){ 1, { n }, { 1 } }; }

struct shape shape_number(void) { return (struct shape){ .dims = 0 }; }

int64_t shape_count(const struct shape *s)
{
    int64_t count = 1;

    for (int32_t i = 0; i < s->dims; i++)
        count *= s->size[i];
    return count;
}

/* The first line of what libtorch says, where it says something. */
static void keep_error(struct torch *t, const char *doing)
{
    const char *text = t->f.torch_exception_get_what_without_backtrace
                           ? t->f.torch_exception_get_what_without_backtrace()
                           : NULL;

    if (text && *text)
        snprintf(t->error, sizeof t->error, "%s: %.*s", doing, (int)strcspn(text, "\n"), text);
    else
        snprintf(t->error, sizeof t->error, "%s failed", doing);
    t->status = strstr(t->error, "out of memory") || strstr(t->error, "allocate memory") ? BIOFT_ERR_MEMORY
                                                                                         : BIOFT_ERR_UNSUPPORTED;
}

/* A handle that a function has made. */
static tensor counted(struct torch *t, int32_t code, const tensor *made, const char *doing)
{
    if (code == 0) {
        t->live++;
        return *made;
    }
    keep_error(t, doing);
    return NULL;
}

tensor tensor_empty(struct torch *t, const struct shape *s, int32_t dtype)
{
    tensor ret = NULL;
    const int32_t code = t->f.aoti_torch_empty_strided(s->dims, s->size, s->stride, dtype, t->device_type,
                                                       t->device_index, &ret);

    return counted(t, code, &ret, "a tensor");
}

tensor tensor_zeros(struct torch *t, const struct shape *s, int32_t dtype)
{
    tensor ret = tensor_empty(t, s, dtype);

    if (ret && !tensor_clear(t, ret))
        tensor_drop(t, &ret);
    return ret;
}

tensor tensor_of_host(struct torch *t, const void *data, const struct shape *s, int32_t dtype)
{
    tensor ret = NULL;
    const int32_t code = t->f.aoti_torch_create_tensor_from_blob((void *)(uintptr_t)data, s->dims, s->size, s->stride,
                                                                 0, dtype, t->cpu, 0, &ret);

    return counted(t, code, &ret, "a tensor of the host's memory");
}

tensor tensor_pinned(struct torch *t, const struct shape *s, int32_t dtype)
{
    tensor ret = NULL;
    const int32_t code = t->on_host ? t->f.aoti_torch_empty_strided(s->dims, s->size, s->stride, dtype, t->cpu, 0, &ret)
                                    : t->f.aoti_torch_empty_strided_pinned(s->dims, s->size, s->stride, dtype, t->cpu,
                                                                           0, &ret);

    return counted(t, code, &ret, "memory for transfers");
}

void *tensor_memory(struct torch *t, tensor x)
{
    void *ret = NULL;

    return t->f.aoti_torch_get_data_ptr(x, &ret) == 0 ? ret : NULL;
}

tensor tensor_same(struct torch *t, tensor x)
{
    tensor ret = NULL;

    return counted(t, t->f.aoti_torch_new_tensor_handle(x, &ret), &ret, "a handle");
}

tensor tensor_view(struct torch *t, tensor x, const struct shape *s, int64_t offset)
{
    tensor ret = NULL;
    const int32_t code = t->f.aoti_torch__reinterpret_tensor(x, s->dims, s->size, s->stride, offset, &ret);

    return counted(t, code, &ret, "a view");
}

void tensor_drop(struct torch *t, tensor *x)
{
    if (!*x)
        return;
    t->f.aoti_torch_delete_tensor_object(*x);
    t->live--;
    *x = NULL;
}

bool tensor_copy(struct torch *t, tensor to, tensor from)
{
    if (t->f.aoti_torch_copy_(to, from, 0) == 0)
        return true;
    keep_error(t, "a copy");
    return false;
}

bool tensor_clear(struct torch *t, tensor x)
{
    if (t->f.aoti_torch_zero_(x) == 0)
        return true;
    keep_error(t, "zeros");
    return false;
}

bool tensor_set_number(struct torch *t, tensor number, double value)
{
    const float host = (float)value;
    const struct shape s = shape_number();
    tensor from = tensor_of_host(t, &host, &s, t->float32);
    const bool good = from && tensor_copy(t, number, from);

    tensor_drop(t, &from);
    return good;
}

tensor tensor_number(struct torch *t, double value)
{
    const struct shape s = shape_number();
    tensor ret = tensor_empty(t, &s, t->float32);

    if (ret && !tensor_set_number(t, ret, value))
        tensor_drop(t, &ret);
    return ret;
}

tensor tensor_sum(struct torch *t, tensor a, tensor b, double factor)
{
    tensor ret = NULL;

    return counted(t, t->add_tensor(a, b, factor, &ret), &ret, "a sum");
}

tensor tensor_times(struct torch *t, tensor x, double factor)
{
    tensor ret = NULL;

    return counted(t, t->multiply_number(x, factor, &ret), &ret, "a product");
}

bool tensor_is_laid_out(struct torch *t, tensor x, const struct shape *s)
{
    int64_t dims, *sizes, *strides;

    if (t->f.aoti_torch_get_dim(x, &dims) != 0 || dims != s->dims || t->f.aoti_torch_get_sizes(x, &sizes) != 0 ||
        t->f.aoti_torch_get_strides(x, &strides) != 0)
        return false;
    for (int32_t i = 0; i < s->dims; i++)
        if (sizes[i] != s->size[i] || (sizes[i] > 1 && strides[i] != s->stride[i]))
            return false;
    return true;
}

tensor tensor_laid_out(struct torch *t, tensor x, const struct shape *s)
{
    int32_t type = t->float32;
    tensor ret;

    if (tensor_is_laid_out(t, x, s))
        return tensor_same(t, x);
    t->f.aoti_torch_get_dtype(x, &type);
    ret = tensor_empty(t, s, type);
    if (ret && !tensor_copy(t, ret, x))
        tensor_drop(t, &ret);
    return ret;
}

tensor tensor_part(struct torch *t, tensor x, const struct shape *s, int32_t dim, int64_t from)
{
    struct shape part = *s;
    int64_t *strides;

    if (t->f.aoti_torch_get_strides(x, &strides) != 0)
        return NULL;
    memcpy(part.stride, strides, (size_t)s->dims * sizeof *strides);
    return tensor_view(t, x, &part, from * part.stride[dim]);
}

/* Device memory in the host's order and type: between devices only like is copied to like without detours. */
static tensor plain_copy(struct torch *t, tensor x, const struct shape *s)
{
    tensor ret = tensor_empty(t, s, t->float32);

    if (ret && x && !tensor_copy(t, ret, x))
        tensor_drop(t, &ret);
    return ret;
}

bool tensor_read(struct torch *t, tensor x, const struct shape *s, float *ret)
{
    tensor host = tensor_of_host(t, ret, s, t->float32), copy = NULL;
    bool good = host;

    if (good && !t->on_host) {
        copy = plain_copy(t, x, s);
        good = copy;
    }
    good = good && tensor_copy(t, host, copy ? copy : x);
    tensor_drop(t, &copy);
    tensor_drop(t, &host);
    return good;
}

bool tensor_write(struct torch *t, tensor x, const struct shape *s, const float *values)
{
    tensor host = tensor_of_host(t, values, s, t->float32), copy = NULL;
    bool good = host;

    if (good && !t->on_host) {
        copy = plain_copy(t, NULL, s);
        good = copy && tensor_copy(t, copy, host);
    }
    good = good && tensor_copy(t, x, copy ? copy : host);
    tensor_drop(t, &copy);
    tensor_drop(t, &host);
    return good;
}
