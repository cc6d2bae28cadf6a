/* CUDA's driver as far as the engine `torch` asks it, with FAKE_GPUS GPUs; cuInit fails with FAKE_CUDA_ERROR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static int number(const char *name)
{
    const char *text = getenv(name);
    return text ? atoi(text) : 0;
}

EXPORT int cuInit(unsigned flags);
EXPORT int cuInit(unsigned flags)
{
    (void)flags;
    return number("FAKE_CUDA_ERROR");
}

EXPORT int cuDeviceGetCount(int *ret);
EXPORT int cuDeviceGetCount(int *ret)
{
    *ret = number("FAKE_GPUS");
    return 0;
}

EXPORT int cuDeviceGet(int *ret, int ordinal);
EXPORT int cuDeviceGet(int *ret, int ordinal)
{
    *ret = ordinal;
    return 0;
}

EXPORT int cuDeviceGetName(char *ret, int size, int device);
EXPORT int cuDeviceGetName(char *ret, int size, int device)
{
    snprintf(ret, (size_t)size, "Fake %d", device);
    return 0;
}

/* Of this process's parent: two tests at once hold other GPUs. */
EXPORT int cuDeviceGetUuid(unsigned char ret[16], int device);
EXPORT int cuDeviceGetUuid(unsigned char ret[16], int device)
{
    const int test = number("FAKE_TEST");

    memset(ret, 0, 16);
    memcpy(ret, &test, sizeof test);
    ret[15] = (unsigned char)device;
    return 0;
}
