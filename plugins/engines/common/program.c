/* Making a program: slots by lifetime, and all other memory that its steps write to. */
#include "program.h"

#include "compile.h"
#include "memory.h"

#include <string.h>

static const uint32_t FOREVER = UINT32_MAX;

/* The moments of a step: forward segments in order, then backward ones. */
struct moments {
    uint32_t *forward, *backward; /* of each node */
};

static void mark(const struct segment *list, uint32_t count, uint32_t start, uint32_t *ret)
{
    for (uint32_t s = 0; s < count; s++)
        for (uint32_t i = list[s].first; i <= list[s].last; i++)
            ret[i] = start + s;
}

static void live(struct slot *s, uint32_t moment)
{
    if (moment < s->first)
        s->first = moment;
    if (moment > s->last)
        s->last = moment;
}

static uint32_t new_slot(struct slot *slots, uint32_t *count, size_t floats)
{
    slots[*count] = (struct slot){ .floats = floats, .first = FOREVER, .last = 0 };
    return (*count)++;
}

/* A tensor's slots, its own or those of the input that it is written over. */
static void assign(struct program *p, struct slot *slots, uint32_t *count, uint32_t tensor)
{
    struct tensor *t = &p->tensors[tensor];
    const struct node *n = &p->nodes[t->producer];
    const size_t floats = t->floats * p->capacity;

    if (n->in_place) {
        t->slot = p->tensors[n->x[0]].slot;
        t->gradient_slot = p->tensors[n->x[0]].gradient_slot;
        return;
    }
    if (!t->skipped && (tensor != 0 || p->piece > 1 || tensor_is_kept(p, 0)))
        t->slot = new_slot(slots, count, floats);
    if (goes_back(p) && (tensor != 0 || p->piece > 1))
        t->gradient_slot = new_slot(slots, count, floats);
}

/* A value lives from its making to its last use; what backward reads stays, since backward may run again. A gradient
 * lives from its first reader's backward work to its producer's. */
static void live_through(struct program *p, struct slot *slots, const struct moments *m)
{
    for (uint32_t i = 0; i < p->tensor_count; i++) {
        const struct tensor *t = &p->tensors[i];
        if (t->slot != BIOFT_NONE) {
            live(&slots[t->slot], m->forward[t->producer]);
            if (i == p->output)
                live(&slots[t->slot], p->forward_count - 1);
            if (tensor_is_kept(p, i))
                live(&slots[t->slot], FOREVER);
        }
        if (t->gradient_slot != BIOFT_NONE) {
            live(&slots[t->gradient_slot], i == 0 ? p->forward_count + p->backward_count : m->backward[t->producer]);
            if (i == p->output)
                live(&slots[t->gradient_slot], p->forward_count);
        }
    }
    for (uint32_t i = 1; i < p->node_count; i++) {
        const struct node *n = &p->nodes[i];
        if (n->op && p->tensors[n->out].slot != BIOFT_NONE)
            live(&slots[p->tensors[n->out].slot], m->forward[i]);
        for (uint32_t k = 0; n->op && k < n->def->input_count; k++) {
            const struct tensor *t = &p->tensors[p->nodes[i].x[k]];
            if (t->slot != BIOFT_NONE)
                live(&slots[t->slot], m->forward[i]);
            if (t->gradient_slot != BIOFT_NONE)
                live(&slots[t->gradient_slot], m->backward[i]);
        }
    }
}

static void point(struct program *p, const struct slot *slots)
{
    for (uint32_t i = 0; i < p->tensor_count; i++) {
        struct tensor *t = &p->tensors[i];
        if (t->slot != BIOFT_NONE)
            t->value = p->memory + slots[t->slot].offset;
        if (t->gradient_slot != BIOFT_NONE)
            t->gradient = p->memory + slots[t->gradient_slot].offset;
    }
    p->keeps_input = tensor_is_kept(p, 0);
    p->own_input = p->tensors[0].value;
    p->own_dx = p->tensors[0].gradient;
}

/* What stands beside the slots. Partial sums are needed by the nodes of one segment at a time. */
struct sizes {
    size_t slots, saved, sums, work, copies;
};

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static size_t aligned(size_t floats) { return (floats + 15) / 16 * 16; }

static struct sizes add_up(const struct program *p)
{
    struct sizes s = { 0 };

    for (uint32_t i = 0; i < p->node_count; i++) {
        const struct node *n = &p->nodes[i];
        s.saved += aligned(n->saved_floats);
        s.work = larger(s.work, aligned(n->work_floats));
        s.copies = larger(s.copies, route_copies(p, n));
    }
    for (uint32_t k = 0; k < p->backward_count; k++) {
        size_t sums = 0;
        for (uint32_t i = p->backward[k].first; i <= p->backward[k].last; i++)
            sums += aligned(p->nodes[i].sums_floats);
        s.sums = larger(s.sums, sums);
    }
    return s;
}

static void hand_out(struct program *p)
{
    float *saved = p->saved;

    for (uint32_t i = 0; i < p->node_count; i++) {
        if (p->nodes[i].saved_floats > 0)
            p->nodes[i].saved = saved;
        saved += aligned(p->nodes[i].saved_floats);
    }
    for (uint32_t k = 0; k < p->backward_count; k++) {
        float *sums = p->sums;
        for (uint32_t i = p->backward[k].first; i <= p->backward[k].last; i++) {
            p->nodes[i].sums = sums;
            sums += aligned(p->nodes[i].sums_floats);
        }
    }
}

static bioft_status too_much(const struct program *p, uint64_t bytes)
{
    const bioft_host *host = p->engine->host;
    const unsigned long long mib = (unsigned long long)(bytes >> 20);

    if (p->use.memory_limit != 0 && bytes > p->use.memory_limit)
        return bioft_failf(host, BIOFT_ERR_MEMORY,
                           "a batch of %u needs %llu MiB, %llu are allowed: use smaller "
                           "batches",
                           p->use.max_batch, mib, (unsigned long long)(p->use.memory_limit >> 20));
    return bioft_failf(host, BIOFT_ERR_MEMORY, "out of memory for a batch of %u (%llu MiB): use smaller batches",
                       p->use.max_batch, mib);
}

static bioft_status take_memory(struct program *p, size_t slots)
{
    const struct sizes s = add_up(p);
    const size_t timers = (size_t)p->threads * p->node_count * PHASES;

    p->work_floats = s.work;
    p->copies_floats = s.copies;
    p->bytes += sizeof(float) * ((uint64_t)slots + s.saved + s.sums + (uint64_t)s.work * p->threads + s.copies) +
                sizeof(double) * (uint64_t)timers;
    if (p->use.memory_limit != 0 && p->bytes > p->use.memory_limit)
        return too_much(p, p->bytes);
    p->memory = memory_take(slots, sizeof(float));
    p->saved = memory_take(s.saved, sizeof(float));
    p->sums = memory_take(s.sums, sizeof(float));
    p->work = memory_take(s.work, p->threads * sizeof(float));
    p->copies = memory_take(s.copies, sizeof(float));
    p->seconds = memory_take(timers, sizeof *p->seconds);
    if (!p->memory || !p->saved || !p->sums || !p->work || !p->copies || !p->seconds)
        return too_much(p, p->bytes);
    hand_out(p);
    return BIOFT_OK;
}

bioft_status program_memory(struct program *p)
{
    struct slot *slots = memory_take(2 * (size_t)p->tensor_count, sizeof *slots);
    uint32_t *nodes = memory_take(2 * (size_t)p->node_count, sizeof *nodes), count = 0;
    struct moments m;
    bioft_status st;
    size_t floats = 0;

    if (!slots || !nodes) {
        st = too_much(p, 0);
        goto done;
    }
    m = (struct moments){ nodes, nodes + p->node_count };
    mark(p->forward, p->forward_count, 0, m.forward);
    mark(p->backward, p->backward_count, p->forward_count, m.backward);
    for (uint32_t i = 0; i < p->tensor_count; i++)
        assign(p, slots, &count, i);
    live_through(p, slots, &m);
    st = slots_place(slots, count, &floats) ? take_memory(p, floats) : too_much(p, 0);
    if (st == BIOFT_OK)
        point(p, slots);

done:
    memory_give(slots);
    memory_give(nodes);
    return st;
}

static bioft_status take_routes(struct program *p, const bioft_route *routes)
{
    const struct network *net = &p->model->network;

    for (uint32_t i = 0; routes && goes_back(p) && i < net->layer_count; i++) {
        struct node *n = &p->nodes[net->layer_node[i]];
        n->route.reads = routes[i].reads;
        n->route.writes = routes[i].writes;
        if (!route_valid(&n->route))
            return bioft_failf(p->engine->host, BIOFT_ERR_UNSUPPORTED,
                               "layer '%s': a rule reads x, y, h, dy, e or w, and writes dy, dx or dw",
                               net->layers[i].name);
    }
    return BIOFT_OK;
}

static bioft_status compile(struct program *p, const bioft_route *routes)
{
    const bioft_host *host = p->engine->host;
    const struct backend *backend = p->engine->backend;
    char why[256];
    bioft_status st = compile_check(p->engine->backend, &p->model->network, &p->use, why, sizeof why);

    if (st != BIOFT_OK)
        return host->fail(host, st, why);
    p->nodes = memory_take(p->model->network.node_count, sizeof *p->nodes);
    if (!p->nodes)
        return too_much(p, 0);
    st = take_routes(p, routes);
    if (st != BIOFT_OK)
        return st;
    p->piece = 1;
    p->capacity = p->use.max_batch;
    if (backend->begin)
        backend->begin(p);
    st = compile_nodes(p);
    if (st != BIOFT_OK)
        return st;
    if (!compile_segments(p))
        return too_much(p, 0);
    st = program_memory(p);
    if (st == BIOFT_OK && backend->finish)
        st = backend->finish(p);
    return st == BIOFT_OK && trains(p) ? model_trainable(p->model) : st;
}

bioft_status cpu_program_create(struct model *m, const bioft_use *use, const bioft_route *routes, struct program **ret)
{
    struct program *p = memory_take(1, sizeof *p);
    bioft_status st;

    if (!p)
        return m->engine->host->fail(m->engine->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    p->engine = m->engine;
    p->model = m;
    memcpy(&p->use, use, use->struct_size < sizeof p->use ? use->struct_size : sizeof p->use);
    p->threads = parallel_threads(&m->engine->parallel);
    atomic_init(&p->failed, BIOFT_OK);
    st = compile(p, routes);
    if (st == BIOFT_OK)
        *ret = p;
    else
        cpu_program_destroy(p);
    return st;
}

void cpu_program_destroy(struct program *p)
{
    if (!p)
        return;
    if (p->engine->backend->release && p->nodes)
        p->engine->backend->release(p);
    memory_give(p->nodes);
    memory_give(p->tensors);
    memory_give(p->forward);
    memory_give(p->backward);
    memory_give(p->memory);
    memory_give(p->saved);
    memory_give(p->work);
    memory_give(p->sums);
    memory_give(p->copies);
    memory_give(p->seconds);
    memory_give(p);
}
