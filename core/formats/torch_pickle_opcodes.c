/* The opcodes: what each does to stack, marks and memo; those that are refused have their names. */
#include "formats/torch_pickle.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>

enum { STACK_MOST = 1000000, MEMO_MOST = 1000000, MARKS_MOST = 1000, LINE_MOST = 256 };

static bioft_status no_memory(struct pickle *p) { return error_memory(p->err, p->name); }

static bioft_status truncated(struct pickle *p)
{
    return pickle_fail(p, "truncated: it runs past the end of its %zu bytes", p->size);
}

static bioft_status push(struct pickle *p, const struct pickle_value *v)
{
    if (p->stack_count == STACK_MOST)
        return pickle_fail(p, "more than %d values on the stack", STACK_MOST);
    if (!mem_grow(&p->stack, &p->stack_capacity, p->stack_count + 1, sizeof *p->stack))
        return no_memory(p);
    p->stack[p->stack_count++] = *v;
    return BIOFT_OK;
}

static bioft_status push_integer(struct pickle *p, enum pickle_type type, int64_t value)
{
    return push(p, &(struct pickle_value){ .type = type, .as.integer = value });
}

/* How many values stand above the last mark. */
static size_t above_mark(const struct pickle *p)
{
    return p->mark_count ? p->stack_count - p->marks[p->mark_count - 1] - 1 : p->stack_count;
}

static bioft_status need(struct pickle *p, size_t values)
{
    if (above_mark(p) >= values)
        return BIOFT_OK;
    return pickle_fail(p, "stack empty%s where %zu values are needed", p->mark_count ? " above its mark" : "", values);
}

static struct pickle_value *top(struct pickle *p) { return &p->stack[p->stack_count - 1]; }

/* Where the values above the last mark begin; the mark is gone, they are not. */
static bioft_status take_mark(struct pickle *p, size_t *ret_first)
{
    if (p->mark_count == 0)
        return pickle_fail(p, "no mark");
    *ret_first = p->marks[--p->mark_count] + 1;
    return BIOFT_OK;
}

/* Arguments of opcodes, by p->at, which is checked. */
static bioft_status take_bytes(struct pickle *p, size_t count, const uint8_t **ret)
{
    if (count > p->size - p->at)
        return truncated(p);
    *ret = p->bytes + p->at;
    p->at += count;
    return BIOFT_OK;
}

static bioft_status take_number(struct pickle *p, size_t bytes, uint64_t *ret)
{
    const uint8_t *b = NULL;
    uint64_t value = 0;
    bioft_status st = take_bytes(p, bytes, &b);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)b[i] << (8 * i);
    *ret = value;
    return BIOFT_OK;
}

static bioft_status op_proto(struct pickle *p, size_t argument)
{
    (void)argument;
    return pickle_fail(p, "a second PROTO");
}

static bioft_status op_global(struct pickle *p, size_t argument)
{
    (void)argument;
    const char *line[2];
    size_t length[2];
    struct pickle_value v;
    for (int i = 0; i < 2; i++) {
        const size_t left = p->size - p->at;
        const uint8_t *end = memchr(p->bytes + p->at, '\n', left < LINE_MOST ? left : LINE_MOST);
        if (!end)
            return left < LINE_MOST ? truncated(p) : pickle_fail(p, "a global's name is too long");
        line[i] = (const char *)p->bytes + p->at;
        length[i] = (size_t)(end - p->bytes) - p->at;
        p->at += length[i] + 1;
    }
    bioft_status st = pickle_global(p, line[0], length[0], line[1], length[1], &v);
    return st == BIOFT_OK ? push(p, &v) : st;
}

static bioft_status op_new(struct pickle *p, size_t type)
{
    struct pickle_value v;
    bioft_status st = pickle_new(p, (enum pickle_type)type, &v);
    return st == BIOFT_OK ? push(p, &v) : st;
}

static bioft_status op_mark(struct pickle *p, size_t argument)
{
    (void)argument;
    if (p->mark_count == MARKS_MOST)
        return pickle_fail(p, "too many marks, at most %d", MARKS_MOST);
    if (!mem_grow(&p->marks, &p->mark_capacity, p->mark_count + 1, sizeof *p->marks))
        return no_memory(p);
    p->marks[p->mark_count++] = p->stack_count;
    return push(p, &(struct pickle_value){ .type = PICKLE_MARK });
}

/* The values from `first` on become a tuple; `base`: where it stands then. */
static bioft_status make_tuple(struct pickle *p, size_t first, size_t base)
{
    struct pickle_value tuple;
    bioft_status st = pickle_new(p, PICKLE_TUPLE, &tuple);
    for (size_t i = first; i < p->stack_count && st == BIOFT_OK; i++)
        st = pickle_append(p, &tuple, &p->stack[i]);
    p->stack_count = base;
    return st == BIOFT_OK ? push(p, &tuple) : st;
}

static bioft_status op_tuple(struct pickle *p, size_t argument)
{
    (void)argument;
    size_t first = 0;
    bioft_status st = take_mark(p, &first);
    return st == BIOFT_OK ? make_tuple(p, first, first - 1) : st;
}

static bioft_status op_tuple_of(struct pickle *p, size_t count)
{
    bioft_status st = need(p, count);
    return st == BIOFT_OK ? make_tuple(p, p->stack_count - count, p->stack_count - count) : st;
}

/* Picklers number from 0 on, Python 2's from 1, without gaps. */
static bioft_status op_put(struct pickle *p, size_t bytes)
{
    uint64_t i = 0;
    bioft_status st = take_number(p, bytes, &i);
    if (st == BIOFT_OK)
        st = need(p, 1);
    if (st != BIOFT_OK)
        return st;
    if (i > p->memo_count + 1 || i >= MEMO_MOST)
        return pickle_fail(p, "memo reference %llu after %zu entries, at most %d", (unsigned long long)i, p->memo_count,
                           MEMO_MOST);
    if (!mem_grow(&p->memo, &p->memo_capacity, (size_t)i + 1, sizeof *p->memo))
        return no_memory(p);
    if (i >= p->memo_count)
        p->memo_count = (size_t)i + 1;
    p->memo[i] = *top(p);
    return BIOFT_OK;
}

static bioft_status op_get(struct pickle *p, size_t bytes)
{
    uint64_t i = 0;
    bioft_status st = take_number(p, bytes, &i);
    if (st != BIOFT_OK)
        return st;
    if (i >= p->memo_count || p->memo[i].type == PICKLE_UNSET)
        return pickle_fail(p, "memo reference %llu before it is set", (unsigned long long)i);
    return push(p, &p->memo[i]);
}

static bioft_status op_string(struct pickle *p, size_t bytes)
{
    uint64_t length = 0;
    const uint8_t *text = NULL;
    bioft_status st = take_number(p, bytes, &length);
    if (st == BIOFT_OK)
        st = take_bytes(p, (size_t)length, &text);
    if (st != BIOFT_OK)
        return st;
    const bool is_text = utf8_valid(text, (size_t)length) == length;
    if (!is_text && !p->data)
        return pickle_fail(p, "text that is not UTF-8");
    return push(p, &(struct pickle_value){ .type = is_text ? PICKLE_STRING : PICKLE_BYTES,
                                           .index = (uint32_t)length,
                                           .as.text = (const char *)text });
}

static bioft_status op_binstring(struct pickle *p, size_t argument)
{
    (void)argument;
    if (p->size - p->at >= 4 && p->bytes[p->at + 3] > 127)
        return pickle_fail(p, "text of a negative length");
    return op_string(p, 4);
}

static bioft_status op_binint(struct pickle *p, size_t argument)
{
    (void)argument;
    uint64_t value = 0;
    bioft_status st = take_number(p, 4, &value);
    if (st != BIOFT_OK)
        return st;
    return push_integer(p, PICKLE_INTEGER, (int64_t)value - (value >> 31 ? INT64_C(1) << 32 : 0));
}

static bioft_status op_unsigned(struct pickle *p, size_t bytes)
{
    uint64_t value = 0;
    bioft_status st = take_number(p, bytes, &value);
    return st == BIOFT_OK ? push_integer(p, PICKLE_INTEGER, (int64_t)value) : st;
}

/* Two's complement in as few bytes as do. */
static bioft_status op_long1(struct pickle *p, size_t argument)
{
    (void)argument;
    uint64_t length = 0, value = 0;
    int64_t signed_value;
    bioft_status st = take_number(p, 1, &length);
    if (st != BIOFT_OK)
        return st;
    if (length > 8) { /* no size of a tensor: a random number's seed, say */
        const uint8_t *skipped;
        st = take_bytes(p, (size_t)length, &skipped);
        return st == BIOFT_OK ? push(p, &(struct pickle_value){ .type = PICKLE_INERT }) : st;
    }
    st = take_number(p, (size_t)length, &value);
    if (st != BIOFT_OK)
        return st;
    if (length > 0 && length < 8 && value >> (8 * length - 1))
        value |= UINT64_MAX << (8 * length);
    memcpy(&signed_value, &value, sizeof value);
    return push_integer(p, PICKLE_INTEGER, signed_value);
}

static bioft_status op_binfloat(struct pickle *p, size_t argument)
{
    (void)argument;
    struct pickle_value v = { .type = PICKLE_FLOAT };
    const uint8_t *b = NULL;
    uint64_t bits = 0;
    bioft_status st = take_bytes(p, 8, &b);
    if (st != BIOFT_OK)
        return st;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | b[i];
    memcpy(&v.as.number, &bits, sizeof bits);
    return push(p, &v);
}

static bioft_status op_binpersid(struct pickle *p, size_t argument)
{
    (void)argument;
    struct pickle_value v;
    bioft_status st = need(p, 1);
    if (st != BIOFT_OK)
        return st;
    st = pickle_persistent(p, top(p), &v);
    if (st != BIOFT_OK)
        return st;
    *top(p) = v;
    return BIOFT_OK;
}

static bioft_status op_reduce(struct pickle *p, size_t argument)
{
    (void)argument;
    struct pickle_value v;
    bioft_status st = need(p, 2);
    if (st == BIOFT_OK)
        st = pickle_call(p, top(p) - 1, top(p), &v);
    if (st != BIOFT_OK)
        return st;
    p->stack_count--;
    *top(p) = v;
    return BIOFT_OK;
}

/* Bytes are no part of a tensor, but all of an array. */
static bioft_status op_bytes(struct pickle *p, size_t bytes)
{
    uint64_t length = 0;
    const uint8_t *first = NULL;
    bioft_status st = take_number(p, bytes, &length);
    if (st == BIOFT_OK)
        st = take_bytes(p, (size_t)length, &first);
    if (st != BIOFT_OK)
        return st;
    return push(p, &(struct pickle_value){ .type = p->data ? PICKLE_BYTES : PICKLE_INERT,
                                           .index = (uint32_t)length,
                                           .as.text = (const char *)first });
}

/* What a state dict, or something inert, is built with: dropped. */
static bioft_status op_build(struct pickle *p, size_t argument)
{
    (void)argument;
    bioft_status st = need(p, 2);
    if (st != BIOFT_OK)
        return st;
    const enum pickle_type object = (top(p) - 1)->type;
    if (object == PICKLE_ARRAY || object == PICKLE_DTYPE) {
        st = pickle_array_build(p, top(p) - 1, top(p));
        p->stack_count--;
        return st;
    }
    if (object != PICKLE_INERT && (top(p)->type != PICKLE_DICT || object != PICKLE_DICT))
        return pickle_fail(p, "BUILD of something that is not a dict");
    p->stack_count--;
    return BIOFT_OK;
}

/* The values from `first` on go into the container below them, or below their mark. */
static bioft_status fill(struct pickle *p, size_t first, size_t base, enum pickle_type type)
{
    const size_t count = p->stack_count - first, below = p->mark_count ? p->marks[p->mark_count - 1] + 1 : 0;
    bioft_status st = BIOFT_OK;
    if (base == below)
        return pickle_fail(p, "stack empty where a %s is needed", type == PICKLE_DICT ? "dict" : "list");
    const struct pickle_value container = p->stack[base - 1];
    if (container.type == PICKLE_INERT) {
        p->stack_count = base;
        return BIOFT_OK;
    }
    if (container.type != type)
        return pickle_fail(p, "items for something that is not a %s", type == PICKLE_DICT ? "dict" : "list");
    if (type == PICKLE_DICT && count % 2)
        return pickle_fail(p, "an odd number of keys and values, %zu", count);
    for (size_t i = 0; i < count && st == BIOFT_OK; i++) {
        const struct pickle_value *v = &p->stack[first + i];
        /* Keys of other types are no tensors' names. */
        if (type == PICKLE_DICT && i % 2 == 0 && v->type != PICKLE_STRING && v->type != PICKLE_INTEGER) {
            i++;
            continue;
        }
        st = pickle_append(p, &container, v);
    }
    p->stack_count = base;
    return st;
}

static bioft_status op_setitem(struct pickle *p, size_t argument)
{
    (void)argument;
    bioft_status st = need(p, 3);
    return st == BIOFT_OK ? fill(p, p->stack_count - 2, p->stack_count - 2, PICKLE_DICT) : st;
}

static bioft_status op_setitems(struct pickle *p, size_t argument)
{
    (void)argument;
    size_t first = 0;
    bioft_status st = take_mark(p, &first);
    return st == BIOFT_OK ? fill(p, first, first - 1, PICKLE_DICT) : st;
}

static bioft_status op_append(struct pickle *p, size_t argument)
{
    (void)argument;
    bioft_status st = need(p, 2);
    return st == BIOFT_OK ? fill(p, p->stack_count - 1, p->stack_count - 1, PICKLE_LIST) : st;
}

static bioft_status op_appends(struct pickle *p, size_t argument)
{
    (void)argument;
    size_t first = 0;
    bioft_status st = take_mark(p, &first);
    return st == BIOFT_OK ? fill(p, first, first - 1, PICKLE_LIST) : st;
}

enum { NONE, FALSE, TRUE };
static bioft_status op_constant(struct pickle *p, size_t which)
{
    return push_integer(p, which == NONE ? PICKLE_NONE : PICKLE_BOOL, which == TRUE);
}

/* Those without a function are refused by their names, those without a row by their numbers. */
static const struct opcode {
    const char *name;
    bioft_status (*run)(struct pickle *p, size_t argument);
    size_t argument; /* bytes of what follows, values taken, a type */
} opcodes[256] = {
    [0x80] = { "PROTO", op_proto, 0 },
    ['c'] = { "GLOBAL", op_global, 0 },
    ['}'] = { "EMPTY_DICT", op_new, PICKLE_DICT },
    [']'] = { "EMPTY_LIST", op_new, PICKLE_LIST },
    [')'] = { "EMPTY_TUPLE", op_new, PICKLE_TUPLE },
    ['('] = { "MARK", op_mark, 0 },
    ['t'] = { "TUPLE", op_tuple, 0 },
    [0x85] = { "TUPLE1", op_tuple_of, 1 },
    [0x86] = { "TUPLE2", op_tuple_of, 2 },
    [0x87] = { "TUPLE3", op_tuple_of, 3 },
    ['q'] = { "BINPUT", op_put, 1 },
    ['r'] = { "LONG_BINPUT", op_put, 4 },
    ['h'] = { "BINGET", op_get, 1 },
    ['j'] = { "LONG_BINGET", op_get, 4 },
    ['X'] = { "BINUNICODE", op_string, 4 },
    ['U'] = { "SHORT_BINSTRING", op_string, 1 },
    ['T'] = { "BINSTRING", op_binstring, 0 },
    ['J'] = { "BININT", op_binint, 0 },
    ['K'] = { "BININT1", op_unsigned, 1 },
    ['M'] = { "BININT2", op_unsigned, 2 },
    [0x8a] = { "LONG1", op_long1, 0 },
    ['G'] = { "BINFLOAT", op_binfloat, 0 },
    ['N'] = { "NONE", op_constant, NONE },
    [0x88] = { "NEWTRUE", op_constant, TRUE },
    [0x89] = { "NEWFALSE", op_constant, FALSE },
    ['Q'] = { "BINPERSID", op_binpersid, 0 },
    ['R'] = { "REDUCE", op_reduce, 0 },
    [0x81] = { "NEWOBJ", op_reduce, 0 },
    ['B'] = { "BINBYTES", op_bytes, 4 },
    ['C'] = { "SHORT_BINBYTES", op_bytes, 1 },
    ['b'] = { "BUILD", op_build, 0 },
    ['s'] = { "SETITEM", op_setitem, 0 },
    ['u'] = { "SETITEMS", op_setitems, 0 },
    ['a'] = { "APPEND", op_append, 0 },
    ['e'] = { "APPENDS", op_appends, 0 },
    ['0'] = { "POP", NULL, 0 },
    ['1'] = { "POP_MARK", NULL, 0 },
    ['2'] = { "DUP", NULL, 0 },
    ['F'] = { "FLOAT", NULL, 0 },
    ['I'] = { "INT", NULL, 0 },
    ['L'] = { "LONG", NULL, 0 },
    ['P'] = { "PERSID", NULL, 0 },
    ['S'] = { "STRING", NULL, 0 },
    ['V'] = { "UNICODE", NULL, 0 },
    ['d'] = { "DICT", NULL, 0 },
    ['g'] = { "GET", NULL, 0 },
    ['i'] = { "INST", NULL, 0 },
    ['l'] = { "LIST", NULL, 0 },
    ['o'] = { "OBJ", NULL, 0 },
    ['p'] = { "PUT", NULL, 0 },
    [0x82] = { "EXT1", NULL, 0 },
    [0x83] = { "EXT2", NULL, 0 },
    [0x84] = { "EXT4", NULL, 0 },
    [0x8b] = { "LONG4", NULL, 0 },
    [0x8c] = { "SHORT_BINUNICODE", NULL, 0 },
    [0x8d] = { "BINUNICODE8", NULL, 0 },
    [0x8e] = { "BINBYTES8", NULL, 0 },
    [0x8f] = { "EMPTY_SET", NULL, 0 },
    [0x90] = { "ADDITEMS", NULL, 0 },
    [0x91] = { "FROZENSET", NULL, 0 },
    [0x92] = { "NEWOBJ_EX", NULL, 0 },
    [0x93] = { "STACK_GLOBAL", NULL, 0 },
    [0x94] = { "MEMOIZE", NULL, 0 },
    [0x95] = { "FRAME", NULL, 0 },
    [0x96] = { "BYTEARRAY8", NULL, 0 },
    [0x97] = { "NEXT_BUFFER", NULL, 0 },
    [0x98] = { "READONLY_BUFFER", NULL, 0 },
};

bioft_status pickle_step(struct pickle *p, uint8_t code)
{
    const struct opcode *o = &opcodes[code];
    if (o->run)
        return o->run(p, o->argument);
    if (!o->name)
        return pickle_fail(p, "unknown opcode 0x%02x", code);
    if (p->data)
        return pickle_fail(p, "opcode %s not allowed (protocol %u): only lists, text and arrays are read", o->name,
                           p->protocol);
    return pickle_fail(p,
                       "opcode %s not allowed (protocol %u): only what a state dict needs is read; "
                       "save "
                       "model.state_dict() and not the module",
                       o->name, p->protocol);
}
