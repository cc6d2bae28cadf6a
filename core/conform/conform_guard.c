/* Arrays between pages that cannot be touched: a write outside ends the process there and then, or leaves a mark. */
#include "conform/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MARK = 0xa5, ALIGNED = 64 };

struct guard {
    unsigned char *map, *begin;
    size_t map_bytes, bytes, page;
    bool keep, released, readonly;
    uint64_t trace; /* number in the trace's ring */
};

static void trace_guard(struct conform *c, const struct guard *g, const char *name)
{
    struct trace_guard *t = &c->p->trace->guards[g->trace % TRACE_GUARDS];
    *t = (struct trace_guard){
        .map = (uintptr_t)g->map,
        .map_end = (uintptr_t)(g->map + g->map_bytes),
        .begin = (uintptr_t)g->begin,
        .end = (uintptr_t)(g->begin + g->bytes),
    };
    snprintf(t->name, sizeof t->name, "%s", name);
}

/* What a failed mapping leaves is a test that cannot go on: the process dies at NULL, and the trace says where. */
void *guard_take(struct conform *c, const char *name, size_t bytes, bool aligned)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (bytes + page - 1) / page * page + (bytes == 0) * page;
    struct guard g = { .map_bytes = inner + 2 * page, .bytes = bytes, .page = page, .trace = c->p->trace->guard_count };
    if (!mem_grow(&c->guards, &c->guard_capacity, c->guard_count + 1, sizeof g))
        return NULL;
    void *map = mmap(NULL, g.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    g.map = map;
    size_t offset = inner - bytes;
    offset -= offset % (aligned ? ALIGNED : sizeof(float));
    g.begin = g.map + page + offset;
    memset(g.map + page, MARK, inner);
    memset(g.begin, 0, bytes);
    mprotect(g.map, page, PROT_NONE);
    mprotect(g.map + page + inner, page, PROT_NONE);
    c->p->trace->guard_count++;
    trace_guard(c, &g, name);
    c->guards[c->guard_count++] = g;
    return g.begin;
}

float *guard_floats(struct conform *c, const char *name, size_t count)
{
    return guard_take(c, name, count * sizeof(float), false);
}

static struct guard *guard_of(struct conform *c, const void *memory)
{
    for (size_t i = c->guard_count; i-- > 0;)
        if (c->guards[i].begin == memory && !c->guards[i].released)
            return &c->guards[i];
    return NULL;
}

void guard_readonly(struct conform *c, const void *memory)
{
    struct guard *g = guard_of(c, memory);
    mprotect(g->map + g->page, g->map_bytes - 2 * g->page, PROT_READ);
    g->readonly = true;
    c->p->trace->guards[g->trace % TRACE_GUARDS].readonly = 1;
}

void guard_keep(struct conform *c, const void *memory) { guard_of(c, memory)->keep = true; }

static void check_one(struct conform *c, struct guard *g)
{
    const struct trace_guard *t = &c->p->trace->guards[g->trace % TRACE_GUARDS];
    unsigned char *first = g->map + g->page, *last = g->map + g->map_bytes - g->page;
    for (unsigned char *p = first; p < last; p++) {
        if ((p >= g->begin && p < g->begin + g->bytes) || *p == MARK)
            continue;
        if (p < g->begin)
            conform_find(c, "wrote %zu bytes before the beginning of '%s'", (size_t)(g->begin - p), t->name);
        else
            conform_find(c, "wrote %zu bytes after the end of '%s' (%zu bytes)", (size_t)(p - g->begin) - g->bytes + 1,
                         t->name, g->bytes);
        memset(first, MARK, (size_t)(g->begin - first));
        memset(g->begin + g->bytes, MARK, (size_t)(last - g->begin) - g->bytes);
        return;
    }
}

void guard_check(struct conform *c)
{
    for (size_t i = 0; i < c->guard_count; i++)
        if (!c->guards[i].released && !c->guards[i].readonly)
            check_one(c, &c->guards[i]);
}

/* The pages go back, the addresses stay taken for a while: who kept the pointer finds nothing there. */
static void release(struct conform *c, struct guard *g)
{
    struct trace_guard *t = &c->p->trace->guards[g->trace % TRACE_GUARDS];
    mprotect(g->map, g->map_bytes, PROT_NONE);
    madvise(g->map, g->map_bytes, MADV_DONTNEED);
    g->released = true;
    if (t->map == (uintptr_t)g->map)
        t->released = 1;
}

/* The table stays short: what was released long ago is unmapped. */
static void forget_old(struct conform *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->guard_count; i++) {
        struct guard *g = &c->guards[i];
        if (g->released && g->trace + TRACE_GUARDS <= c->p->trace->guard_count)
            munmap(g->map, g->map_bytes);
        else
            c->guards[kept++] = *g;
    }
    c->guard_count = kept;
}

void guard_release(struct conform *c, const void *memory)
{
    struct guard *g = memory ? guard_of(c, memory) : NULL;
    if (g)
        release(c, g);
    if (c->guard_count > TRACE_GUARDS)
        forget_old(c);
}

void guard_release_calls(struct conform *c)
{
    guard_check(c);
    for (size_t i = 0; i < c->guard_count; i++)
        if (!c->guards[i].keep && !c->guards[i].released)
            release(c, &c->guards[i]);
    if (c->guard_count > TRACE_GUARDS)
        forget_old(c);
}

void guard_finish(struct conform *c)
{
    for (size_t i = 0; i < c->guard_count; i++)
        munmap(c->guards[i].map, c->guards[i].map_bytes);
    free(c->guards);
    c->guards = NULL;
    c->guard_count = c->guard_capacity = 0;
}

void conform_address(const struct conform_trace *t, char *ret, size_t size)
{
    const uint64_t first = t->guard_count > TRACE_GUARDS ? t->guard_count - TRACE_GUARDS : 0;
    const uintptr_t a = t->address;
    ret[0] = '\0';
    for (uint64_t i = t->guard_count; i-- > first;) {
        const struct trace_guard *g = &t->guards[i % TRACE_GUARDS];
        if (a < g->map || a >= g->map_end)
            continue;
        if (g->released)
            snprintf(ret, size, "touched '%s' of an earlier call: it kept the pointer", g->name);
        else if (a >= g->end)
            snprintf(ret, size, "touched memory %zu bytes past the end of '%s' (%zu bytes)", (size_t)(a - g->end),
                     g->name, (size_t)(g->end - g->begin));
        else if (a < g->begin)
            snprintf(ret, size, "touched memory %zu bytes before the beginning of '%s'", (size_t)(g->begin - a),
                     g->name);
        else if (g->readonly)
            snprintf(ret, size, "wrote to '%s', which is only to be read (byte %zu of %zu)", g->name,
                     (size_t)(a - g->begin), (size_t)(g->end - g->begin));
        return;
    }
    if (a < 65536)
        snprintf(ret, size, "followed a NULL pointer (address 0x%zx)", (size_t)a);
}
