/* A plugin that is another one with a fault, for tests: put in its place as PLACE/KIND/NAME.so, it opens the file that
 * FAULTY_REAL names and, in the callback that a run calls most (a dataset's sample, a backbone's build, an attack's run, a
 * loss's value, an engine's forward), does what FAULTY says: crash, exit, hang, nan or size. */
#include <bioft/attack.h>
#include <bioft/backbone.h>
#include <bioft/dataset.h>
#include <bioft/engine.h>
#include <bioft/loss.h>
#include <dlfcn.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    bioft_plugin plugin;
    union {
        bioft_attack attack;
        bioft_backbone backbone;
        bioft_dataset dataset;
        bioft_engine engine;
        bioft_loss loss;
    } table;
    const void *real;
} faulty;

static int is(const char *fault) { return strcmp(getenv("FAULTY"), fault) == 0; }

/* What a process does not come back from. */
static void misbehave(void)
{
    if (is("crash"))
        raise(SIGSEGV);
    if (is("exit"))
        exit(0);
    if (is("hang")) {
        fprintf(stderr, "hanging\n");
        for (;;)
            pause();
    }
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const bioft_dataset *real = faulty.real;
    const bioft_status st = real->sample(self, reader, split, index, ret);

    misbehave();
    if (is("size"))
        ret->height = 1u << 20;
    if (is("nan")) {
        float *pixels = ret->reserve(ret, sizeof *pixels * ret->height * ret->width * ret->channels);
        ret->format = BIOFT_SAMPLE_F32_CHW;
        for (uint32_t i = 0; pixels && i < ret->height * ret->width * ret->channels; i++)
            pixels[i] = NAN;
    }
    return st;
}

static bioft_status build(void *self, const bioft_builder *b)
{
    const bioft_backbone *real = faulty.real;
    const float mean[] = { NAN }, deviation[] = { 1 };

    misbehave();
    if (is("size"))
        return BIOFT_OK; /* nothing was built */
    const bioft_status st = real->build(self, b);
    return st == BIOFT_OK && is("nan") ? b->normalise(b, mean, deviation, 1) : st;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const bioft_attack *real = faulty.real;
    const bioft_status st = real->run(self, v, clean, epsilon, ret_x);

    misbehave();
    if (is("nan"))
        ret_x[0] = NAN;
    if (is("size"))
        ret_x[0] = 1e9f;
    return st;
}

static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    const bioft_loss *real = faulty.real;
    const bioft_status st = real->value(self, out, batch, ret_value, ret_d_out);

    misbehave();
    if (is("nan"))
        *ret_value = (double)NAN;
    if (is("size") && ret_d_out)
        ret_d_out[0] = INFINITY;
    return st;
}

static bioft_status forward(void *self, void *program, uint32_t n, const float *x, uint64_t key, float *ret_out)
{
    const bioft_engine *real = faulty.real;
    const bioft_status st = real->forward(self, program, n, x, key, ret_out);

    misbehave();
    if (is("nan"))
        ret_out[0] = NAN;
    return st;
}

static bioft_status update(void *self, void *model, const bioft_update *u, const bioft_hooks *hooks,
                           uint32_t *ret_first)
{
    const bioft_engine *real = faulty.real;
    const bioft_status st = real->update(self, model, u, hooks, ret_first);

    if (is("size"))
        *ret_first = 1000000; /* no such parameter */
    return st;
}

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    const bioft_plugin *(*entry)(uint32_t index) = NULL;
    const char *path = getenv("FAULTY_REAL");
    void *handle = path && getenv("FAULTY") ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    void *symbol = handle ? dlsym(handle, "bioft_plugin_entry") : NULL;
    const bioft_plugin *real;

    memcpy(&entry, &symbol, sizeof entry);
    real = entry ? entry(index) : NULL;
    if (!real || real->struct_size > sizeof faulty.plugin)
        return NULL;
    faulty.real = real->vtable;
    memcpy(&faulty.plugin, real, real->struct_size);
    memcpy(&faulty.table, real->vtable, *(const uint32_t *)real->vtable); /* its struct_size */
    faulty.plugin.vtable = &faulty.table;
    switch (real->kind) {
    case BIOFT_KIND_DATASET: faulty.table.dataset.sample = sample; break;
    case BIOFT_KIND_BACKBONE: faulty.table.backbone.build = build; break;
    case BIOFT_KIND_ATTACK: faulty.table.attack.run = run; break;
    case BIOFT_KIND_LOSS: faulty.table.loss.value = value; break;
    case BIOFT_KIND_ENGINE:
        faulty.table.engine.forward = forward;
        faulty.table.engine.update = update;
        break;
    default: return NULL;
    }
    return &faulty.plugin;
}
