/* The keyed generator: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011), without a state. */
#include "base/random.h"

#include "base/random_avx512.h"
#include <math.h>
#include <string.h>

enum { ROUNDS = 10, LANES = RANDOM_LANES, LANE_WORDS = RANDOM_WORDS };

static const uint32_t multiplier[2] = { 0xD2511F53u, 0xCD9E8D57u };
static const uint32_t weyl[2] = { 0x9E3779B9u, 0xBB67AE85u };

/* What a whole call has in common. */
struct keyed {
    uint32_t philox[2], key[2];
};

/* LANES counters side by side, so that the compiler may use vectors and the latency of one hides
 * behind another. */
static void rounds(uint32_t c0[LANES], uint32_t c1[LANES], uint32_t c2[LANES], uint32_t c3[LANES], uint32_t k0,
                   uint32_t k1)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < LANES; i++) {
            uint64_t p0 = (uint64_t)multiplier[0] * c0[i], p1 = (uint64_t)multiplier[1] * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (uint32_t)p0;
        }
        k0 += weyl[0];
        k1 += weyl[1];
    }
}

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t ret[4])
{
    uint32_t c[4][LANES] = { { counter[0] }, { counter[1] }, { counter[2] }, { counter[3] } };

    rounds(c[0], c[1], c[2], c[3], key[0], key[1]);
    for (int i = 0; i < 4; i++)
        ret[i] = c[i][0];
}

/* The finalizer of Steele, Lea and Flood's generator (OOPSLA 2014), from state `x`. */
static uint64_t splitmix64(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* FNV-1a (Fowler, Noll and Vo). */
static uint64_t fnv1a64(const char *s)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 0x100000001B3u;
    return hash;
}

static struct keyed keyed(uint64_t seed, const char *stream, uint64_t key)
{
    uint64_t philox = splitmix64(seed) ^ fnv1a64(stream);

    return (struct keyed){ .philox = { (uint32_t)philox, (uint32_t)(philox >> 32) },
                           .key = { (uint32_t)key, (uint32_t)(key >> 32) } };
}

void random_stream_key(uint64_t seed, const char *stream, uint32_t ret[2])
{
    const struct keyed k = keyed(seed, stream, 0);

    ret[0] = k.philox[0];
    ret[1] = k.philox[1];
}

/* The words 4 * block to 4 * (block + LANES) - 1. Element numbers are modulo 2^64, so blocks are
 * modulo 2^62. */
static void lanes(const struct keyed *k, uint64_t block, uint32_t ret[LANE_WORDS])
{
    uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];

#ifdef BASE_AVX512
    if (__builtin_cpu_supports("avx512f")) {
        random_words_avx512(k->philox, k->key, block, ret);
        return;
    }
#endif
    for (unsigned i = 0; i < LANES; i++) {
        uint64_t b = (block + i) & UINT64_MAX >> 2;
        c0[i] = (uint32_t)b;
        c1[i] = (uint32_t)(b >> 32);
        c2[i] = k->key[0];
        c3[i] = k->key[1];
    }
    rounds(c0, c1, c2, c3, k->philox[0], k->philox[1]);
    for (unsigned i = 0; i < LANES; i++) {
        ret[4 * i] = c0[i];
        ret[4 * i + 1] = c1[i];
        ret[4 * i + 2] = c2[i];
        ret[4 * i + 3] = c3[i];
    }
}

static void to_uniform(const uint32_t words[LANE_WORDS], float ret[LANE_WORDS])
{
    /* 24 bits: exact in a signed integer, whose conversion is the cheap one, and in a float. */
    for (int i = 0; i < LANE_WORDS; i++)
        ret[i] = (float)(int32_t)(words[i] >> 8) * 0x1p-24f;
}

/* Box and Muller's transformation of each pair. */
static void to_normal(const uint32_t words[LANE_WORDS], float ret[LANE_WORDS], size_t from, size_t to)
{
    const double two_pi = 6.283185307179586476925;

    for (size_t i = from & ~(size_t)1; i < to; i += 2) {
        double u1 = ((words[i] >> 8) + 1) * 0x1p-24, u2 = (words[i + 1] >> 8) * 0x1p-24;
        double r = sqrt(-2 * log(u1)), angle = two_pi * u2;
        ret[i] = (float)(r * cos(angle));
        ret[i + 1] = (float)(r * sin(angle));
    }
}

/* How many of `count` numbers from `first` on were made where they are wanted, the fast way; 0 where there is none. */
static size_t fill_uniform(const struct keyed *k, uint64_t first, void *ret, size_t count)
{
#ifdef BASE_AVX512
    if (first % 4 == 0 && count >= LANE_WORDS && __builtin_cpu_supports("avx512f")) {
        count -= count % LANE_WORDS;
        random_uniform_avx512(k->philox, k->key, first / 4, ret, count);
        return count;
    }
#else
    (void)k, (void)first, (void)ret, (void)count;
#endif
    return 0;
}

bioft_status random_fill(uint32_t kind, uint64_t seed, const char *stream, uint64_t key, uint64_t first, void *ret,
                         size_t count)
{
    const struct keyed k = keyed(seed, stream, key);
    unsigned char *out = ret;

    if (kind != BIOFT_UNIFORM && kind != BIOFT_NORMAL && kind != BIOFT_BITS)
        return BIOFT_ERR_INVALID;
    if (kind == BIOFT_UNIFORM) {
        const size_t done = fill_uniform(&k, first, out, count);
        out += done * 4;
        first += done;
        count -= done;
    }
    while (count > 0) {
        uint32_t words[LANE_WORDS];
        float values[LANE_WORDS];
        size_t skip = first % 4, n = LANE_WORDS - skip;

        if (n > count)
            n = count;
        lanes(&k, first / 4, words);
        if (kind == BIOFT_UNIFORM)
            to_uniform(words, values);
        else if (kind == BIOFT_NORMAL)
            to_normal(words, values, skip, skip + n);
        if (kind == BIOFT_BITS)
            memcpy(out, words + skip, n * sizeof *words);
        else
            memcpy(out, values + skip, n * sizeof *values);
        out += n * 4;
        first += n;
        count -= n;
    }
    return BIOFT_OK;
}

/* The high half of a 128-bit product. */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, mid = a1 * b0 + (low >> 32), mid2 = a0 * b1 + (uint32_t)mid;

    return a1 * b1 + (mid >> 32) + (mid2 >> 32);
}

void random_permutation(uint64_t seed, const char *stream, uint64_t key, uint64_t n, uint64_t *ret)
{
    const struct keyed k = keyed(seed, stream, key);
    uint32_t words[LANE_WORDS];
    uint64_t at_hand = UINT64_MAX; /* whose words: pairs are made LANE_WORDS / 2 at a time */

    for (uint64_t i = 0; i < n; i++)
        ret[i] = i;
    for (uint64_t i = n; i-- > 1;) {
        const uint32_t *pair;
        uint64_t u, j, swap;
        if (i / (LANE_WORDS / 2) != at_hand) {
            at_hand = i / (LANE_WORDS / 2);
            lanes(&k, at_hand * LANES, words);
        }
        pair = words + 2 * (i % (LANE_WORDS / 2));
        u = pair[0] | (uint64_t)pair[1] << 32;
        j = multiply_high(u, i + 1);
        swap = ret[i];
        ret[i] = ret[j];
        ret[j] = swap;
    }
}
