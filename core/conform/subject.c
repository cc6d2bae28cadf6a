/* An instance of the plugin under test, behind a host that keeps the contract to the letter and watches the plugin. */
#include "conform/private.h"

#include "base/random.h"
#include "plugin/instance.h"
#include "rules/scale.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct subject *subject_of(const bioft_host *host) { return host->ctx; }

static bioft_status host_fail(const bioft_host *host, bioft_status status, const char *text)
{
    struct subject *s = subject_of(host);
    snprintf(s->reason, sizeof s->reason, "%s", text ? text : "");
    s->has_reason = text && *text;
    return status;
}

static bioft_status refuse(struct subject *s, const char *format, const char *name)
{
    snprintf(s->reason, sizeof s->reason, format, name);
    s->has_reason = true;
    return BIOFT_ERR_INVALID;
}

static struct subject_array *find_array(struct subject *s, const char *name, bool scratch)
{
    for (size_t i = 0; i < s->array_count; i++)
        if (s->arrays[i].scratch == scratch && strcmp(s->arrays[i].name, name) == 0)
            return &s->arrays[i];
    return NULL;
}

static void *kept(struct conform *c, const char *name, size_t bytes)
{
    void *memory = guard_take(c, name, bytes, true);
    if (memory)
        guard_keep(c, memory);
    return memory;
}

/* The array of this name, made where there is none. */
static bioft_status take(struct subject *s, const char *name, size_t bytes, bool scratch, bool gradient,
                         struct subject_array **ret)
{
    struct subject_array *a;
    if (!name || !*name || strlen(name) >= sizeof a->name || bytes == 0)
        return refuse(s, "an array without a name or without elements%s", "");
    a = find_array(s, name, scratch);
    if (a && (scratch ? a->bytes < bytes : a->bytes != bytes)) {
        if (!scratch)
            return refuse(s, "'%s' was asked for with another count before", name);
        guard_release(s->c, a->value);
        a->value = NULL;
    }
    if (s->step && (!a || !a->value))
        conform_find(s->c, "asked the host for a new array '%s' inside a [step] callback", name);
    if (!a) {
        if (!mem_grow(&s->arrays, &s->array_capacity, s->array_count + 1, sizeof *a))
            return BIOFT_ERR_MEMORY;
        a = &s->arrays[s->array_count++];
        *a = (struct subject_array){ .scratch = scratch };
        snprintf(a->name, sizeof a->name, "%s", name);
    }
    if (!a->value) {
        a->bytes = bytes;
        a->count = bytes / sizeof(float);
        a->value = kept(s->c, name, bytes);
        if (!a->value)
            return BIOFT_ERR_MEMORY;
        if (scratch)
            memset(a->value, 0xff, bytes); /* undefined, and as floats not finite */
    }
    if (gradient && !a->gradient)
        a->gradient = kept(s->c, name, bytes);
    *ret = a;
    return BIOFT_OK;
}

static bioft_status host_state(const bioft_host *host, const char *name, size_t count, float **ret)
{
    struct subject_array *a;
    bioft_status st = take(subject_of(host), name, count * sizeof(float), false, false, &a);
    if (st == BIOFT_OK)
        *ret = a->value;
    return st;
}

static bioft_status host_trainable(const bioft_host *host, const char *name, size_t count, uint32_t flags,
                                   float **ret_value, float **ret_grad)
{
    struct subject *s = subject_of(host);
    struct subject_array *a;
    if (!s->trainables || flags != 0)
        return refuse(s, "trainable arrays are for losses alone, with flags 0%s", "");
    bioft_status st = take(s, name, count * sizeof(float), false, true, &a);
    if (st != BIOFT_OK)
        return st;
    *ret_value = a->value;
    *ret_grad = a->gradient;
    return BIOFT_OK;
}

static bioft_status host_scratch(const bioft_host *host, const char *name, size_t bytes, void **ret)
{
    struct subject_array *a;
    bioft_status st = take(subject_of(host), name, bytes, true, false, &a);
    if (st == BIOFT_OK)
        *ret = a->value;
    return st;
}

static bioft_status host_random(const bioft_host *host, uint32_t kind, const char *stream, uint64_t key, uint64_t first,
                                void *ret, size_t count)
{
    return random_fill(kind, subject_of(host)->seed, stream, key, first, ret, count);
}

static bioft_status generator_key(const bioft_host *host, const char *stream, uint32_t ret[2])
{
    random_stream_key(subject_of(host)->seed, stream, ret);
    return BIOFT_OK;
}

static const bioft_generator generator = { .struct_size = sizeof generator, .key = generator_key };

/* The body gets the caller's own context; the pool's adds nothing. */
static void parallel_run(const bioft_host *host, size_t count, void (*body)(void *ctx, size_t index, uint32_t thread),
                         void *ctx)
{
    pool_run(subject_of(host)->pool, count, body, ctx);
}

static const void *host_extension(const bioft_host *host, const char *id)
{
    struct subject *s = subject_of(host);
    if (strcmp(id, "bioft.parallel/1") == 0)
        return &s->parallel;
    if (strcmp(id, "bioft.generator/1") == 0)
        return &generator;
    if (strcmp(id, "bioft.scale/1") == 0)
        return &scale_extension;
    return strcmp(id, "bioft.layer/1") == 0 ? conform_layer_ops() : NULL;
}

/* What stands before create(). */
static struct subject *prepare(struct conform *c, const struct option_value *values, uint64_t seed, struct pool *pool)
{
    struct option_value *defaults = NULL;
    struct error err;
    struct subject *s = mem_array(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct subject){ .c = c, .seed = seed, .pool = pool, .trainables = c->d->kind == BIOFT_KIND_LOSS };
    s->parallel = (bioft_parallel){ sizeof(bioft_parallel), pool ? pool_threads(pool) : 1, parallel_run };
    s->host = (bioft_host){
        .struct_size = sizeof(bioft_host),
        .abi_version = BIOFT_ABI_VERSION,
        .ctx = s,
        .fail = host_fail,
        .state = host_state,
        .trainable = host_trainable,
        .scratch = host_scratch,
        .random = host_random,
        .get_extension = host_extension,
    };
    if (!values)
        values = c->p->values;
    if (!values && options_defaults(c->p->plugin, c->arena, &defaults, &err) == BIOFT_OK)
        values = defaults;
    s->self = kept(c, "the instance", c->d->instance_size ? c->d->instance_size : 1);
    if (!s->self || !values) {
        free(s);
        return NULL;
    }
    options_write(c->p->plugin, values, s->self);
    instance_write_host(c->p->plugin, &s->host, s->self);
    return s;
}

void subject_try(struct conform *c, const struct option_value *values)
{
    struct subject *s = prepare(c, values, c->p->seed, NULL);
    if (!s)
        return;
    const bioft_status st = c->d->create ? c->d->create(s->self, &s->host) : BIOFT_OK;
    s->created = st == BIOFT_OK;
    if (st != BIOFT_OK && (!s->has_reason || st > 0 || st < BIOFT_ERR_CANCELLED))
        subject_ok(s, st);
    guard_check(c);
    subject_destroy(s);
}

struct subject *subject_create(struct conform *c, const struct option_value *values, uint64_t seed, struct pool *pool)
{
    struct subject *s = prepare(c, values, seed, pool);
    if (s && c->d->create) {
        calling(c, "plugin.h", "create",
                "after the options are written it returns BIOFT_OK, or a status and says "
                "why through host->fail",
                "create()");
        if (!subject_ok(s, c->d->create(s->self, &s->host))) {
            subject_destroy(s);
            return NULL;
        }
    }
    if (s)
        s->created = true;
    return s;
}

bool subject_ok(struct subject *s, bioft_status st)
{
    if (st != BIOFT_OK) {
        if (st > 0 || st < BIOFT_ERR_CANCELLED)
            conform_find(s->c, "returned %d: %s", st, conform_status_word(st));
        else
            conform_find(s->c, "returned %s: %s", conform_status_word(st),
                         s->has_reason ? s->reason : "it gave host->fail no reason");
    }
    guard_check(s->c);
    s->has_reason = false;
    return st == BIOFT_OK;
}

void subject_destroy(struct subject *s)
{
    if (!s)
        return;
    if (s->created && s->c->d->destroy) {
        calling(s->c, "plugin.h", "destroy", "it frees what the instance allocated, and fails never", "destroy()");
        s->c->d->destroy(s->self);
        guard_check(s->c);
    }
    for (size_t i = 0; i < s->array_count; i++) {
        guard_release(s->c, s->arrays[i].value);
        guard_release(s->c, s->arrays[i].gradient);
    }
    guard_release(s->c, s->self);
    free(s->arrays);
    free(s);
}

bool subject_restore(struct subject *to, const struct subject *from)
{
    for (size_t i = 0; i < from->array_count; i++) {
        const struct subject_array *a = &from->arrays[i];
        const struct subject_array *b = a->scratch ? NULL : find_array(to, a->name, false);
        if (a->scratch)
            continue;
        if (!b || b->count != a->count) {
            conform_find(to->c, "a second instance has no array '%s' of %zu numbers after the same calls", a->name,
                         a->count);
            return false;
        }
        memcpy(b->value, a->value, a->bytes);
    }
    return true;
}
