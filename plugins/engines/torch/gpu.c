/* CUDA's driver (libcuda: cuInit, cuDeviceGetCount, cuDeviceGetUuid) and ROCm's runtime (libamdhip64:
 * hipGetDeviceCount), opened only to be asked. */
#include "gpu.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { SHARES = 64 }; /* programs at most that are told apart on one GPU */

typedef int init_function(unsigned flags);
typedef int count_function(int *ret);
typedef int device_function(int *ret, int ordinal);
typedef int name_function(char *ret, int size, int device);
typedef int uuid_function(unsigned char ret[16], int device);

/* ISO C has no cast from an object's pointer to a function's. */
static bool find(void *handle, const char *name, void *ret)
{
    void *symbol = handle ? dlsym(handle, name) : NULL;

    memcpy(ret, &symbol, sizeof symbol);
    return symbol != NULL;
}

static int cuda_count(void *handle, char *why, size_t size)
{
    init_function *init;
    count_function *count;
    int code, n = 0;

    if (!find(handle, "cuInit", &init) || !find(handle, "cuDeviceGetCount", &count)) {
        snprintf(why, size, "libcuda.so.1 is not a driver");
        return 0;
    }
    code = init(0);
    if (code == 0)
        code = count(&n);
    if (code != 0 || n == 0)
        snprintf(why, size, "CUDA's driver is there and finds no GPU (error %d)", code);
    return code == 0 ? n : 0;
}

int gpu_count(const char **ret_kind, char *why, size_t size)
{
    void *cuda = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL), *hip = NULL;
    count_function *count;
    int n = 0;

    *ret_kind = "";
    snprintf(why, size, "no GPU's driver");
    if (cuda)
        n = cuda_count(cuda, why, size);
    if (n > 0) {
        *ret_kind = "CUDA";
        return n;
    }
    hip = dlopen("libamdhip64.so", RTLD_NOW | RTLD_LOCAL);
    if (hip && find(hip, "hipGetDeviceCount", &count) && count(&n) == 0 && n > 0) {
        *ret_kind = "ROCm";
        return n;
    }
    return 0;
}

bool gpu_name(int device, char *ret, size_t size)
{
    void *handle = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    device_function *get;
    name_function *name;
    int one;

    return find(handle, "cuDeviceGet", &get) && find(handle, "cuDeviceGetName", &name) && get(&one, device) == 0 &&
           name(ret, (int)size, one) == 0;
}

/* What tells this GPU from the others whatever number it has under CUDA_VISIBLE_DEVICES. */
static void lock_name(int device, char *ret, size_t size)
{
    void *handle = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    device_function *get;
    uuid_function *uuid;
    unsigned char id[16];
    int one;
    size_t used = (size_t)snprintf(ret, size, "/tmp/bioft-gpu-%u-", (unsigned)getuid());

    if (find(handle, "cuDeviceGet", &get) && find(handle, "cuDeviceGetUuid", &uuid) && get(&one, device) == 0 &&
        uuid(id, one) == 0)
        for (size_t i = 0; i < sizeof id && used < size; i++)
            used += (size_t)snprintf(ret + used, size - used, "%02x", id[i]);
    else
        snprintf(ret + used, size - used, "%d", device);
}

int gpu_take(int count, int *ret_lock)
{
    for (int k = 0; k < SHARES * count; k++) {
        const int i = k % count;
        char name[96];
        size_t used;
        int fd;
        lock_name(i, name, sizeof name);
        used = strlen(name);
        snprintf(name + used, sizeof name - used, "-%d", k / count);
        fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            *ret_lock = fd;
            return i;
        }
        if (fd >= 0)
            close(fd);
    }
    *ret_lock = -1;
    return 0;
}
