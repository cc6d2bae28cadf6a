/* Tests for plugins of every kind: what the file takes from others, its options, its instances. */
#include "conform/private.h"

#include "conform/engine.h"
#include "conform/symbols.h"
#include <math.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

/* What a plugin may not take from the C library, and why. */
static const struct {
    const char *name, *why, *mark;
} forbidden[] = {
    { "exit", "ends the process", "Errors." },
    { "_exit", "ends the process", "Errors." },
    { "_Exit", "ends the process", "Errors." },
    { "quick_exit", "ends the process", "Errors." },
    { "printf", "prints", "Errors." },
    { "puts", "prints", "Errors." },
    { "putchar", "prints", "Errors." },
    { "perror", "prints", "Errors." },
    { "stdout", "prints", "Errors." },
    { "stderr", "prints", "Errors." },
    { "__printf_chk", "prints", "Errors." },
    { "rand", "has a state of the whole process: random numbers come from host->random", "random" },
    { "random", "has a state of the whole process: random numbers come from host->random", "random" },
    { "srand", "changes a state of the whole process", "random" },
    { "drand48", "has a state of the whole process: random numbers come from host->random", "random" },
    { "time", "makes results depend on the clock", "random" },
    { "clock", "makes results depend on the clock", "random" },
    { "gettimeofday", "makes results depend on the clock", "random" },
    { "setenv", "changes a state of the whole process", "Errors." },
    { "putenv", "changes a state of the whole process", "Errors." },
    { "setlocale", "changes a state of the whole process", "Errors." },
    { "chdir", "changes a state of the whole process", "Errors." },
    { "signal", "changes a state of the whole process", "Errors." },
    { "sigaction", "changes a state of the whole process", "Errors." },
    { "fork", "hangs libraries that have threads", "Errors." },
    { "system", "starts another program", "Errors." },
    { "getenv", "reads what is not in the manifest: make it an option", "options" },
    { "secure_getenv", "reads what is not in the manifest: make it an option", "options" },
};

static void check_symbol(void *ctx, const char *name)
{
    struct conform *c = ctx;
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        if (strcmp(name, forbidden[i].name) != 0)
            continue;
        /* An engine answers for a library with a will of its own. */
        if (c->d->kind == BIOFT_KIND_ENGINE && (strstr(name, "env") || strcmp(name, "clock") == 0))
            continue;
        conform_says(c, "plugin.h", forbidden[i].mark,
                     strcmp(forbidden[i].mark, "random") == 0
                         ? "element i is a pure function of (trial seed, stream, key, first + i)"
                     : strcmp(forbidden[i].mark, "options") == 0
                         ? "the host writes the options into the instance: there is no other way in"
                         : "a plugin never prints, never exits, never changes process-wide state");
        conform_find(c, "uses %s(), which %s", name, forbidden[i].why);
    }
}

static void test_symbols(struct conform *c)
{
    struct error err;
    calling(c, "plugin.h", "Errors.", "a plugin never prints, never exits, never changes process-wide state",
            "reading the dynamic symbols of the file");
    if (undefined_symbols(c->p->plugin->path, check_symbol, c, &err) != BIOFT_OK)
        conform_skip(c, "%s", err.text);
}

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t heap_bytes(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    const struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* In how many of some rounds the heap grew; less than 0 where a round failed, which it has told itself. */
static int growing(struct conform *c, bool (*round)(struct conform *c), int rounds, size_t *ret_bytes)
{
    size_t before = heap_bytes();
    const size_t first = before;
    int grown = 0;
    for (int i = 0; i < rounds; i++) {
        struct arena *all = c->arena;
        c->arena = arena_create();
        const bool fine = c->arena && round(c);
        guard_finish(c);
        arena_destroy(c->arena);
        c->arena = all;
        if (!fine)
            return -1;
        const size_t now = heap_bytes();
        grown += now > before;
        before = now;
    }
    *ret_bytes = before > first ? before - first : 0;
    return grown;
}

/* The C library keeps freed chunks by thread and counts them as used, so a heap may grow for a while without a
 * leak: only one that grows in every one of several tries does leak. */
void check_leak(struct conform *c, bool (*round)(struct conform *c))
{
    enum { WARM = 3, TRIES = 3, ROUNDS = 14 };
    size_t bytes = 0;
    if (growing(c, round, WARM, &bytes) < 0)
        return;
    for (int i = 0; i < TRIES; i++)
        if (growing(c, round, ROUNDS, &bytes) < ROUNDS - 1)
            return;
    calling(c, "plugin.h", "Memory.", "what a plugin allocates it frees in destroy",
            "creating, using and destroying %d instances", WARM + TRIES * ROUNDS);
    conform_find(c, "the heap grew with every one of them, by %zu bytes in the last %d: it leaks", bytes, ROUNDS);
}

/* One value of an option at the edge of what its row allows: way 0 the least, 1 the most, 2 between. */
static void edge_value(struct conform *c, const bioft_option *o, int way, uint32_t index, struct option_value *v)
{
    const bool bounded = o->min != 0.0 || o->max != 0.0;
    float u;
    random_floats(c, "conform/options", index, 0.0f, 1.0f, &u, 1);
    const double low = bounded ? o->min : o->def - 1.0, high = bounded ? o->max : o->def + 1.0;
    const double x = way == 0 ? low : way == 1 ? high : low + (high - low) * (double)u;
    if (o->type == BIOFT_F64) {
        v->number = x;
    } else if (o->type == BIOFT_I64 && fabs(x) < 1e15) {
        v->integer = (int64_t)floor(x);
    } else if (o->type == BIOFT_BOOL) {
        v->integer = way == 1;
    } else if (o->type == BIOFT_CHOICE) {
        int64_t count = 0;
        while (o->choices[count])
            count++;
        v->integer = way == 0 ? 0 : way == 1 ? count - 1 : (int64_t)(u * (float)count);
    } else {
        return;
    }
    v->given = true;
}

static void try_values(struct conform *c, const struct option_value *values, const char *which)
{
    calling(c, "plugin.h", "create",
            "it takes every value that its option's row allows, or says through host->fail "
            "why it does not",
            "create() with %s", which);
    subject_try(c, values);
}

/* A dataset's create may read files, which only the tests with a root have; an engine's may need what is not here. */
static bool cannot_create(struct conform *c)
{
    if (c->d->kind == BIOFT_KIND_ENGINE && !engine_runs_here(c, false))
        return true;
    if (c->d->kind == BIOFT_KIND_DATASET)
        conform_skip(c, "a dataset is created with its root: the tests of labels, names and samples do it");
    return c->d->kind == BIOFT_KIND_DATASET;
}

static void test_options(struct conform *c)
{
    static const char *const ways[] = { "the least value", "the largest value", "a value within the bounds" };
    struct option_value *v;
    struct error err;
    char which[256];
    if (cannot_create(c))
        return;
    for (uint32_t i = 0; i < c->d->option_count; i++)
        for (int way = 0; way < 3; way++) {
            if (options_defaults(c->p->plugin, c->arena, &v, &err) != BIOFT_OK) {
                conform_find(c, "%s", err.text);
                return;
            }
            edge_value(c, &c->d->options[i], way, i, &v[i]);
            snprintf(which, sizeof which, "%s of option '%s'", ways[way], c->d->options[i].name);
            try_values(c, v, which);
        }
}

static bool one_instance(struct conform *c)
{
    struct subject *s = subject_create(c, NULL, c->p->seed, NULL);
    subject_destroy(s);
    return s != NULL;
}

static void test_instances(struct conform *c)
{
    if (cannot_create(c))
        return;
    struct subject *a = subject_create(c, NULL, 1, NULL), *b = a ? subject_create(c, NULL, 2, NULL) : NULL;
    subject_destroy(a);
    subject_destroy(b);
    if (b)
        check_leak(c, one_instance);
}

static void test_extension(struct conform *c)
{
    if (!c->d->extension)
        conform_skip(c, "it has no extension()");
    if (!c->d->extension || cannot_create(c))
        return;
    struct subject *s = subject_create(c, NULL, c->p->seed, NULL);
    if (!s)
        return;
    calling(c, "plugin.h", "extension", "what the plugin offers beyond its vtable, by id; a NULL answer: nothing",
            "extension(\"conform.nothing/1\")");
    if (c->d->extension(s->self, "conform.nothing/1"))
        conform_find(c, "returned something for an id that nobody has");
    subject_destroy(s);
}

const struct conform_test conform_all[] = {
    { "symbols", "takes nothing from the C library that prints, exits or has a hidden state", test_symbols },
    { "options", "creates instances from the edges of every option", test_options },
    { "instances", "lives twice at once, and leaves nothing behind", test_instances },
    { "extensions", "answers NULL for extensions that it does not have", test_extension },
    { 0 },
};
