/* Where the time went, by node and phase, as JSON. */
#include "program.h"

#include <stdarg.h>

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
    for (; *name; name++)
        put(o, "%c", *name < ' ' || *name == '"' || *name == '\\' ? '?' : *name);
}

/* The names of what computes the node, as far as the backend has some. */
static void put_kernels(struct out *o, const struct program *p, const struct node *n)
{
    bool any = false;

    for (enum phase phase = FORWARD; p->engine->backend->kernels && phase <= GRADIENT; phase++) {
        const char *name = p->engine->backend->kernels(n, phase);
        if (!name)
            continue;
        put(o, "%s\"", any ? ", " : ", \"kernels\": [");
        put_name(o, name);
        put(o, "\"");
        any = true;
    }
    if (any)
        put(o, "]");
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
    struct out o = { .text = ret_json, .size = size, .full = size == 0 };

    put(&o, "{\"unit\": \"seconds of all threads\", \"threads\": %u, \"nodes\": [", p->threads);
    for (uint32_t i = 0; i < p->node_count; i++) {
        const bioft_node *d = p->nodes[i].def;
        put(&o, "%s\n{\"node\": %u, \"op\": \"%s\", \"layer\": ", i > 0 ? "," : "", i, bioft_operator_name(d->op));
        if (d->layer != BIOFT_NONE && (d->op == BIOFT_OP_CONV2D || d->op == BIOFT_OP_LINEAR)) {
            put(&o, "\"");
            put_name(&o, p->model->network.layers[d->layer].name);
            put(&o, "\", ");
        } else {
            put(&o, "null, ");
        }
        put(&o, "\"forward\": %.6f, \"backward\": %.6f, \"gradient\": %.6f", spent(p, i, FORWARD),
            spent(p, i, BACKWARD), spent(p, i, GRADIENT) + spent(p, i, REDUCE));
        put_kernels(&o, p, &p->nodes[i]);
        put(&o, "}");
    }
    put(&o, "\n]}\n");
    return o.full ? bioft_failf(p->engine->host, BIOFT_ERR_INVALID, "%zu bytes are too few for the profile", size)
                  : BIOFT_OK;
}
