/* Where the time went, by node and phase, as JSON. */
#include "profile_text.h"
#include "program.h"

/* The names of what computes the node, as far as the backend has some. */
static void put_kernels(struct profile_text *o, const struct program *p, const struct node *n)
{
    bool any = false;

    for (enum phase phase = FORWARD; p->engine->backend->kernels && phase <= GRADIENT; phase++) {
        const char *name = p->engine->backend->kernels(n, phase);
        if (!name)
            continue;
        profile_put(o, "%s", any ? ", " : ", \"kernels\": [");
        profile_put_name(o, name);
        any = true;
    }
    if (any)
        profile_put(o, "]");
}

/* Seconds of all threads together. */
static double spent(const struct program *p, uint32_t node, enum phase phase)
{
    double sum = 0;

    for (uint32_t t = 0; t < p->threads; t++)
        sum += p->seconds[((size_t)t * p->node_count + node) * PHASES + phase];
    return sum;
}

bioft_status program_profile(const struct program *p, char *ret_json, size_t size)
{
    struct profile_text o = { .text = ret_json, .size = size, .full = size == 0 };

    profile_put(&o, "{\"unit\": \"seconds of all threads\", \"threads\": %u, \"nodes\": [", p->threads);
    for (uint32_t i = 0; i < p->node_count; i++) {
        const bioft_node *d = p->nodes[i].def;
        profile_put(&o, "%s\n{\"node\": %u, \"op\": \"%s\", \"layer\": ", i > 0 ? "," : "", i,
                    bioft_operator_name(d->op));
        if (d->layer != BIOFT_NONE && (d->op == BIOFT_OP_CONV2D || d->op == BIOFT_OP_LINEAR)) {
            profile_put_name(&o, p->model->network.layers[d->layer].name);
            profile_put(&o, ", ");
        } else {
            profile_put(&o, "null, ");
        }
        profile_put(&o, "\"forward\": %.6f, \"backward\": %.6f, \"gradient\": %.6f", spent(p, i, FORWARD),
                    spent(p, i, BACKWARD), spent(p, i, GRADIENT) + spent(p, i, REDUCE));
        put_kernels(&o, p, &p->nodes[i]);
        profile_put(&o, "}");
    }
    profile_put(&o, "\n]}\n");
    return o.full ? bioft_failf(p->engine->host, BIOFT_ERR_INVALID, "%zu bytes are too few for the profile", size)
                  : BIOFT_OK;
}
