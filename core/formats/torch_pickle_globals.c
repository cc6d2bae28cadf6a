/* The globals that a state dict's pickle may name, and what calling them gives: tensors as views of
 * storages, dicts, sizes. Nothing is ever called but these. */
#include "formats/torch_pickle.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

enum { KEY_MOST = 20 };
static const uint64_t LARGEST = UINT64_C(1) << 40; /* of one dimension, and of numel */

static const struct storage_type {
    const char *name;
    enum tensor_dtype dtype; /* OTHER: bytes without a type */
    size_t item;
} storage_types[] = {
    { "FloatStorage", TENSOR_F32, 4 },     { "DoubleStorage", TENSOR_F64, 8 },
    { "HalfStorage", TENSOR_F16, 2 },      { "BFloat16Storage", TENSOR_BF16, 2 },
    { "LongStorage", TENSOR_I64, 8 },      { "IntStorage", TENSOR_I32, 4 },
    { "ShortStorage", TENSOR_I16, 2 },     { "CharStorage", TENSOR_I8, 1 },
    { "ByteStorage", TENSOR_U8, 1 },       { "BoolStorage", TENSOR_BOOL, 1 },
    { "UntypedStorage", TENSOR_OTHER, 1 }, { "_UntypedStorage", TENSOR_OTHER, 1 },
};
enum { STORAGE_TYPES = sizeof storage_types / sizeof *storage_types };

enum tensor_dtype storage_dtype(uint32_t type) { return storage_types[type].dtype; }

const char *storage_name(uint32_t type) { return storage_types[type].name; }

size_t storage_item(uint32_t type) { return storage_types[type].item; }

static const struct pickle_value *item(const struct pickle *p, const struct pickle_value *args, uint32_t i)
{
    return pickle_item(p, args, i);
}

static bioft_status wrong(struct pickle *p, const char *global)
{
    return pickle_fail(p, "wrong arguments for %s", global);
}

static bool is_empty_dict(const struct pickle *p, const struct pickle_value *v)
{
    return v->type == PICKLE_DICT && pickle_count(p, v) == 0;
}

/* Integers from 0 to 2^40 that are integers, not True. */
static bool is_size(const struct pickle_value *v)
{
    return v->type == PICKLE_INTEGER && v->as.integer >= 0 && (uint64_t)v->as.integer <= LARGEST;
}

/* Every list or tuple that is looked through came from as many bytes, unless it is used again and
 * again. */
static bioft_status visit(struct pickle *p, uint64_t items)
{
    p->visits += items;
    return p->visits <= p->size ? BIOFT_OK : pickle_fail(p, "the same values are used too often");
}

/* (): empty. ([[key, value], ...],): Python 2's. */
static bioft_status call_ordered_dict(struct pickle *p, const struct pickle_value *args, struct pickle_value *ret)
{
    bioft_status st = pickle_new(p, PICKLE_DICT, ret);
    if (st != BIOFT_OK || pickle_count(p, args) == 0)
        return st;
    const struct pickle_value list = *item(p, args, 0);
    if (pickle_count(p, args) != 1 || list.type != PICKLE_LIST)
        return wrong(p, "collections.OrderedDict");
    uint32_t left = pickle_count(p, &list), at = p->containers[list.index].first;
    st = visit(p, left);
    for (; left > 0 && st == BIOFT_OK; left--, at = p->nodes[at].next) {
        const struct pickle_value pair = p->nodes[at].value;
        if ((pair.type != PICKLE_LIST && pair.type != PICKLE_TUPLE) || pickle_count(p, &pair) != 2)
            return wrong(p, "collections.OrderedDict");
        const struct pickle_value key = *item(p, &pair, 0), value = *item(p, &pair, 1);
        if (key.type != PICKLE_STRING && key.type != PICKLE_INTEGER)
            return wrong(p, "collections.OrderedDict");
        st = pickle_append(p, ret, &key);
        if (st == BIOFT_OK)
            st = pickle_append(p, ret, &value);
    }
    return st;
}

static bioft_status take_sizes(struct pickle *p, const struct pickle_value *tuple, uint64_t *ret)
{
    for (uint32_t i = 0; i < pickle_count(p, tuple); i++) {
        const struct pickle_value *v = item(p, tuple, i);
        if (!is_size(v))
            return pickle_fail(p, "a view's sizes, strides and offset are integers from 0 to 2^40: "
                                  "one is "
                                  "negative, too large or not an integer");
        ret[i] = (uint64_t)v->as.integer;
    }
    return BIOFT_OK;
}

/* The last element lies in the storage, and all tensors together do not claim much more than there
 * is: a stride of 0 lets four bytes be any size. */
static bioft_status check_view(struct pickle *p, struct pickle_tensor *t)
{
    const struct pickle_storage *s = &p->storages[t->storage];
    uint64_t last = t->offset, step, bytes;
    bool fits = true;
    t->count = 1;
    for (unsigned d = 0; d < t->dims; d++)
        fits = fits && !__builtin_mul_overflow(t->count, t->shape[d], &t->count);
    if (!fits || __builtin_mul_overflow(t->count, (uint64_t)storage_item(s->type), &bytes))
        return pickle_fail(p, "the size of a view overflows");
    for (unsigned d = 0; d < t->dims && t->count > 0; d++)
        fits = fits && !__builtin_mul_overflow(t->shape[d] - 1, t->stride[d], &step) &&
               !__builtin_add_overflow(last, step, &last);
    if (!fits || (t->count > 0 ? last >= s->size : last > s->size))
        return pickle_fail(p, "a view outside its storage '%.*s': it would reach element %llu of %llu",
                           (int)s->key_length, s->key, (unsigned long long)last, (unsigned long long)s->size);
    if (bytes > p->budget)
        return pickle_fail(p, "a view claims %llu elements from a storage of %llu", (unsigned long long)t->count,
                           (unsigned long long)s->size);
    p->budget -= bytes;
    return BIOFT_OK;
}

/* (storage, offset, size, stride, ...) */
static bioft_status rebuild(struct pickle *p, const struct pickle_value *args, struct pickle_value *ret)
{
    const struct pickle_value storage = *item(p, args, 0), offset = *item(p, args, 1), size = *item(p, args, 2),
                              stride = *item(p, args, 3);
    struct pickle_tensor t = { .storage = storage.index };
    if (storage.type != PICKLE_STORAGE || size.type != PICKLE_TUPLE || stride.type != PICKLE_TUPLE ||
        storage_dtype(p->storages[storage.index].type) == TENSOR_OTHER)
        return wrong(p, "torch._utils._rebuild_tensor");
    if (!is_size(&offset))
        return pickle_fail(p, "a view's offset is not an integer from 0 to 2^40");
    t.offset = (uint64_t)offset.as.integer;
    t.dims = pickle_count(p, &size);
    if (t.dims != pickle_count(p, &stride) || t.dims > TENSOR_DIMS)
        return pickle_fail(p, "a view of %u sizes and %u strides, at most %d and as many", t.dims,
                           pickle_count(p, &stride), TENSOR_DIMS);
    bioft_status st = take_sizes(p, &size, t.shape);
    if (st == BIOFT_OK)
        st = take_sizes(p, &stride, t.stride);
    if (st == BIOFT_OK)
        st = check_view(p, &t);
    if (st != BIOFT_OK)
        return st;
    if (p->tensor_count == TENSORS)
        return pickle_fail(p, "too many tensors, at most %d", TENSORS);
    if (!mem_grow(&p->tensors, &p->tensor_capacity, p->tensor_count + 1, sizeof *p->tensors))
        return error_memory(p->err, p->name);
    p->tensors[p->tensor_count] = t;
    *ret = (struct pickle_value){ .type = PICKLE_TENSOR, .index = (uint32_t)p->tensor_count++ };
    return BIOFT_OK;
}

static bioft_status call_rebuild(struct pickle *p, const struct pickle_value *args, struct pickle_value *ret)
{
    return pickle_count(p, args) == 4 ? rebuild(p, args, ret) : wrong(p, "torch._utils._rebuild_tensor");
}

/* Then requires_grad, hooks, and in newer files metadata, which could say that the values are
 * negated or conjugated: only none is taken. */
static bioft_status call_rebuild_v2(struct pickle *p, const struct pickle_value *args, struct pickle_value *ret)
{
    const uint32_t count = pickle_count(p, args);
    if ((count != 6 && count != 7) || item(p, args, 4)->type != PICKLE_BOOL || !is_empty_dict(p, item(p, args, 5)))
        return wrong(p, "torch._utils._rebuild_tensor_v2");
    if (count == 7 && item(p, args, 6)->type != PICKLE_NONE && !is_empty_dict(p, item(p, args, 6)))
        return wrong(p, "torch._utils._rebuild_tensor_v2");
    return rebuild(p, args, ret);
}

/* (tensor, requires_grad, hooks), with a state (tensor, requires_grad, hooks, state). */
static bioft_status parameter(struct pickle *p, const struct pickle_value *args, uint32_t count,
                              struct pickle_value *ret)
{
    if (pickle_count(p, args) != count || item(p, args, 0)->type != PICKLE_TENSOR ||
        item(p, args, 1)->type != PICKLE_BOOL || !is_empty_dict(p, item(p, args, 2)))
        return wrong(p, "torch._utils._rebuild_parameter");
    *ret = *item(p, args, 0);
    return BIOFT_OK;
}

static bioft_status call_parameter(struct pickle *p, const struct pickle_value *args, struct pickle_value *ret)
{
    return parameter(p, args, 3, ret);
}

static bioft_status call_parameter_with_state(struct pickle *p, const struct pickle_value *args,
                                              struct pickle_value *ret)
{
    return parameter(p, args, 4, ret);
}

static bioft_status call_size(struct pickle *p, const struct pickle_value *args, struct pickle_value *ret)
{
    if (pickle_count(p, args) != 1 || item(p, args, 0)->type != PICKLE_TUPLE)
        return wrong(p, "torch.Size");
    *ret = *item(p, args, 0);
    return BIOFT_OK;
}

static bioft_status call_default_dict(struct pickle *p, const struct pickle_value *args, struct pickle_value *ret)
{
    (void)args; /* what makes missing values: never called */
    return pickle_new(p, PICKLE_DICT, ret);
}

static const struct callable {
    const char *module, *name;
    bioft_status (*call)(struct pickle *p, const struct pickle_value *args, struct pickle_value *ret);
} callables[] = {
    { "collections", "OrderedDict", call_ordered_dict },
    { "collections", "defaultdict", call_default_dict },
    { "torch._utils", "_rebuild_tensor_v2", call_rebuild_v2 },
    { "torch._utils", "_rebuild_tensor", call_rebuild },
    { "torch._utils", "_rebuild_parameter", call_parameter },
    { "torch._utils", "_rebuild_parameter_with_state", call_parameter_with_state },
    { "torch", "Size", call_size },
};
enum { CALLABLES = sizeof callables / sizeof *callables, INERT = CALLABLES + STORAGE_TYPES };

/* What torch.load takes with weights_only=True, or what people keep beside weights: named, called
 * and filled, each is only "something that is no tensor". */
static const struct inert {
    const char *module, *names; /* separated by blanks */
} inerts[] = {
    { "collections", "Counter" },
    { "argparse", "Namespace" },
    { "types", "SimpleNamespace" },
    { "datetime", "datetime date time timedelta timezone" },
    { "pathlib", "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath" },
    { "__builtin__", "set frozenset slice complex bytearray list dict tuple int long float str "
                     "unicode bool object xrange bytes" },
    { "builtins", "set frozenset slice complex bytearray list dict tuple int float str bool object "
                  "range bytes" },
    { "copy_reg", "_reconstructor" },
    { "copyreg", "_reconstructor" },
    { "_codecs", "encode" },
    { "numpy", "dtype ndarray float16 float32 float64 int8 int16 int32 int64 uint8 bool_" },
    { "numpy.core.multiarray", "scalar _reconstruct" },
    { "numpy._core.multiarray", "scalar _reconstruct" },
    { "numpy.dtypes", "Float16DType Float32DType Float64DType Int8DType Int16DType Int32DType "
                      "Int64DType UInt8DType BoolDType" },
    { "torch", "device dtype Tensor Generator strided float16 float32 float64 bfloat16 int8 int16 "
               "int32 int64 uint8 bool half float double long int short" },
    { "torch.nn.parameter", "Parameter" },
    { "torch.serialization", "_get_layout" },
    { "torch.torch_version", "TorchVersion" },
};

static bool is_word(const char *words, const char *bytes, size_t length)
{
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == length && memcmp(at, bytes, n) == 0)
            return true;
        at += n;
    }
    return false;
}

static bool same(const char *text, const char *bytes, size_t length)
{
    return strlen(text) == length && memcmp(text, bytes, length) == 0;
}

/* A global's index: those that are called, then the storage types, then all that are inert. */
bioft_status pickle_global(struct pickle *p, const char *module, size_t module_length, const char *name,
                           size_t name_length, struct pickle_value *ret)
{
    char escaped[2][TEXT_ESCAPED];
    const bool plain = same("torch", module, module_length) || same("torch.cuda", module, module_length),
               untyped = same("torch.storage", module, module_length);
    *ret = (struct pickle_value){ .type = PICKLE_GLOBAL };
    if (p->data)
        return pickle_array_global(p, module, module_length, name, name_length, ret);
    for (uint32_t i = 0; i < CALLABLES; i++)
        if (same(callables[i].module, module, module_length) && same(callables[i].name, name, name_length)) {
            ret->index = i;
            return BIOFT_OK;
        }
    for (uint32_t i = 0; i < STORAGE_TYPES; i++)
        if ((storage_types[i].dtype == TENSOR_OTHER ? untyped : plain) &&
            same(storage_types[i].name, name, name_length)) {
            ret->index = CALLABLES + i;
            return BIOFT_OK;
        }
    for (size_t i = 0; i < sizeof inerts / sizeof *inerts; i++)
        if (same(inerts[i].module, module, module_length) && is_word(inerts[i].names, name, name_length)) {
            ret->index = INERT;
            return BIOFT_OK;
        }
    /* A module of the older format stands behind the word 'module', in a persistent id. */
    const bool object = p->stack_count == 0 || pickle_is(&p->stack[p->stack_count - 1], "module");
    return pickle_fail(p, "global %s.%s not allowed: %s", text_escape(escaped[0], module, module_length),
                       text_escape(escaped[1], name, name_length),
                       object ? "a pickled module or another object, not a state dict: "
                                "save model.state_dict()"
                              : "keep only the state dict: torch.save(checkpoint"
                                "['state_dict'], FILE)");
}

bioft_status pickle_call(struct pickle *p, const struct pickle_value *global, const struct pickle_value *args,
                         struct pickle_value *ret)
{
    if (global->type != PICKLE_GLOBAL)
        return pickle_fail(p, "REDUCE of something that is not a global");
    if (p->data)
        return pickle_array_call(p, global, args, ret);
    if (global->index == INERT) {
        *ret = (struct pickle_value){ .type = PICKLE_INERT };
        return BIOFT_OK;
    }
    if (global->index >= CALLABLES)
        return wrong(p, storage_name(global->index - CALLABLES));
    if (args->type != PICKLE_TUPLE)
        return wrong(p, callables[global->index].name);
    return callables[global->index].call(p, args, ret);
}

/* Decimal, as a name of an entry and nothing else. */
static bool is_key(const struct pickle_value *v)
{
    if (v->type != PICKLE_STRING || v->index == 0 || v->index > KEY_MOST)
        return false;
    for (uint32_t i = 0; i < v->index; i++)
        if (v->as.text[i] < '0' || v->as.text[i] > '9')
            return false;
    return true;
}

/* None, or (key, offset, size) of a window into the storage. */
static bool take_window(const struct pickle *p, const struct pickle_value *view, struct pickle_storage *s)
{
    if (view->type == PICKLE_NONE)
        return true;
    if (view->type != PICKLE_TUPLE || pickle_count(p, view) != 3)
        return false;
    const struct pickle_value *offset = item(p, view, 1), *size = item(p, view, 2);
    if (!is_key(item(p, view, 0)) || !is_size(offset) || !is_size(size))
        return false;
    s->offset = (uint64_t)offset->as.integer;
    s->size = (uint64_t)size->as.integer;
    return s->offset + s->size <= s->numel;
}

/* ('storage', type, key, location, numel), in the older format with a view behind. */
bioft_status pickle_persistent(struct pickle *p, const struct pickle_value *id, struct pickle_value *ret)
{
    struct pickle_storage s = { .key = NULL };
    if (p->data)
        return pickle_fail(p, "a persistent id: only lists, text and arrays are read");
    if (id->type == PICKLE_TUPLE && pickle_count(p, id) > 0 && pickle_is(item(p, id, 0), "module"))
        return pickle_fail(p, "a pickled module, not a state dict: save model.state_dict()");
    if (id->type != PICKLE_TUPLE || pickle_count(p, id) != (p->legacy ? 6 : 5) || !pickle_is(item(p, id, 0), "storage"))
        return pickle_fail(p, "persistent id malformed: not %s",
                           p->legacy ? "('storage', type, key, location, numel, view)"
                                     : "('storage', type, key, location, numel)");
    const struct pickle_value *type = item(p, id, 1), *key = item(p, id, 2), *numel = item(p, id, 4);
    if (type->type != PICKLE_GLOBAL || type->index < CALLABLES || type->index == INERT)
        return pickle_fail(p, "persistent id malformed: its type is not a storage's");
    if (!is_key(key))
        return pickle_fail(p, "persistent id malformed: its key is not 1 to %d digits", KEY_MOST);
    if (item(p, id, 3)->type != PICKLE_STRING || !is_size(numel))
        return pickle_fail(p, "persistent id malformed: its location or numel");
    s.type = type->index - CALLABLES;
    s.key = key->as.text;
    s.key_length = key->index;
    s.numel = s.size = (uint64_t)numel->as.integer;
    if (p->legacy && !take_window(p, item(p, id, 5), &s))
        return pickle_fail(p, "storage '%.*s': a view window outside its root of %llu elements", (int)s.key_length,
                           s.key, (unsigned long long)s.numel);
    if (!mem_grow(&p->storages, &p->storage_capacity, p->storage_count + 1, sizeof *p->storages))
        return error_memory(p->err, p->name);
    p->storages[p->storage_count] = s;
    *ret = (struct pickle_value){ .type = PICKLE_STORAGE, .index = (uint32_t)p->storage_count++ };
    return BIOFT_OK;
}
