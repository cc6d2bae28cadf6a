/* Calls through the dispatcher: torch/csrc/stable/c/shim.h, torch_call_dispatcher. */
#include "tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call call_begin(struct torch *t, const char *op, const char *overload)
{
    return (struct call){ .t = t, .op = op, .overload = overload };
}

static void push(struct call *c, stack_value v)
{
    if (c->count < sizeof c->stack / sizeof *c->stack)
        c->stack[c->count++] = v;
    else
        c->failed = true;
}

/* An optional that is there. Before torch 2.13 such memory is malloc's, which the call frees. */
static void push_some(struct call *c, stack_value v)
{
    stack_value *there = NULL;

    if (!c->t->f.torch_new_stable_ivalue)
        there = malloc(sizeof *there);
    else if (c->t->f.torch_new_stable_ivalue(&there) != 0)
        there = NULL;
    if (there)
        *there = v;
    else
        c->failed = true;
    push(c, (stack_value)(uintptr_t)there);
}

void call_give(struct call *c, tensor x)
{
    if (x)
        c->t->live--;
    else
        c->failed = true;
    push(c, (stack_value)(uintptr_t)x);
}

void call_tensor(struct call *c, tensor x) { call_give(c, x ? tensor_same(c->t, x) : NULL); }

void call_some_tensor(struct call *c, tensor x)
{
    tensor copy;

    if (!x) {
        call_none(c);
        return;
    }
    copy = tensor_same(c->t, x);
    if (copy)
        c->t->live--;
    else
        c->failed = true;
    push_some(c, (stack_value)(uintptr_t)copy);
}

void call_integer(struct call *c, int64_t v) { push(c, (stack_value)v); }

void call_some_integer(struct call *c, int64_t v) { push_some(c, (stack_value)v); }

void call_number(struct call *c, double v)
{
    stack_value bits;

    memcpy(&bits, &v, sizeof bits);
    push(c, bits);
}

void call_none(struct call *c) { push(c, 0); }

static tensor_list list(struct call *c, size_t count)
{
    tensor_list ret = NULL;

    if (c->t->f.torch_new_list_reserve_size(count, &ret) != 0)
        c->failed = true;
    return ret;
}

static tensor_list integers(struct call *c, const int64_t *v, size_t count)
{
    tensor_list ret = list(c, count);

    for (size_t i = 0; ret && i < count; i++)
        if (c->t->f.torch_list_push_back(ret, (stack_value)v[i]) != 0)
            c->failed = true;
    return ret;
}

void call_integers(struct call *c, const int64_t *v, size_t count)
{
    push(c, (stack_value)(uintptr_t)integers(c, v, count));
}

void call_pair(struct call *c, const uint32_t v[2]) { call_integers(c, (const int64_t[]){ v[0], v[1] }, 2); }

void call_some_integers(struct call *c, const int64_t *v, size_t count)
{
    push_some(c, (stack_value)(uintptr_t)integers(c, v, count));
}

void call_tensors(struct call *c, const tensor *v, size_t count)
{
    tensor_list ret = list(c, count);

    for (size_t i = 0; ret && i < count; i++) {
        tensor x = v[i] ? tensor_same(c->t, v[i]) : NULL;
        if (x)
            c->t->live--;
        if (!x || c->t->f.torch_list_push_back(ret, (stack_value)(uintptr_t)x) != 0)
            c->failed = true;
    }
    push(c, (stack_value)(uintptr_t)ret);
}

void call_text(struct call *c, const char *text)
{
    tensor_string ret = NULL;

    if (c->t->f.torch_new_string_handle(text, strlen(text), &ret) != 0)
        c->failed = true;
    push(c, (stack_value)(uintptr_t)ret);
}

static bool fail(struct call *c)
{
    const char *text = c->t->f.torch_exception_get_what_without_backtrace
                           ? c->t->f.torch_exception_get_what_without_backtrace()
                           : NULL;

    snprintf(c->t->error, sizeof c->t->error, "%s: %.*s", c->op, text ? (int)strcspn(text, "\n") : 6,
             text && *text ? text : "failed");
    c->t->status = strstr(c->t->error, "out of memory") || strstr(c->t->error, "allocate memory")
                       ? BIOFT_ERR_MEMORY
                       : BIOFT_ERR_UNSUPPORTED;
    return false;
}

bool call_run(struct call *c, tensor *const *ret, uint32_t count)
{
    struct torch *t = c->t;

    if (c->failed) {
        snprintf(t->error, sizeof t->error, "%s: out of memory for its arguments", c->op);
        t->status = BIOFT_ERR_MEMORY;
        return false;
    }
    if (t->f.torch_call_dispatcher(c->op, c->overload, c->stack, TORCH_WRITTEN_FOR) != 0)
        return fail(c);
    for (uint32_t i = 0; i < count; i++) {
        tensor made = (tensor)(uintptr_t)c->stack[i];
        t->live++;
        if (ret[i])
            *ret[i] = made;
        else
            tensor_drop(t, &made);
    }
    return true;
}

tensor call_one(struct call *c)
{
    tensor ret = NULL;

    return call_run(c, (tensor *const[]){ &ret }, 1) ? ret : NULL;
}

tensor call_simple(struct torch *t, const char *op, tensor x)
{
    struct call c = call_begin(t, op, "");

    call_tensor(&c, x);
    return call_one(&c);
}

tensor call_two(struct torch *t, const char *op, const char *overload, tensor a, tensor b)
{
    struct call c = call_begin(t, op, overload);

    call_tensor(&c, a);
    call_tensor(&c, b);
    return call_one(&c);
}
