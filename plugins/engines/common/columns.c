/* Planning convolutions over columns. */
#include "columns.h"

#include "memory.h"

#include <string.h>

static const double WHOLE_WORK = 4e6; /* of an image: enough to be divided by itself */

struct conv columns_of_node(const bioft_node *d, const bioft_node *x)
{
    bioft_layer l = {
        .out_channels = d->channels,
        .in_channels = x->channels,
        .groups = d->groups,
        .in_h = x->height,
        .in_w = x->width,
        .out_h = d->height,
        .out_w = d->width,
    };

    memcpy(l.kernel, d->kernel, sizeof l.kernel);
    memcpy(l.stride, d->stride, sizeof l.stride);
    memcpy(l.dilation, d->dilation, sizeof l.dilation);
    memcpy(l.padding, d->padding, sizeof l.padding);
    return conv_plan(&l);
}

bioft_status columns_plan(struct program *p, struct node *n)
{
    struct conv *c = n->own = memory_take(1, sizeof *c);
    uint32_t sums;

    if (!c)
        return p->engine->host->fail(p->engine->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    *c = columns_of_node(n->def, &p->model->network.nodes[n->def->input[0]]);
    n->op = &operator_conv;
    n->work = conv_work(c) + 8.0 * (double)node_floats(n->def);
    n->work_floats = c->columns;
    n->whole = n->work > WHOLE_WORK;
    sums = trains(p) ? conv_sums(c, p->use.max_batch) : 0;
    n->sums_floats = sums > 1 ? sums * columns_sum_floats(n) : 0;
    return BIOFT_OK;
}
