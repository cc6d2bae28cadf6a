/* FGSM: one step of size epsilon along the sign of the gradient of the cross-entropy (Goodfellow, Shlens and Szegedy,
 * ICLR 2015, equation 1). With targets: one step towards them. */
#include <bioft/attack_util.h>

typedef struct {
    const bioft_host *host;
} fgsm;

static bioft_status prepare(void *self, const bioft_victim *v)
{
    void *work[3];
    return bioft_gradient_scratch(((fgsm *)self)->host, v, work);
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const size_t count = (size_t)clean->n * v->channels * v->height * v->width;
    float *g;
    bioft_status st = bioft_input_gradient(((fgsm *)self)->host, v, clean, ret_x, &g);
    if (st == BIOFT_OK)
        bioft_linf_step(count, (float)epsilon, (float)epsilon, clean->x, g, ret_x);
    return st;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_TARGETED,
    .prepare = prepare,
    .run = run,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "fgsm", "1.0", "bioft", "MIT"),
    .summary = "fast gradient sign method: one step of size epsilon, L-infinity",
    .reference = "Goodfellow, Shlens, Szegedy, ICLR 2015",
    .instance_size = sizeof(fgsm),
    BIOFT_HOST_AT(fgsm, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
