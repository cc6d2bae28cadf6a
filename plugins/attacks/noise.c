/* Noise: random signs of size epsilon, no gradient: what an attack must beat to be one. */
#include <bioft/attack.h>
#include <bioft/util.h>

typedef struct {
    int32_t uniform;
    const bioft_host *host;
} noise;

static const char *const kinds[] = { "sign", "uniform", NULL };

static const bioft_option options[] = {
    { .name = "kind",
      .type = BIOFT_CHOICE,
      .offset = offsetof(noise, uniform),
      .def = 0,
      .choices = kinds,
      .unit = "",
      .help = "sign: every value moves by epsilon up or down; uniform: by U(-epsilon, epsilon)" },
};

static bioft_status prepare(void *self, const bioft_victim *v)
{
    const bioft_host *host = ((noise *)self)->host;
    void *u;
    return host->scratch(host, "u", sizeof(float) * v->channels * v->height * v->width, &u);
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const noise *p = self;
    const size_t pixels = (size_t)v->channels * v->height * v->width;
    void *work;

    bioft_status st = p->host->scratch(p->host, "u", sizeof(float) * pixels, &work);
    float *u = work;
    for (uint32_t i = 0; st == BIOFT_OK && i < clean->n; i++) {
        st = p->host->random(p->host, BIOFT_UNIFORM, "noise", clean->sample[i], 0, u, pixels);
        if (st != BIOFT_OK)
            break;
        for (size_t k = 0; k < pixels && !p->uniform; k++)
            u[k] = u[k] < 0.5f ? -1.0f : 1.0f;
        for (size_t k = 0; k < pixels && p->uniform; k++)
            u[k] = 2.0f * u[k] - 1.0f;
        for (size_t k = 0; k < pixels; k++) {
            const float moved = clean->x[i * pixels + k] + (float)epsilon * u[k];
            ret_x[i * pixels + k] = moved < 0.0f ? 0.0f : moved > 1.0f ? 1.0f : moved;
        }
    }
    return st;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack), .norm = BIOFT_LINF, .prepare = prepare, .run = run
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "noise", "1.0", "bioft", "MIT"),
    .summary = "random noise of size epsilon: the control beside every attack, L-infinity",
    .reference = "",
    .instance_size = sizeof(noise),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(noise, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
