/* Hash codes packed to bits. */
#include "codes/codes.h"

#include "base/memory.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bioft_status codes_create(uint64_t n, uint32_t bits, uint32_t classes, struct codes *ret, struct error *err)
{
    struct codes c = {
        .bits = bits, .words = (bits + 63) / 64, .classes = classes, .label_words = classes / 64, .n = n
    };
    size_t words, label_words;

    if (bits == 0 || bits > CODES_MAX_BITS)
        return error_set(err, BIOFT_ERR_INVALID, "codes of %u bits: from 1 to %d are possible", bits, CODES_MAX_BITS);
    c.label_words += classes % 64 != 0;
    if (n > SIZE_MAX || !mem_product((size_t)n, c.words, &words) ||
        !mem_product((size_t)n, c.label_words, &label_words))
        return error_set(err, BIOFT_ERR_INVALID, "%" PRIu64 " codes are too many", n);
    c.codes = mem_aligned(words, sizeof *c.codes);
    c.labels = mem_aligned(label_words, sizeof *c.labels);
    if (!c.codes || !c.labels) {
        codes_free(&c);
        return error_memory(err, "codes");
    }
    *ret = c;
    return BIOFT_OK;
}

void codes_free(struct codes *c)
{
    free(c->codes);
    free(c->labels);
    memset(c, 0, sizeof *c);
}

bioft_codes codes_view(const struct codes *c)
{
    return (bioft_codes){ .struct_size = sizeof(bioft_codes),
                          .bits = c->bits,
                          .words = c->words,
                          .label_words = c->label_words,
                          .n = c->n,
                          .codes = c->codes,
                          .labels = c->labels };
}

void codes_pack(const float *values, uint64_t n, uint32_t bits, uint64_t *ret)
{
    for (uint64_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < bits; j += 64) {
            const uint32_t end = bits - j < 64 ? bits - j : 64;
            uint64_t word = 0;
            for (uint32_t b = 0; b < end; b++)
                word |= (uint64_t)(values[b] >= 0.0f) << b;
            values += end;
            *ret++ = word;
        }
}

void codes_pack_bytes(const uint8_t *bytes, uint64_t n, uint32_t bits, uint64_t *ret)
{
    for (uint64_t i = 0; i < n; i++, bytes += (bits + 7) / 8)
        for (uint32_t j = 0; j < bits; j += 64) {
            const uint32_t end = bits - j < 64 ? bits - j : 64;
            uint64_t word = 0;
            for (uint32_t b = 0; b < end; b++)
                word |= (uint64_t)(bytes[(j + b) / 8] >> (7 - b % 8) & 1) << b;
            *ret++ = word;
        }
}

void codes_unpack_bytes(const uint64_t *codes, uint64_t n, uint32_t bits, uint8_t *ret)
{
    const size_t bytes = (bits + 7) / 8;

    memset(ret, 0, (size_t)n * bytes);
    for (uint64_t i = 0; i < n; i++, codes += (bits + 63) / 64, ret += bytes)
        for (uint32_t j = 0; j < bits; j++)
            ret[j / 8] |= (uint8_t)((codes[j / 64] >> (j % 64) & 1) << (7 - j % 8));
}

void codes_unpack(const uint64_t *codes, uint64_t n, uint32_t bits, float *ret)
{
    for (uint64_t i = 0; i < n; i++, codes += (bits + 63) / 64)
        for (uint32_t j = 0; j < bits; j++)
            *ret++ = codes[j / 64] >> (j % 64) & 1 ? 1.0f : -1.0f;
}
