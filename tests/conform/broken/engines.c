/* Engines that break the contract in one way each, chosen by WAY: the template's with one function changed. */
#include <bioft/engine.h>

static const bioft_plugin *right_entry(uint32_t index);
#define bioft_plugin_entry right_entry
#include "engine.c"
#undef bioft_plugin_entry

enum { NO_REASON, WRONG_STRIDE, WRONG_ERROR, WRONG_BATCHNORM, OTHER_BITS, LEAKS, UNNAMED };

static int32_t broken_score(char *why, size_t size)
{
    if (WAY == NO_REASON)
        return 1;
    return score(why, size);
}

/* Takes the rows' stride for the columns'. */
static bioft_status broken_layer(void *self, const bioft_layer *l, uint32_t phase, uint32_t n, const float *a,
                                 const float *b, float *ret)
{
    bioft_layer other = *l;
    if (WAY == WRONG_STRIDE)
        other.stride[1] = other.stride[0];
    return layer(self, &other, phase, n, a, b, ret);
}

/* Tells attacks twice the error of the pixels. */
static bioft_status broken_backward(void *self, void *of, const float *d_out, uint32_t flags, float *ret_dx,
                                    const bioft_hooks *hooks)
{
    const program *p = of;
    const bioft_status st = backward(self, of, d_out, flags, ret_dx, hooks);
    if (WAY == WRONG_ERROR && p->use.kind == BIOFT_ATTACK && ret_dx && st == BIOFT_OK)
        for (size_t i = 0; i < p->n * floats_of(node_at(p->m->graph, 0)); i++)
            ret_dx[i] *= 2.0f;
    return st;
}

/* How many passes went before, by whichever instance, shows in the last bits. */
static uint32_t passes;
static void *volatile kept;

/* Keeps too small a variance; or memory. */
static bioft_status broken_forward(void *self, void *of, uint32_t n, const float *x, uint64_t key, float *ret_out)
{
    program *p = of;
    if (WAY == LEAKS)
        kept = malloc(1000);
    const bioft_status st = forward(self, of, n, x, key, ret_out);
    for (uint32_t i = 0; WAY == WRONG_BATCHNORM && st == BIOFT_OK && i < p->m->graph->node_count; i++) {
        const bioft_node *d = node_at(p->m->graph, i);
        for (uint32_t c = 0; d->op == BIOFT_OP_BATCHNORM && p->use.kind == BIOFT_TRAIN && c < d->channels; c++)
            array(p->m, BIOFT_VALUE, d->running_var)[c] *= 0.9f;
    }
    if (WAY == OTHER_BITS && st == BIOFT_OK)
        ret_out[0] *= 1.0f + 1e-6f * (float)(passes++ % 4);
    return st;
}

/* Refuses what the template lacks without a word about it. */
static bioft_status broken_supports(void *self, const bioft_graph *graph, const bioft_use *use, char *why, size_t size)
{
    const bioft_status st = supports(self, graph, use, why, size);
    if (WAY == UNNAMED && st != BIOFT_OK)
        snprintf(why, size, "no");
    return st;
}

static const bioft_engine broken_engine = {
    .struct_size = sizeof(broken_engine),
    .draft = BIOFT_ENGINE_DRAFT,
    .score = broken_score,
    .supports = broken_supports,
    .model_create = model_create,
    .model_destroy = model_destroy,
    .read = read_array,
    .write = write_array,
    .set_feedback = set_feedback,
    .program_create = program_create,
    .program_destroy = program_destroy,
    .program_bytes = program_bytes,
    .forward = broken_forward,
    .backward = broken_backward,
    .update = update,
    .identity = identity,
    .layer = broken_layer,
};

static const bioft_plugin broken_plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ENGINE, NAME, "1", "bioft", "MIT"),
    .summary = "breaks the contract",
    .reference = "",
    .instance_size = sizeof(state),
    BIOFT_HOST_AT(state, host),
    .vtable = &broken_engine,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return right_entry(index) ? &broken_plugin : NULL; }
