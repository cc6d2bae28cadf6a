/* Layers whose backward quantities a learning rule reads or writes itself (depth 3 in bioft/rule.h). */
#include "program.h"

#include <string.h>

bool route_valid(const bioft_route *r)
{
    const uint32_t reads = BIOFT_X | BIOFT_Y | BIOFT_H | BIOFT_DY | BIOFT_E | BIOFT_W;

    return !(r->reads & ~reads) && !(r->writes & ~(uint32_t)(BIOFT_DY | BIOFT_DX | BIOFT_DW));
}

static size_t aligned(size_t floats) { return (floats + 15) / 16 * 16; }

static size_t parameter_floats(const struct program *p, uint32_t parameter)
{
    return parameter == BIOFT_NONE ? 0 : p->model->parameters[parameter].count;
}

static size_t batch_floats(const struct program *p, uint32_t tensor)
{
    return aligned(p->capacity * plain_floats(&p->tensors[tensor]));
}

/* A rule sees plain arrays: those in blocks are copied. */
size_t route_copies(const struct program *p, const struct node *n)
{
    const struct {
        uint32_t flag, tensor;
    } values[] = { { BIOFT_X, n->x[0] }, { BIOFT_Y, n->y }, { BIOFT_H, n->h } };
    const uint32_t writes = n->route.writes;
    size_t floats = 0;

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if ((n->route.reads & values[i].flag) && p->tensors[values[i].tensor].block > 1)
            floats += batch_floats(p, values[i].tensor);
    if ((writes & BIOFT_DY) || ((n->route.reads & BIOFT_DY) && p->tensors[n->y].block > 1))
        floats += batch_floats(p, n->y);
    return floats + (writes & BIOFT_DX ? batch_floats(p, n->x[0]) : 0) +
           (writes & BIOFT_DW
                ? aligned(parameter_floats(p, n->def->weight)) + aligned(parameter_floats(p, n->def->bias))
                : 0);
}

/* The next piece of scratch. */
static float *scratch(float **next, size_t floats)
{
    float *taken = *next;

    *next += aligned(floats);
    return taken;
}

/* A tensor's array as the rule may read it. */
static float *plain(const struct program *p, uint32_t tensor, float *array, float **next)
{
    const struct tensor *t = &p->tensors[tensor];
    float *copy;

    if (t->block == 1)
        return array;
    copy = scratch(next, p->n * plain_floats(t));
    tensor_export(t, array, p->n, copy);
    return copy;
}

/* dw or db: the parameter's gradient itself, or scratch where that must not be overwritten. */
static float *zeroed(const struct program *p, uint32_t parameter, bool own, float **next)
{
    const size_t count = parameter_floats(p, parameter);
    float *g;

    if (parameter == BIOFT_NONE)
        return NULL;
    g = own ? scratch(next, count) : parameter_gradient(p, parameter);
    memset(g, 0, count * sizeof *g);
    return g;
}

static void add_to(float *ret, const float *x, size_t count)
{
    for (size_t i = 0; ret && i < count; i++)
        ret[i] += x[i];
}

/* What the rule asked to read. */
static bioft_local reading(const struct program *p, const struct node *n, float **next)
{
    const uint32_t reads = n->route.reads;
    bioft_local io = { .struct_size = sizeof io, .n = p->n };

    if (reads & BIOFT_X)
        io.x = plain(p, n->x[0], p->tensors[n->x[0]].value, next);
    if (reads & BIOFT_Y)
        io.y = plain(p, n->y, p->tensors[n->y].value, next);
    if (reads & BIOFT_H)
        io.h = plain(p, n->h, p->tensors[n->h].value, next);
    if (reads & BIOFT_W) {
        io.w = parameter_value(p, n->def->weight);
        io.b = parameter_value(p, n->def->bias);
    }
    if (reads & BIOFT_DY)
        io.dy = plain(p, n->y, p->tensors[n->y].gradient, next);
    return io;
}

/* Where the rule writes dy: the gradient itself; a copy where that is not to change, or stands in blocks. */
static float *writable_error(const struct program *p, const struct node *n, float *read, float **next)
{
    const struct tensor *y = &p->tensors[n->y];
    const size_t floats = p->n * plain_floats(y);
    float *copy;

    if (y->block == 1 && !(p->flags & BIOFT_EXACT))
        return y->gradient;
    if (read && read != y->gradient)
        return read;
    copy = scratch(next, floats);
    if (read)
        memcpy(copy, read, floats * sizeof *copy);
    return copy;
}

/* What the rule wrote, to where the engine goes on; add: its dw and db to the gradients. */
static void take_over(struct program *p, const struct node *n, const bioft_local *io, bool add)
{
    struct tensor *x = &p->tensors[n->x[0]];
    const struct tensor *y = &p->tensors[n->y];

    if ((n->route.writes & BIOFT_DY) && io->dy != y->gradient)
        tensor_import(y, io->dy, p->n, false, y->gradient);
    if (io->dx && io->dx != x->gradient)
        tensor_import(x, io->dx, p->n, x->filled, x->gradient);
    if (io->dx)
        x->filled = true;
    if (io->dw && add) {
        add_to(parameter_gradient(p, n->def->weight), io->dw, parameter_floats(p, n->def->weight));
        add_to(parameter_gradient(p, n->def->bias), io->db, parameter_floats(p, n->def->bias));
    }
}

bioft_status route_run(struct program *p, struct node *n)
{
    const uint32_t writes = n->route.writes;
    const bool exact = p->flags & BIOFT_EXACT, add = exact || accumulates(p);
    const bool parameters = trains(p) && !(p->flags & BIOFT_NO_PARAMETERS);
    struct tensor *x = &p->tensors[n->x[0]];
    float *next = p->copies;
    bioft_local io;
    bioft_status st;

    if ((!n->route.reads && !writes) || !p->hooks || !p->hooks->local)
        return BIOFT_OK;
    io = reading(p, n, &next);
    if (writes & BIOFT_DY)
        io.dy = writable_error(p, n, io.dy, &next);
    if ((writes & BIOFT_DX) && x->needed)
        io.dx = exact || x->filled || x->block > 1 ? scratch(&next, p->n * plain_floats(x)) : x->gradient;
    if ((writes & BIOFT_DW) && parameters) {
        io.dw = zeroed(p, n->def->weight, add, &next);
        io.db = zeroed(p, n->def->bias, add, &next);
    }
    st = p->hooks->local(p->hooks->ctx, n->def->layer, &io);
    if (st != BIOFT_OK)
        return bioft_failf(p->engine->host, st, "the learning rule failed at layer '%s'",
                           p->model->network.layers[n->def->layer].name);
    if (!exact)
        take_over(p, n, &io, add);
    return BIOFT_OK;
}
