/* Layers whose backward quantities a learning rule reads or writes itself (depth 3 in bioft/rule.h): copies on the
 * host, and back. */
#include "program.h"

#include <string.h>

static size_t aligned(size_t floats) { return (floats + 15) / 16 * 16; }

static size_t parameter_floats(const struct program *p, uint32_t parameter)
{
    return parameter == BIOFT_NONE ? 0 : aligned(p->model->parameters[parameter].count);
}

static size_t batch_floats(const struct program *p, uint32_t node)
{
    return aligned(p->use.max_batch * node_floats(def_of(p, node)));
}

/* Room for every copy that the layer's hook may need, and for a gradient's (run.c). */
size_t route_floats(const struct program *p, const struct node *n)
{
    const uint32_t reads = n->route.reads, writes = n->route.writes;
    const size_t parameters = parameter_floats(p, n->def->weight) + parameter_floats(p, n->def->bias);
    size_t floats = 0;

    if (n->def->op != BIOFT_OP_CONV2D && n->def->op != BIOFT_OP_LINEAR)
        return parameters;
    if (reads & BIOFT_X)
        floats += batch_floats(p, n->def->input[0]);
    if (reads & BIOFT_Y)
        floats += batch_floats(p, n->index);
    if (reads & BIOFT_H)
        floats += batch_floats(p, n->h);
    if ((reads | writes) & BIOFT_DY)
        floats += batch_floats(p, n->index);
    if (writes & BIOFT_DX)
        floats += batch_floats(p, n->def->input[0]);
    if (reads & BIOFT_W)
        floats += parameters;
    if (writes & BIOFT_DW)
        floats += parameters;
    return floats > parameters ? floats : parameters;
}

struct copying {
    struct program *p;
    float *next;
    bool failed;
};

static float *room(struct copying *c, size_t floats)
{
    float *taken = c->next;

    c->next += aligned(floats);
    return taken;
}

/* A node's array as the rule may read it; NULL x: room alone. */
static float *image_copy(struct copying *c, uint32_t node, tensor x)
{
    const struct shape s = plain_shape(c->p, node);
    float *ret = room(c, (size_t)shape_count(&s));

    if (x && !tensor_read(c->p->t, x, &s, ret))
        c->failed = true;
    return ret;
}

static float *parameter_copy(struct copying *c, uint32_t parameter, bool read)
{
    const struct parameter *q;
    float *ret;

    if (parameter == BIOFT_NONE)
        return NULL;
    q = &c->p->model->parameters[parameter];
    ret = room(c, q->count);
    if (!read)
        memset(ret, 0, q->count * sizeof *ret);
    else if (!tensor_read(c->p->t, q->value, &q->plain, ret))
        c->failed = true;
    return ret;
}

static bioft_local copies(struct copying *c, const struct node *n)
{
    struct program *p = c->p;
    const uint32_t reads = n->route.reads, writes = n->route.writes;
    const bool parameters = trains(p) && !(p->flags & BIOFT_NO_PARAMETERS);
    bioft_local io = { .struct_size = sizeof io, .n = p->n };

    if (reads & BIOFT_X)
        io.x = image_copy(c, n->def->input[0], p->nodes[n->def->input[0]].y);
    if (reads & BIOFT_Y)
        io.y = image_copy(c, n->index, n->y);
    if (reads & BIOFT_H)
        io.h = image_copy(c, n->h, p->nodes[n->h].y);
    if (reads & BIOFT_W) {
        io.w = parameter_copy(c, n->def->weight, true);
        io.b = parameter_copy(c, n->def->bias, true);
    }
    if ((reads | writes) & BIOFT_DY)
        io.dy = image_copy(c, n->index, reads & BIOFT_DY ? n->dy : NULL);
    if ((writes & BIOFT_DX) && p->nodes[n->def->input[0]].needed)
        io.dx = image_copy(c, n->def->input[0], NULL);
    if ((writes & BIOFT_DW) && parameters) {
        io.dw = parameter_copy(c, n->def->weight, false);
        io.db = parameter_copy(c, n->def->bias, false);
    }
    return io;
}

/* A host's array as a new tensor. */
static tensor made_of(struct program *p, const struct shape *s, const struct shape *plain, int32_t dtype,
                      const float *values)
{
    tensor ret = tensor_empty(p->t, s, dtype);

    if (ret && !tensor_write(p->t, ret, plain, values))
        tensor_drop(p->t, &ret);
    return ret;
}

static bool take_gradient(struct program *p, uint32_t parameter, const float *values)
{
    const struct parameter *q;

    if (!values)
        return true;
    q = &p->model->parameters[parameter];
    return parameter_receive(p, parameter, made_of(p, &q->shape, &q->plain, p->t->float32, values));
}

/* What the rule wrote, to where the engine goes on. */
static bool take_over(struct program *p, struct node *n, const bioft_local *io)
{
    const struct shape y = value_shape(p, n->index), plain_y = plain_shape(p, n->index);
    const struct shape x = value_shape(p, n->def->input[0]), plain_x = plain_shape(p, n->def->input[0]);

    if (n->route.writes & BIOFT_DY) {
        tensor_drop(p->t, &n->dy);
        n->dy = made_of(p, &y, &plain_y, p->dtype, io->dy);
        n->dy_shared = false;
        if (!n->dy)
            return false;
    }
    if (io->dx && !node_receive(p, n->def->input[0], made_of(p, &x, &plain_x, p->dtype, io->dx), false))
        return false;
    return take_gradient(p, n->def->weight, io->dw) && take_gradient(p, n->def->bias, io->db);
}

bioft_status route_run(struct program *p, struct node *n)
{
    struct copying c = { .p = p, .next = p->copies };
    bioft_local io;
    bioft_status st;

    if ((!n->route.reads && !n->route.writes) || !p->hooks || !p->hooks->local)
        return BIOFT_OK;
    io = copies(&c, n);
    if (c.failed)
        return torch_failed(p->t, "copies for a learning rule");
    st = p->hooks->local(p->hooks->ctx, n->def->layer, &io);
    if (st != BIOFT_OK)
        return bioft_failf(p->t->host, st, "the learning rule failed at layer '%s'",
                           p->model->network.layers[n->def->layer].name);
    if (!(p->flags & BIOFT_EXACT) && !take_over(p, n, &io))
        return torch_failed(p->t, "what a learning rule wrote");
    return BIOFT_OK;
}
