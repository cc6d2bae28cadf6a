/* Where the time went, by node and phase, as JSON. */
#include "../common/profile_text.h"
#include "program.h"

bioft_status program_profile(struct program *p, char *ret_json, size_t size)
{
    const struct network *net = &p->model->network;
    struct profile_text o = { .text = ret_json, .size = size, .full = size == 0 };

    if (!p->t->on_host)
        return bioft_failf(p->t->host, BIOFT_ERR_UNSUPPORTED, "time by node is measured on the CPU only");
    profile_put(&o, "{\"unit\": \"seconds\", \"threads\": %u, \"nodes\": [", p->t->threads);
    for (uint32_t i = 0; i < p->node_count; i++) {
        const struct node *n = &p->nodes[i];
        profile_put(&o, "%s\n{\"node\": %u, \"op\": \"%s\", \"layer\": ", i > 0 ? "," : "", i,
                    bioft_operator_name(n->def->op));
        if (n->def->op == BIOFT_OP_CONV2D || n->def->op == BIOFT_OP_LINEAR)
            profile_put_name(&o, net->layers[n->def->layer].name);
        else
            profile_put(&o, "null");
        profile_put(&o, ", \"forward\": %.6f, \"backward\": %.6f, \"gradient\": %.6f}", n->seconds[FORWARD],
                    n->seconds[BACKWARD], n->seconds[GRADIENT]);
    }
    profile_put(&o, "\n]}\n");
    return o.full ? bioft_failf(p->t->host, BIOFT_ERR_INVALID, "%zu bytes are too few for the profile", size)
                  : BIOFT_OK;
}
