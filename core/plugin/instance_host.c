/* What the host does for one instance: named arrays, work space, random numbers, extensions, reasons of failures. */
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "plugin/check.h"
#include "plugin/instance_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bioft_status refuse(struct instance *i, bioft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bioft_status refuse(struct instance *i, bioft_status status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reasons_keep(&i->private->reasons, text);
    return status;
}

static bioft_status host_fail(const bioft_host *host, bioft_status status, const char *text)
{
    reasons_keep(&instance_of_host(host)->private->reasons, text ? text : "");
    return status;
}

static uint64_t machine_memory(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
}

/* May the instance have `count` times `size` bytes more under this name? */
static bioft_status check_request(struct instance *i, const char *what, const char *name, size_t count, size_t size,
                                  size_t *ret_bytes)
{
    char escaped[TEXT_ESCAPED];
    uint64_t total;
    size_t bytes;
    if (string_fault(name))
        return refuse(i, BIOFT_ERR_INVALID, "a %s's name %s", what, string_fault(name));
    text_escape(escaped, name, strlen(name));
    if (count == 0)
        return refuse(i, BIOFT_ERR_INVALID, "%s '%s': 0 asked for", what, escaped);
    if (!mem_product(count, size, &bytes) || __builtin_add_overflow(bytes, i->private->bytes, &total) ||
        total > machine_memory())
        return refuse(i, BIOFT_ERR_MEMORY, "%s '%s': %zu asked for, more than this machine's memory holds", what,
                      escaped, count);
    *ret_bytes = bytes;
    return BIOFT_OK;
}

static void array_free(struct named_array *a)
{
    free(a->name);
    free(a->value);
    free(a->gradient);
    free(a->moment1);
    free(a->moment2);
}

static bioft_status make_array(struct instance *i, const char *name, size_t count, bool trainable)
{
    struct instance_private *p = i->private;
    struct named_array a = { .count = count };
    size_t bytes;
    bioft_status st = check_request(i, trainable ? "trainable" : "state", name, count,
                                    (trainable ? 4 : 1) * sizeof(float), &bytes);
    if (st != BIOFT_OK)
        return st;
    a.name = strdup(name);
    a.value = mem_aligned(count, sizeof(float));
    bool made = a.name && a.value;
    if (trainable) {
        a.gradient = mem_aligned(count, sizeof(float));
        a.moment1 = mem_aligned(count, sizeof(float));
        a.moment2 = mem_aligned(count, sizeof(float));
        made = made && a.gradient && a.moment1 && a.moment2;
    }
    if (!made || !mem_grow(&i->arrays, &i->array_capacity, i->array_count + 1, sizeof a) ||
        !names_reserve(&p->array_names, i->arrays)) {
        array_free(&a);
        return refuse(i, BIOFT_ERR_MEMORY, "out of memory for %zu numbers of '%s'", count, name);
    }
    i->arrays[i->array_count++] = a;
    names_add(&p->array_names, i->arrays);
    p->bytes += bytes;
    return BIOFT_OK;
}

/* The array of this name, made where there is none; it must be what is asked for. */
static bioft_status find_array(struct instance *i, const char *name, size_t count, bool trainable,
                               struct named_array **ret)
{
    struct named_array *a = name ? instance_array(i, name) : NULL;
    if (!a) {
        bioft_status st = make_array(i, name, count, trainable);
        if (st != BIOFT_OK)
            return st;
        a = &i->arrays[i->array_count - 1];
    }
    if (!a->gradient != !trainable)
        return refuse(i, BIOFT_ERR_INVALID, "'%s' is a %s and cannot be asked for as a %s too", a->name,
                      a->gradient ? "trainable" : "state", trainable ? "trainable" : "state");
    if (a->count != count)
        return refuse(i, BIOFT_ERR_INVALID, "'%s' has %zu numbers, asked for with %zu", a->name, a->count, count);
    *ret = a;
    return BIOFT_OK;
}

static bioft_status host_state(const bioft_host *host, const char *name, size_t count, float **ret)
{
    struct named_array *a = NULL;
    bioft_status st = find_array(instance_of_host(host), name, count, false, &a);
    if (st == BIOFT_OK)
        *ret = a->value;
    return st;
}

static bioft_status host_trainable(const bioft_host *host, const char *name, size_t count, uint32_t flags,
                                   float **ret_value, float **ret_grad)
{
    struct instance *i = instance_of_host(host);
    struct named_array *a = NULL;
    if (!i->private->trainables)
        return refuse(i, BIOFT_ERR_UNSUPPORTED, "trainable arrays are for losses alone");
    if (flags != 0)
        return refuse(i, BIOFT_ERR_UNSUPPORTED, "unknown flag 0x%x of trainable", flags);
    bioft_status st = find_array(i, name, count, true, &a);
    if (st != BIOFT_OK)
        return st;
    *ret_value = a->value;
    *ret_grad = a->gradient;
    return BIOFT_OK;
}

/* Scratch `index` gets larger; what was in it is lost, as the contract says. */
static bioft_status enlarge(struct instance *i, struct scratch *s, size_t bytes)
{
    void *memory = mem_aligned(bytes, 1);
    if (!memory)
        return refuse(i, BIOFT_ERR_MEMORY, "out of memory for %zu bytes of scratch '%s'", bytes, s->name);
    free(s->memory);
    i->private->bytes += bytes - s->bytes;
    s->memory = memory;
    s->bytes = bytes;
    return BIOFT_OK;
}

static bioft_status host_scratch(const bioft_host *host, const char *name, size_t bytes, void **ret)
{
    struct instance *i = instance_of_host(host);
    struct instance_private *p = i->private;
    size_t index = name ? names_find(&p->scratch_names, p->scratch, name) : SIZE_MAX, checked;
    bioft_status st = BIOFT_OK;
    if (index == SIZE_MAX || bytes == 0 || bytes > p->scratch[index].bytes)
        st = check_request(i, "scratch", name, bytes, 1, &checked);
    if (st != BIOFT_OK)
        return st;
    if (index == SIZE_MAX) {
        char *copy = strdup(name);
        if (!copy || !mem_grow(&p->scratch, &p->scratch_capacity, p->scratch_count + 1, sizeof *p->scratch) ||
            !names_reserve(&p->scratch_names, p->scratch)) {
            free(copy);
            return refuse(i, BIOFT_ERR_MEMORY, "out of memory for scratch '%s'", name);
        }
        index = p->scratch_count++;
        p->scratch[index] = (struct scratch){ .name = copy };
        names_add(&p->scratch_names, p->scratch);
    }
    if (bytes > p->scratch[index].bytes)
        st = enlarge(i, &p->scratch[index], bytes);
    if (st == BIOFT_OK)
        *ret = p->scratch[index].memory;
    return st;
}

static bioft_status host_random(const bioft_host *host, uint32_t kind, const char *stream, uint64_t key, uint64_t first,
                                void *ret, size_t count)
{
    struct instance *i = instance_of_host(host);
    if (!stream || !*stream)
        return refuse(i, BIOFT_ERR_INVALID, "random numbers need a stream's name");
    atomic_store_explicit(&i->private->drew, true, memory_order_relaxed);
    bioft_status st = random_fill(kind, i->seed, stream, key, first, ret, count);
    return st == BIOFT_OK ? st : refuse(i, st, "%u is not a distribution of random numbers", kind);
}

bool instance_drew(const struct instance *i) { return atomic_load_explicit(&i->private->drew, memory_order_relaxed); }

static void parallel_run(const bioft_host *host, size_t count, void (*body)(void *ctx, size_t index, uint32_t thread),
                         void *ctx)
{
    pool_run(instance_of_host(host)->pool, count, body, ctx);
}

static bioft_status generator_key(const bioft_host *host, const char *stream, uint32_t ret[2])
{
    struct instance *i = instance_of_host(host);
    if (!stream || !*stream)
        return refuse(i, BIOFT_ERR_INVALID, "random numbers need a stream's name");
    atomic_store_explicit(&i->private->drew, true, memory_order_relaxed);
    random_stream_key(i->seed, stream, ret);
    return BIOFT_OK;
}

static const bioft_generator generator = { .struct_size = sizeof generator, .key = generator_key };
static const char parallel_id[] = "bioft.parallel/1", generator_id[] = "bioft.generator/1";

static const void *host_get_extension(const bioft_host *host, const char *id)
{
    const struct instance *i = instance_of_host(host);
    if (!id)
        return NULL;
    if (strcmp(id, parallel_id) == 0)
        return &i->private->parallel;
    if (strcmp(id, generator_id) == 0)
        return &generator;
    for (size_t n = 0; n < i->extension_count; n++)
        if (strcmp(id, i->extensions[n].id) == 0)
            return i->extensions[n].table;
    return NULL;
}

void host_init(struct instance *i)
{
    struct instance_private *p = i->private;
    p->array_names.stride = sizeof *i->arrays;
    p->scratch_names.stride = sizeof *p->scratch;
    p->parallel = (bioft_parallel){ .struct_size = sizeof p->parallel,
                                    .threads = pool_threads(i->pool),
                                    .run = parallel_run };
    i->host = (bioft_host){
        .struct_size = sizeof i->host,
        .abi_version = BIOFT_ABI_VERSION,
        .ctx = i,
        .fail = host_fail,
        .state = host_state,
        .trainable = host_trainable,
        .scratch = host_scratch,
        .random = host_random,
        .get_extension = host_get_extension,
    };
}

void host_finish(struct instance *i)
{
    struct instance_private *p = i->private;
    for (size_t n = 0; n < i->array_count; n++)
        array_free(&i->arrays[n]);
    free(i->arrays);
    names_free(&p->array_names);
    for (size_t n = 0; n < p->scratch_count; n++) {
        free(p->scratch[n].name);
        free(p->scratch[n].memory);
    }
    free(p->scratch);
    names_free(&p->scratch_names);
}
