/* An engine that is another one with a clock, for tests and bench/run.sh: put in its place as
 * PLACE/engines/NAME.so, it opens the file that TIMED_ENGINE_REAL names and writes to the one that
 * TIMED_ENGINE_OUT names. A line `first T CPU` when the first training pass begins:
 * CLOCK_MONOTONIC, and seconds of processors until then. At each update `update T INSIDE`: seconds
 * that forward, backward and update took since the one before. At the end `images KIND FORWARD
 * BACKWARD` for each kind of program. */
#include <bioft/engine.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROGRAMS = 64, KINDS = BIOFT_ATTACK + 1 };

static struct {
    bioft_plugin plugin;
    bioft_engine engine;
    const bioft_engine *real;
    void (*own_destroy)(void *self);
    struct program {
        void *self;
        uint32_t kind, n;
    } programs[PROGRAMS];
    uint64_t forwards[KINDS], backwards[KINDS]; /* images */
    double inside, first;
    FILE *out;
} timed;

static double read_clock(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) { return read_clock(CLOCK_MONOTONIC); }

static bioft_status program_create(void *self, void *model, const bioft_use *use, const bioft_route *routes,
                                   void **ret_program)
{
    bioft_status st = timed.real->program_create(self, model, use, routes, ret_program);

    for (int i = 0; st == BIOFT_OK && i < PROGRAMS; i++)
        if (!timed.programs[i].self) {
            timed.programs[i] = (struct program){ *ret_program, use->kind, 0 };
            break;
        }
    return st;
}

static struct program *find(const void *program)
{
    for (int i = 0; i < PROGRAMS; i++)
        if (timed.programs[i].self == program)
            return &timed.programs[i];
    abort(); /* more at once than any run makes */
}

static void program_destroy(void *self, void *program)
{
    *find(program) = (struct program){ NULL, 0, 0 };
    timed.real->program_destroy(self, program);
}

static bioft_status forward(void *self, void *program, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out)
{
    const double start = now();
    struct program *p = find(program);
    bioft_status st;

    p->n = n;
    timed.forwards[p->kind] += n;
    if (p->kind == BIOFT_TRAIN && timed.first <= 0) {
        timed.first = start;
        fprintf(timed.out, "first %.6f %.6f\n", start, read_clock(CLOCK_PROCESS_CPUTIME_ID));
    }
    st = timed.real->forward(self, program, n, x, dropout_key, ret_out);
    timed.inside += now() - start;
    return st;
}

static bioft_status backward(void *self, void *program, const float *d_out, uint32_t flags, float *ret_dx,
                             const bioft_hooks *hooks)
{
    const double start = now();
    const struct program *p = find(program);
    bioft_status st = timed.real->backward(self, program, d_out, flags, ret_dx, hooks);

    timed.backwards[p->kind] += p->n;
    timed.inside += now() - start;
    return st;
}

static bioft_status update(void *self, void *model, const bioft_update *u, const bioft_hooks *hooks,
                           uint32_t *ret_first_nonfinite)
{
    const double start = now();
    bioft_status st = timed.real->update(self, model, u, hooks, ret_first_nonfinite);
    const double end = now();

    fprintf(timed.out, "update %.6f %.6f\n", end, timed.inside + end - start);
    fflush(timed.out);
    timed.inside = 0;
    return st;
}

static void destroy(void *self)
{
    for (int kind = BIOFT_TRAIN; kind < KINDS; kind++)
        fprintf(timed.out, "images %d %llu %llu\n", kind, (unsigned long long)timed.forwards[kind],
                (unsigned long long)timed.backwards[kind]);
    fflush(timed.out);
    if (timed.own_destroy)
        timed.own_destroy(self);
}

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    const bioft_plugin *(*entry)(uint32_t index) = NULL;
    const char *path = getenv("TIMED_ENGINE_REAL"), *times = getenv("TIMED_ENGINE_OUT");
    void *handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    void *symbol = handle ? dlsym(handle, "bioft_plugin_entry") : NULL;
    const bioft_plugin *real;

    memcpy(&entry, &symbol, sizeof entry);
    real = entry ? entry(index) : NULL;
    if (!real || real->struct_size > sizeof timed.plugin || !times || (!timed.out && !(timed.out = fopen(times, "w"))))
        return NULL;
    timed.real = real->vtable;
    memcpy(&timed.plugin, real, real->struct_size);
    memcpy(&timed.engine, timed.real, timed.real->struct_size);
    timed.engine.program_create = program_create;
    timed.engine.program_destroy = program_destroy;
    timed.engine.forward = forward;
    timed.engine.backward = backward;
    timed.engine.update = update;
    timed.own_destroy = real->destroy;
    timed.plugin.destroy = destroy;
    timed.plugin.vtable = &timed.engine;
    return &timed.plugin;
}
