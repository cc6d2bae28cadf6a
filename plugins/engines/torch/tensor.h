/* Tensors and calls of operators. Every handle that is made is counted and given back; what fails leaves its text in
 * the engine (torch_failed) and returns NULL or false. */
#ifndef TORCH_TENSOR_H
#define TORCH_TENSOR_H

#include "engine.h"

/* Sizes and strides in elements. */
struct shape {
    int32_t dims;
    int64_t size[4], stride[4];
};
/* Images with the channels last, as libtorch's kernels like them, and in the contract's order. */
struct shape shape_image(int64_t n, int64_t c, int64_t h, int64_t w);
struct shape shape_plain(int64_t n, int64_t c, int64_t h, int64_t w);
struct shape shape_matrix(int64_t rows, int64_t columns);
struct shape shape_vector(int64_t n);
struct shape shape_number(void);
int64_t shape_count(const struct shape *s);

tensor tensor_empty(struct torch *t, const struct shape *s, int32_t dtype);
tensor tensor_zeros(struct torch *t, const struct shape *s, int32_t dtype);
/* The host's memory as a tensor, and host memory from which a GPU copies at full speed. */
tensor tensor_of_host(struct torch *t, const void *data, const struct shape *s, int32_t dtype);
tensor tensor_pinned(struct torch *t, const struct shape *s, int32_t dtype);
void *tensor_memory(struct torch *t, tensor x);
/* Another handle, the same memory; and the same memory in another shape. */
tensor tensor_same(struct torch *t, tensor x);
tensor tensor_view(struct torch *t, tensor x, const struct shape *s, int64_t offset);
void tensor_drop(struct torch *t, tensor *x);              /* NULL is fine; *x becomes NULL */
bool tensor_copy(struct torch *t, tensor to, tensor from); /* layout, type and device */
bool tensor_clear(struct torch *t, tensor x);
tensor tensor_number(struct torch *t, double value); /* 0-d float32 on the device */
bool tensor_set_number(struct torch *t, tensor number, double value);
tensor tensor_sum(struct torch *t, tensor a, tensor b, double factor); /* a + factor b */
tensor tensor_times(struct torch *t, tensor x, double factor);
bool tensor_is_laid_out(struct torch *t, tensor x, const struct shape *s); /* of that size, by those strides */
/* x itself where it is laid out like that, else a copy: what may be viewed in another shape. */
tensor tensor_laid_out(struct torch *t, tensor x, const struct shape *s);
/* x with the sizes of s, `from` in dimension `dim`: the same memory. */
tensor tensor_part(struct torch *t, tensor x, const struct shape *s, int32_t dim, int64_t from);
/* Plain float32 of the host, `s` being its shape, to and from a tensor of any layout and type. */
bool tensor_read(struct torch *t, tensor x, const struct shape *s, float *ret);
bool tensor_write(struct torch *t, tensor x, const struct shape *s, const float *values);

/* A call of an operator through the dispatcher: begun, given its arguments in order, run. */
struct call {
    struct torch *t;
    const char *op, *overload;
    stack_value stack[24];
    uint32_t count;
    bool failed;
};
struct call call_begin(struct torch *t, const char *op, const char *overload);
void call_tensor(struct call *c, tensor x);        /* lends: x stays the caller's */
void call_give(struct call *c, tensor x);          /* x is the call's */
void call_some_tensor(struct call *c, tensor x);   /* Tensor?; NULL: none */
void call_integer(struct call *c, int64_t v);      /* int, bool, dtype */
void call_some_integer(struct call *c, int64_t v); /* int?, dtype? */
void call_number(struct call *c, double v);
void call_none(struct call *c);
void call_integers(struct call *c, const int64_t *v, size_t count);
void call_pair(struct call *c, const uint32_t v[2]);
void call_some_integers(struct call *c, const int64_t *v, size_t count); /* int[]? */
void call_tensors(struct call *c, const tensor *v, size_t count);
void call_text(struct call *c, const char *text);
/* The first `count` results are tensors; those whose place in ret is wanted go there, the others are given
 * back. */
bool call_run(struct call *c, tensor *const *ret, uint32_t count);
tensor call_one(struct call *c); /* the only result */
/* One tensor in, one out. */
tensor call_simple(struct torch *t, const char *op, tensor x);
tensor call_two(struct torch *t, const char *op, const char *overload, tensor a, tensor b);

#endif
