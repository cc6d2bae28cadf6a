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

size_t route_copies(const struct program *p, const struct node *n)
{
    const size_t batch = p->use.max_batch;

    return (n->route.writes & BIOFT_DY ? aligned(batch * p->tensors[n->y].floats) : 0) +
           (n->route.writes & BIOFT_DX ? aligned(batch * p->tensors[n->x[0]].floats) : 0) +
           (n->route.writes & BIOFT_DW ? aligned(parameter_floats(p, n->def->weight)) +
                                             aligned(parameter_floats(p, n->def->bias)) : 0);
}

/* The next piece of scratch. */
static float *scratch(float **next, size_t floats)
{
    float *taken = *next;

    *next += aligned(floats);
    return taken;
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
static bioft_local reading(const struct program *p, const struct node *n)
{
    const uint32_t reads = n->route.reads;
    bioft_local io = { .struct_size = sizeof io, .n = p->n };

    if (reads & BIOFT_X)
        io.x = p->tensors[n->x[0]].value;
    if (reads & BIOFT_Y)
        io.y = p->tensors[n->y].value;
    if (reads & BIOFT_H)
        io.h = p->tensors[n->h].value;
    if (reads & BIOFT_W) {
        io.w = parameter_value(p, n->def->weight);
        io.b = parameter_value(p, n->def->bias);
    }
    if (reads & BIOFT_DY)
        io.dy = p->tensors[n->y].gradient;
    return io;
}

bioft_status route_run(struct program *p, struct node *n)
{
    const uint32_t writes = n->route.writes;
    const bool exact = p->flags & BIOFT_EXACT, add = exact || accumulates(p);
    const bool parameters = trains(p) && !(p->flags & BIOFT_NO_PARAMETERS);
    struct tensor *x = &p->tensors[n->x[0]], *y = &p->tensors[n->y];
    const size_t x_floats = p->n * x->floats, y_floats = p->n * y->floats;
    bioft_local io = reading(p, n);
    float *next = p->copies;
    bioft_status st;

    if ((!n->route.reads && !writes) || !p->hooks || !p->hooks->local)
        return BIOFT_OK;
    if (writes & BIOFT_DY) {
        io.dy = exact ? scratch(&next, y_floats) : y->gradient;
        if (exact && (n->route.reads & BIOFT_DY))
            memcpy(io.dy, y->gradient, y_floats * sizeof *io.dy);
    }
    if ((writes & BIOFT_DX) && x->needed)
        io.dx = exact || x->filled ? scratch(&next, x_floats) : x->gradient;
    if ((writes & BIOFT_DW) && parameters) {
        io.dw = zeroed(p, n->def->weight, add, &next);
        io.db = zeroed(p, n->def->bias, add, &next);
    }
    st = p->hooks->local(p->hooks->ctx, n->def->layer, &io);
    if (st != BIOFT_OK)
        return bioft_failf(p->engine->host, st, "the learning rule failed at layer '%s'",
                           p->model->network.layers[n->def->layer].name);
    if (exact)
        return BIOFT_OK;
    if (io.dx && x->filled)
        add_to(x->gradient, io.dx, x_floats);
    if (io.dx)
        x->filled = true;
    if (io.dw && add) {
        add_to(parameter_gradient(p, n->def->weight), io.dw, parameter_floats(p, n->def->weight));
        add_to(parameter_gradient(p, n->def->bias), io.db, parameter_floats(p, n->def->bias));
    }
    return BIOFT_OK;
}
