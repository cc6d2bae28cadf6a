/* Where the time went, by node and phase, as JSON. */
#include "program.h"

#include <stdarg.h>
#include <stdio.h>

/* Text that grows in a buffer; `full` once something did not fit. */
struct out {
    char *text;
    size_t size, used;
    bool full;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void put(struct out *o, const char *format, ...)
{
    va_list args;
    int length;

    if (o->full)
        return;
    va_start(args, format);
    length = vsnprintf(o->text + o->used, o->size - o->used, format, args);
    va_end(args);
    o->full = length < 0 || (size_t)length >= o->size - o->used;
    if (!o->full)
        o->used += (size_t)length;
}

/* Names are those of layers; what JSON would have to escape becomes '?'. */
static void put_name(struct out *o, const char *name)
{
    put(o, "\"");
    for (; *name; name++)
        put(o, "%c", *name < ' ' || *name == '"' || *name == '\\' ? '?' : *name);
    put(o, "\"");
}

bioft_status program_profile(struct program *p, char *ret_json, size_t size)
{
    const struct network *net = &p->model->network;
    struct out o = { .text = ret_json, .size = size, .full = size == 0 };

    if (!p->t->on_host)
        return bioft_failf(p->t->host, BIOFT_ERR_UNSUPPORTED, "time by node is measured on the CPU only");
    put(&o, "{\"unit\": \"seconds\", \"threads\": %u, \"nodes\": [", p->t->threads);
    for (uint32_t i = 0; i < p->node_count; i++) {
        const struct node *n = &p->nodes[i];
        put(&o, "%s\n{\"node\": %u, \"op\": \"%s\", \"layer\": ", i > 0 ? "," : "", i, bioft_operator_name(n->def->op));
        if (n->def->op == BIOFT_OP_CONV2D || n->def->op == BIOFT_OP_LINEAR)
            put_name(&o, net->layers[n->def->layer].name);
        else
            put(&o, "null");
        put(&o, ", \"forward\": %.6f, \"backward\": %.6f, \"gradient\": %.6f}", n->seconds[FORWARD],
            n->seconds[BACKWARD], n->seconds[GRADIENT]);
    }
    put(&o, "\n]}\n");
    return o.full ? bioft_failf(p->t->host, BIOFT_ERR_INVALID, "%zu bytes are too few for the profile", size)
                  : BIOFT_OK;
}
