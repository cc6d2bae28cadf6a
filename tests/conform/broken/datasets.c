/* Datasets that break the contract in one way each, chosen by WAY. */
#include "broken.h"

#include <bioft/dataset.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { LABEL_BEYOND, IN_TWO_SPLITS, OTHER_BYTES, LEAKS };
enum { SIDE = 4, COUNT = 40 };

typedef struct {
    _Atomic uint32_t reads;
    void *kept;
} broken;

static bioft_status describe(void *self, bioft_info *ret)
{
    if (WAY == LEAKS)
        ((broken *)self)->kept = malloc(1000);
    bioft_status st = ret->class_name(ret, 0, "even");
    st = st != BIOFT_OK ? st : ret->class_name(ret, 1, "odd");
    st = st != BIOFT_OK ? st : ret->split(ret, "train", COUNT);
    return st != BIOFT_OK ? st : ret->split(ret, "test", COUNT);
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    (void)self, (void)split, (void)label_words;
    ret[0] |= UINT64_C(1) << (WAY == LABEL_BEYOND && index == COUNT - 1 ? 2 : index % 2);
    return BIOFT_OK;
}

/* The last training sample is the first test sample. */
static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    (void)self;
    snprintf(ret, size, "%llu", (unsigned long long)(split * (COUNT - (WAY == IN_TWO_SPLITS)) + index));
    return BIOFT_OK;
}

/* What was read before shows in the pixels. */
static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    broken *p = (broken *)(uintptr_t)self;
    const uint32_t reads = atomic_fetch_add(&p->reads, 1);
    uint8_t *pixels = ret->reserve(ret, SIDE * SIDE);
    (void)reader;
    if (!pixels)
        return BIOFT_ERR_MEMORY;
    for (uint32_t i = 0; i < SIDE * SIDE; i++)
        pixels[i] = (uint8_t)(i + split + index);
    if (WAY == OTHER_BYTES)
        *pixels = (uint8_t)reads;
    ret->format = BIOFT_SAMPLE_U8_HWC;
    ret->height = ret->width = SIDE;
    ret->channels = 1;
    return BIOFT_OK;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof(dataset),
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
};

BROKEN(BIOFT_KIND_DATASET, NAME, broken, &dataset, .create = NULL)
