/* Which arrays a checkpoint has, by name: the network under torchvision's names, everything else
 * behind a prefix. */
#include "train/checkpoint_private.h"

#include <stdlib.h>
#include <string.h>

static struct item *add(struct plan *p, const char *name, size_t count)
{
    if (p->failed || !name || !mem_grow(&p->items, &p->capacity, p->count + 1, sizeof(*p->items))) {
        p->failed = true;
        return NULL;
    }
    struct item *item = &p->items[p->count++];
    *item = (struct item){ .name = name, .count = count };
    return item;
}

static void add_floats(struct plan *p, const char *name, float *floats, size_t count)
{
    struct item *item = add(p, name, count);
    if (!item)
        return;
    item->dims = 1;
    item->shape[0] = count;
    item->floats = floats;
    if (count > p->largest)
        p->largest = count;
}

static void add_parameter(struct plan *p, const char *name, const bioft_parameter *of, uint32_t parameter,
                          uint32_t what)
{
    struct item *item = add(p, name, of->count);
    if (!item)
        return;
    item->dims = of->dims;
    memcpy(item->shape, of->shape, sizeof(item->shape));
    item->parameter = parameter;
    item->what = what;
    if (of->count > p->largest)
        p->largest = of->count;
}

static void add_model(struct plan *p, const struct checkpoint *c)
{
    const struct graph *g = c->model->graph;
    for (uint32_t i = 0; i < g->view.parameter_count; i++)
        add_parameter(p, g->parameters[i].name, &g->parameters[i], i, BIOFT_VALUE);
    for (uint32_t i = 0; c->moments && i < g->view.parameter_count; i++) {
        const bioft_parameter *of = &g->parameters[i];
        if (of->kind == BIOFT_PARAM_RUNNING)
            continue;
        if (c->optimizer == BIOFT_ADAM) {
            add_parameter(p, arena_printf(p->arena, "optim/%s/m", of->name), of, i, BIOFT_MOMENT1);
            add_parameter(p, arena_printf(p->arena, "optim/%s/v", of->name), of, i, BIOFT_MOMENT2);
        } else if (c->momentum != 0.0) {
            add_parameter(p, arena_printf(p->arena, "optim/%s/momentum", of->name), of, i, BIOFT_MOMENT1);
        }
    }
}

static void add_loss(struct plan *p, const struct checkpoint *c)
{
    for (size_t i = 0; i < c->loss->array_count; i++)
        add_floats(p, arena_printf(p->arena, "loss/%s", c->loss->arrays[i].name), c->loss->arrays[i].value,
                   c->loss->arrays[i].count);
    for (size_t i = 0; c->moments && i < c->loss->array_count; i++) {
        const struct named_array *a = &c->loss->arrays[i];
        if (!a->gradient)
            continue;
        if (c->optimizer == BIOFT_ADAM) {
            add_floats(p, arena_printf(p->arena, "optim/loss/%s/m", a->name), a->moment1, a->count);
            add_floats(p, arena_printf(p->arena, "optim/loss/%s/v", a->name), a->moment2, a->count);
        } else if (c->momentum != 0.0) {
            add_floats(p, arena_printf(p->arena, "optim/loss/%s/momentum", a->name), a->moment1, a->count);
        }
    }
}

bioft_status plan_make(const struct checkpoint *c, uint64_t *step, struct plan *ret, struct error *err)
{
    *ret = (struct plan){ .arena = arena_create() };
    if (!ret->arena)
        return error_memory(err, "checkpoint");
    if (c->model)
        add_model(ret, c);
    for (size_t r = 0; c->feedback && r < feedback_count(c->feedback); r++) {
        const struct instance *rule = feedback_instance(c->feedback, r);
        for (size_t i = 0; i < rule->array_count; i++)
            add_floats(ret, arena_printf(ret->arena, "rule/%zu/%s", r, rule->arrays[i].name), rule->arrays[i].value,
                       rule->arrays[i].count);
    }
    if (c->loss)
        add_loss(ret, c);
    for (size_t i = 0; c->model && i < c->model->graph->counter_count; i++) {
        struct item *item = add(ret, c->model->graph->counters[i], 1);
        if (item)
            item->integer = &c->model->counters[i];
    }
    if (c->moments) {
        struct item *item = add(ret, "optim/step", 1);
        if (item)
            item->integer = step;
    }
    return ret->failed ? error_memory(err, "checkpoint") : BIOFT_OK;
}

void plan_free(struct plan *p)
{
    free(p->items);
    arena_destroy(p->arena);
    *p = (struct plan){ 0 };
}
