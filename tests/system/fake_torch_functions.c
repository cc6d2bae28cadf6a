/* The functions of the fake libtorch: stronger than the names of fake_torch.c. */
#include "abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT uint64_t aoti_torch_abi_version(void);
uint64_t aoti_torch_abi_version(void) { return TORCH_WRITTEN_FOR; }

#define TYPE(name) \
    EXPORT int32_t name(void); \
    int32_t name(void) { return 0; }
TYPE(aoti_torch_device_type_cpu)
TYPE(aoti_torch_device_type_cuda)
TYPE(aoti_torch_dtype_float32)
TYPE(aoti_torch_dtype_float64)
TYPE(aoti_torch_dtype_bfloat16)
TYPE(aoti_torch_dtype_uint8)
TYPE(aoti_torch_dtype_int64)

/* "cuda:3" is type 1, index 3. */
EXPORT int32_t torch_parse_device_string(const char *text, uint32_t *ret_type, int32_t *ret_index);
int32_t torch_parse_device_string(const char *text, uint32_t *ret_type, int32_t *ret_index)
{
    const char *colon = strchr(text, ':');

    *ret_type = strncmp(text, "cpu", 3) != 0;
    *ret_index = colon ? atoi(colon + 1) : -1;
    return 0;
}

#ifdef NEEDS_ANOTHER /* a library beside it */
int cuInit(unsigned flags);
EXPORT int needs_another(void);
int needs_another(void) { return cuInit(0); }
#endif

/* A library that is opened says so: score() must not. */
__attribute__((constructor)) static void opened(void)
{
    const char *path = getenv("FAKE_OPENED");
    FILE *file = path ? fopen(path, "w") : NULL;

    if (file)
        fclose(file);
}
