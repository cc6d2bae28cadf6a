/* Opening libtorch, choosing the device, and what surrounds each call. */
#include "find.h"
#include "gpu.h"
#include "philox.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A symbol by name: ISO C has no cast from an object's pointer to a function's. */
static bool find(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);

    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* Local, so that none of libtorch's many symbols stands in the way of another library's; never unloaded, since its
 * threads and destructors outlive any use. */
static void *open_file(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE); }

static bioft_status load_functions(struct torch *t)
{
#define TORCH_LOAD(result, name, parameters) \
    if (!find(t->handle, #name, &t->f.name) && !missing) \
        missing = #name;
    const char *missing = NULL;

    TORCH_LATER_FUNCTIONS(TORCH_LOAD)
    missing = NULL;
    TORCH_FUNCTIONS(TORCH_LOAD)
#undef TORCH_LOAD
    if (missing)
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "libtorch in %s lacks %s: torch %s or newer is needed",
                           t->folder, missing, TORCH_OLDEST);
    return BIOFT_OK;
}

static bioft_status open_library(struct torch *t, struct found *found)
{
    char why[640];
    uint64_t version;

    if (!library_find(t->options.library, found, why, sizeof why))
        return t->host->fail(t->host, BIOFT_ERR_UNSUPPORTED, why);
    snprintf(t->folder, sizeof t->folder, "%.*s", (int)sizeof t->folder - 1, found->folder);
    t->handle = open_file(found->file);
    if (!t->handle)
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "libtorch cannot be opened: %s", dlerror());
    if (load_functions(t) != BIOFT_OK)
        return BIOFT_ERR_UNSUPPORTED;
    version = t->f.aoti_torch_abi_version();
    if (found->version[0])
        snprintf(t->version, sizeof t->version, "%s", found->version);
    else
        snprintf(t->version, sizeof t->version, "%u.%u.%u", (unsigned)(version >> 56) & 255,
                 (unsigned)(version >> 48) & 255, (unsigned)(version >> 40) & 255);
    t->cpu = t->f.aoti_torch_device_type_cpu();
    t->float32 = t->f.aoti_torch_dtype_float32();
    t->float64 = t->f.aoti_torch_dtype_float64();
    t->int64 = t->f.aoti_torch_dtype_int64();
    t->bfloat16 = t->f.aoti_torch_dtype_bfloat16();
    return BIOFT_OK;
}

static bool starts_with(const char *text, const char *word)
{
    const size_t length = strlen(word);

    return strncmp(text, word, length) == 0 && (text[length] == '\0' || text[length] == ':');
}

/* "auto" becomes a device that is there. */
static bioft_status choose_device(struct torch *t, const struct found *found, const char **ret_kind)
{
    static const char *const kinds[] = { "cpu", "cuda", "xpu", "mps" };
    const char *wanted = t->options.device ? t->options.device : "auto", *driver;
    char why[128];
    int count;

    *ret_kind = NULL;
    if (strcmp(wanted, "auto") == 0) {
        count = found->cuda ? gpu_count(&driver, why, sizeof why) : 0;
        if (count > 0)
            snprintf(t->device_text, sizeof t->device_text, "cuda:%d", gpu_take(count, &t->gpu_lock));
        else
            snprintf(t->device_text, sizeof t->device_text, "cpu");
    } else {
        snprintf(t->device_text, sizeof t->device_text, "%s", wanted);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (starts_with(t->device_text, kinds[i]))
            *ret_kind = kinds[i];
    if (!*ret_kind || t->f.torch_parse_device_string(t->device_text, &(uint32_t){ 0 }, &(int32_t){ 0 }) != 0)
        return bioft_failf(t->host, BIOFT_ERR_INVALID, "device '%s': auto, cpu, cuda, cuda:N, xpu or mps expected",
                           wanted);
    return BIOFT_OK;
}

static bioft_status check_cuda(struct torch *t, const struct found *found)
{
    const char *driver;
    char why[128];
    int count;

    if (!found->cuda)
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "device '%s': the libtorch %s in %s was built without CUDA",
                           t->device_text, t->version, t->folder);
    count = gpu_count(&driver, why, sizeof why);
    if (count == 0)
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "device '%s': %s", t->device_text, why);
    if (t->device_index >= count)
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "device '%s': there %s %d GPU%s here, numbered from 0",
                           t->device_text, count == 1 ? "is" : "are", count, count == 1 ? "" : "s");
    return BIOFT_OK;
}

/* Whether TF32 is used, and whether cuDNN may use sums whose order varies, is torch's own state (at::Context in
 * ATen/Context.h), which its C interface does not reach: these functions of its C++ one have been there since 1.7. */
static bioft_status set_context(struct torch *t)
{
    void *(*context)(void);
    void (*tf32_convolutions)(void *, bool), (*tf32_products)(void *, bool), (*deterministic)(void *, bool);

    if (!find(t->handle, "_ZN2at13globalContextEv", &context) ||
        !find(t->handle, "_ZN2at7Context17setAllowTF32CuDNNEb", &tf32_convolutions) ||
        !find(t->handle, "_ZN2at7Context18setAllowTF32CuBLASEb", &tf32_products) ||
        !find(t->handle, "_ZN2at7Context21setDeterministicCuDNNEb", &deterministic))
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "libtorch %s does not let TF32 be chosen", t->version);
    tf32_convolutions(context(), t->options.precision == PRECISION_TF32);
    tf32_products(context(), t->options.precision == PRECISION_TF32);
    deterministic(context(), t->options.deterministic != 0);
    return BIOFT_OK;
}

static bioft_status open_device(struct torch *t, const struct found *found)
{
    const char *kind;
    char path[sizeof found->folder + 32], name[64];
    void *handle = t->handle;
    uint32_t type = 0;
    bioft_status st = choose_device(t, found, &kind);

    if (st != BIOFT_OK)
        return st;
    if (t->f.torch_parse_device_string(t->device_text, &type, &t->device_index) != 0)
        return BIOFT_ERR_INVALID;
    t->device_type = (int32_t)type;
    t->on_host = t->device_type == t->cpu;
    t->device_index = t->device_index < 0 || t->on_host ? 0 : t->device_index;
    if (strcmp(kind, "cuda") == 0 && (st = check_cuda(t, found)) != BIOFT_OK)
        return st;
    if (!t->on_host && strcmp(kind, "mps") != 0) {
        snprintf(path, sizeof path, "%s/libtorch_%s.so", found->folder, kind);
        if (strcmp(kind, "cuda") == 0 && access(path, R_OK) != 0)
            snprintf(path, sizeof path, "%s/libtorch_hip.so", found->folder);
        handle = open_file(path);
        if (!handle)
            return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED,
                               "device '%s': libtorch's part for it cannot be opened: "
                               "%s",
                               t->device_text, dlerror());
    }
    snprintf(name, sizeof name, "aoti_torch_%s_add_Tensor", kind);
    t->device_handle = handle;
    if (!find(handle, name, &t->add_tensor))
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "device '%s': libtorch %s has no %s", t->device_text,
                           t->version, name);
    snprintf(name, sizeof name, "aoti_torch_%s_mul_Scalar", kind);
    if (!find(handle, name, &t->multiply_number))
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "device '%s': libtorch %s has no %s", t->device_text,
                           t->version, name);
    t->generator = t->host->get_extension(t->host, "bioft.generator/1");
    /* Apple's GPUs have no float64, which normal numbers need. */
    t->draws_on_device = t->generator && strcmp(kind, "mps") != 0 &&
                         (t->options.draws == DRAWS_AUTO ? !t->on_host : t->options.draws == DRAWS_DEVICE);
    if (!find(t->handle, "omp_set_num_threads", &t->set_threads))
        t->set_threads = NULL;
    return strcmp(kind, "cuda") == 0 ? set_context(t) : BIOFT_OK;
}

bioft_status torch_open(struct torch *t)
{
    const bioft_parallel *parallel = t->host->get_extension(t->host, "bioft.parallel/1");
    struct found *found = calloc(1, sizeof *found);
    bioft_status st;

    if (!found)
        return t->host->fail(t->host, BIOFT_ERR_MEMORY, "out of memory for the engine");
    t->gpu_lock = -1;
    t->threads = parallel ? parallel->threads : 1;
    st = open_library(t, found);
    if (st == BIOFT_OK)
        st = open_device(t, found);
    free(found);
    if (st != BIOFT_OK) {
        torch_close(t);
        return st;
    }
    bool good = torch_enter(t);
    if (good) {
        t->zero = tensor_number(t, 0);
        good = t->zero && (!t->draws_on_device || philox_begin(t));
        torch_leave(t);
    }
    if (!good) {
        st = torch_failed(t, "the device does not start");
        torch_close(t);
    }
    return st;
}

void torch_close(struct torch *t)
{
    tensor_drop(t, &t->zero);
    philox_free(t);
    if (t->gpu_lock >= 0)
        close(t->gpu_lock);
    t->gpu_lock = -1;
}

bool torch_enter(struct torch *t)
{
    uint32_t threads = 0;

    t->f.aoti_torch_grad_mode_set_enabled(false);
    /* The first question in a thread makes torch choose a number of its own; the second choice is ours. */
    if (t->set_threads && t->f.torch_get_num_threads(&threads) == 0 && threads != t->threads)
        t->set_threads((int)t->threads);
    if (t->on_host || t->f.aoti_torch_create_device_guard(t->device_index, &t->guard) == 0)
        return true;
    snprintf(t->error, sizeof t->error, "device '%s' cannot be used", t->device_text);
    t->status = BIOFT_ERR_UNSUPPORTED;
    return false;
}

void torch_leave(struct torch *t)
{
    if (t->guard)
        t->f.aoti_torch_delete_device_guard(t->guard);
    t->guard = NULL;
}

void torch_describe(const struct torch *t, char *ret, size_t size)
{
    size_t (*cudnn_version)(void);
    char name[64];
    size_t used = (size_t)snprintf(ret, size, "%s", t->device_text);

    if (t->on_host || used >= size)
        return;
    if (gpu_name(t->device_index, name, sizeof name))
        used += (size_t)snprintf(ret + used, size - used, " (%s)", name);
    if (used < size && find(t->device_handle, "cudnnGetVersion", &cudnn_version)) {
        const unsigned v = (unsigned)cudnn_version(); /* major * 10000 + minor * 100 + patch since 9 */
        snprintf(ret + used, size - used, ", cuDNN %u.%u.%u", v / 10000, v / 100 % 100, v % 100);
    }
}

bioft_status torch_failed(struct torch *t, const char *doing)
{
    const bioft_status st = t->status != BIOFT_OK ? t->status : BIOFT_ERR_UNSUPPORTED;

    t->status = BIOFT_OK;
    return bioft_failf(t->host, st, "%s on %s: %s%s", doing, t->device_text, t->error,
                       st == BIOFT_ERR_MEMORY ? ": use smaller batches" : "");
}
