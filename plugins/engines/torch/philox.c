/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011). Words stand in int64. A product of two needs all 64 bits: its
 * overflow wraps, as it does in all of libtorch's integer kernels, and what a shift to the right brings in is masked. */
#include "philox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 10, WORDS = 4 };
/* Numbers that the operators need on the device; then the rounds' keys and the last half of the counter. */
enum { FACTOR0, FACTOR1, MASK32, SHIFT32, SHIFT8, ONE, KEYS, COUNTER = KEYS + 2 * ROUNDS, NUMBERS = COUNTER + 2 };

struct state {
    struct torch *t;
    int64_t blocks;
    tensor numbers;  /* [NUMBERS] */
    tensor c[WORDS]; /* [blocks] each */
};

static tensor int64_vector(struct torch *t, const int64_t *values, int64_t count)
{
    const struct shape s = shape_vector(count);
    tensor host = tensor_of_host(t, values, &s, t->int64), ret = host ? tensor_empty(t, &s, t->int64) : NULL;

    if (ret && !tensor_copy(t, ret, host))
        tensor_drop(t, &ret);
    tensor_drop(t, &host);
    return ret;
}

/* 0, 1, 2, ...: made once for the longest draw. */
static bool need_counters(struct torch *t, int64_t count)
{
    int64_t *values;

    if (count <= t->counter_count)
        return true;
    values = malloc((size_t)count * sizeof *values);
    if (!values) {
        snprintf(t->error, sizeof t->error, "out of memory for random numbers");
        t->status = BIOFT_ERR_MEMORY;
        return false;
    }
    for (int64_t i = 0; i < count; i++)
        values[i] = i;
    tensor_drop(t, &t->counters);
    t->counters = int64_vector(t, values, count);
    t->counter_count = t->counters ? count : 0;
    free(values);
    return t->counters;
}

/* A number of the list, 0-d; the caller's. */
static tensor number(const struct state *s, int which)
{
    const struct shape one = shape_number();

    return tensor_view(s->t, s->numbers, &one, which);
}

/* x op number. In place the result is x itself. */
static bool with_number(const struct state *s, const char *op, const char *overload, tensor *x, int which)
{
    tensor n = number(s, which), ret = n && *x ? call_two(s->t, op, overload, *x, n) : NULL;

    tensor_drop(s->t, &n);
    tensor_drop(s->t, x);
    *x = ret;
    return ret;
}

static tensor product(const struct state *s, tensor x, int which)
{
    tensor ret = tensor_same(s->t, x);

    with_number(s, "aten::mul", "Tensor", &ret, which);
    return ret;
}

/* The high half of a product, by exclusive or with a word and a round's key. */
static tensor mixed(const struct state *s, tensor p, tensor word, int key)
{
    tensor ret = tensor_same(s->t, p), same;

    if (!with_number(s, "aten::bitwise_right_shift", "Tensor", &ret, SHIFT32) ||
        !with_number(s, "aten::bitwise_and_", "Tensor", &ret, MASK32))
        return NULL;
    same = call_two(s->t, "aten::bitwise_xor_", "Tensor", ret, word);
    tensor_drop(s->t, &same);
    with_number(s, "aten::bitwise_xor_", "Tensor", &ret, key);
    return ret;
}

static bool run_round(struct state *s, int round)
{
    tensor p0 = product(s, s->c[0], FACTOR0), p1 = product(s, s->c[2], FACTOR1);
    tensor next0 = p1 ? mixed(s, p1, s->c[1], KEYS + 2 * round) : NULL;
    tensor next2 = p0 ? mixed(s, p0, s->c[3], KEYS + 2 * round + 1) : NULL;
    const bool good = next0 && next2 && with_number(s, "aten::bitwise_and_", "Tensor", &p0, MASK32) &&
                      with_number(s, "aten::bitwise_and_", "Tensor", &p1, MASK32);

    for (int i = 0; i < WORDS; i++)
        tensor_drop(s->t, &s->c[i]);
    s->c[0] = next0;
    s->c[1] = p1;
    s->c[2] = next2;
    s->c[3] = p0;
    return good;
}

/* The counter {i low, i high, key low, key high}; i stays below 2^32, being half a tensor's size at most. */
static bool begin(struct state *s, const struct draw *d, const uint32_t key[2])
{
    const struct shape v = shape_vector(s->blocks);
    int64_t numbers[NUMBERS] = {
        [FACTOR0] = 0xD2511F53, [FACTOR1] = 0xCD9E8D57, [MASK32] = 0xFFFFFFFF, [SHIFT32] = 32, [SHIFT8] = 8, [ONE] = 1
    };

    for (uint32_t r = 0; r < ROUNDS; r++) {
        numbers[KEYS + 2 * r] = (uint32_t)(key[0] + r * 0x9E3779B9u);
        numbers[KEYS + 2 * r + 1] = (uint32_t)(key[1] + r * 0xBB67AE85u);
    }
    numbers[COUNTER] = (uint32_t)d->key;
    numbers[COUNTER + 1] = (uint32_t)(d->key >> 32);
    s->numbers = int64_vector(s->t, numbers, NUMBERS);
    if (!s->numbers || !need_counters(s->t, s->blocks))
        return false;
    s->c[0] = tensor_view(s->t, s->t->counters, &v, 0);
    s->c[1] = tensor_zeros(s->t, &v, s->t->int64);
    for (int i = 0; i < 2; i++) {
        tensor n = number(s, COUNTER + i);
        s->c[2 + i] = tensor_empty(s->t, &v, s->t->int64);
        const bool good = n && s->c[2 + i] && tensor_copy(s->t, s->c[2 + i], n);
        tensor_drop(s->t, &n);
        if (!good)
            return false;
    }
    return s->c[0] && s->c[1];
}

static void end(struct state *s)
{
    tensor_drop(s->t, &s->numbers);
    for (int i = 0; i < WORDS; i++)
        tensor_drop(s->t, &s->c[i]);
}

/* A number of each block in every fourth place of `to` from `at` on. */
static bool place(const struct state *s, tensor x, tensor to, int at)
{
    const struct shape v = { 1, { s->blocks }, { WORDS } };
    tensor part = tensor_view(s->t, to, &v, at);
    const bool good = part && tensor_copy(s->t, part, x);

    tensor_drop(s->t, &part);
    return good;
}

/* (w >> 8) 2^-24, exact in float32 and float64. */
static bool uniform(struct state *s, tensor to)
{
    for (int i = 0; i < WORDS; i++)
        if (!with_number(s, "aten::bitwise_right_shift_", "Tensor", &s->c[i], SHIFT8) || !place(s, s->c[i], to, i))
            return false;
    return true;
}

/* x by an operator of one argument, in its place. */
static bool map(struct torch *t, const char *op, tensor *x)
{
    tensor ret = *x ? call_simple(t, op, *x) : NULL;

    tensor_drop(t, x);
    *x = ret;
    return ret;
}

static bool times(struct torch *t, tensor *x, double factor)
{
    tensor ret = *x ? tensor_times(t, *x, factor) : NULL;

    tensor_drop(t, x);
    *x = ret;
    return ret;
}

/* An int64 vector in float64; the int64 one is given back. */
static bool widen(const struct state *s, tensor *x)
{
    const struct shape v = shape_vector(s->blocks);
    tensor ret = *x ? tensor_empty(s->t, &v, s->t->float64) : NULL;

    if (ret && !tensor_copy(s->t, ret, *x))
        tensor_drop(s->t, &ret);
    tensor_drop(s->t, x);
    *x = ret;
    return ret;
}

static bool add_one(const struct state *s, tensor *x)
{
    tensor one = number(s, ONE), ret = one && *x ? tensor_sum(s->t, *x, one, 1) : NULL;

    tensor_drop(s->t, &one);
    tensor_drop(s->t, x);
    *x = ret;
    return ret;
}

/* Box and Muller's pair of words i and i + 1. */
static bool pair(struct state *s, tensor to, int i)
{
    struct torch *t = s->t;
    tensor *r = &s->c[i], *angle = &s->c[i + 1], cosine = NULL;
    bool good = with_number(s, "aten::bitwise_right_shift_", "Tensor", r, SHIFT8) && widen(s, r);

    good = good && add_one(s, r) && times(t, r, 0x1p-24) && map(t, "aten::log", r) && times(t, r, -2) &&
           map(t, "aten::sqrt", r);
    good = good && with_number(s, "aten::bitwise_right_shift_", "Tensor", angle, SHIFT8) && widen(s, angle) &&
           times(t, angle, 6.283185307179586476925 * 0x1p-24) && (cosine = call_simple(t, "aten::cos", *angle)) &&
           map(t, "aten::sin", angle);
    for (int k = 0; good && k < 2; k++) {
        tensor value = call_two(t, "aten::mul", "Tensor", *r, k == 0 ? cosine : *angle);
        good = value && place(s, value, to, i + k);
        tensor_drop(t, &value);
    }
    tensor_drop(t, &cosine);
    return good;
}

tensor philox_draw(struct torch *t, const struct draw *d, int64_t count)
{
    struct state s = { .t = t, .blocks = (count + WORDS - 1) / WORDS };
    const struct shape all = shape_vector(WORDS * s.blocks);
    tensor ret = tensor_empty(t, &all, t->float32), made = NULL;
    uint32_t key[2];
    bool good = ret && t->generator->key(t->host, d->stream, key) == BIOFT_OK && begin(&s, d, key);

    for (int r = 0; good && r < ROUNDS; r++)
        good = run_round(&s, r);
    if (good && d->kind == BIOFT_UNIFORM)
        good = uniform(&s, ret) && (made = tensor_times(t, ret, 0x1p-24));
    else if (good)
        good = pair(&s, ret, 0) && pair(&s, ret, 2) && (made = tensor_same(t, ret));
    end(&s);
    tensor_drop(t, &ret);
    if (!good)
        tensor_drop(t, &made);
    return made;
}

bool philox_begin(struct torch *t) { return need_counters(t, 1); }

void philox_free(struct torch *t)
{
    tensor_drop(t, &t->counters);
    t->counter_count = 0;
}
