/* One phase of a segment, spread over the engine's threads and timed. */
#include "program.h"

#include <time.h>

static const double PIECE_WORK = 4e6;
enum { PIECE_IMAGES = 16, FEW = 2 }; /* FEW additions are done before another thread has woken up */

struct region {
    struct program *p;
    const struct segment *s;
    enum phase phase;
    size_t count;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Since `from`, to the node's account; the time now. */
static double account(struct program *p, const struct node *n, enum phase phase, uint32_t thread, double from)
{
    double to = now();

    p->seconds[((size_t)thread * p->node_count + n->index) * PHASES + phase] += to - from;
    return to;
}

static float *work_of(const struct program *p, uint32_t thread) { return p->work + p->work_floats * thread; }

/* All nodes of the segment on a few images. */
static void piece(void *ctx, size_t index, uint32_t thread)
{
    const struct region *r = ctx;
    struct program *p = r->p;
    const bool fixed = p->piece > 1;
    const uint32_t first = fixed ? p->piece * (uint32_t)index : (uint32_t)part(p->n, r->count, index);
    const uint32_t last = fixed ? first + p->piece : (uint32_t)part(p->n, r->count, index + 1);
    const uint32_t count = (last < p->n ? last : p->n) - first, nodes = r->s->last - r->s->first + 1;
    double time = now();

    for (uint32_t i = 0; i < nodes; i++) {
        struct node *n = &p->nodes[r->phase == FORWARD ? r->s->first + i : r->s->last - i];
        if (!n->op || n->absorbed[r->phase])
            continue;
        n->op->images(p, n, r->phase, first, count, work_of(p, thread));
        time = account(p, n, r->phase, thread, time);
    }
}

/* Number `index` among the tasks of all the segment's nodes. They are in the order of the threads that they are dealt
 * to, for each thread its part of each node's tasks: so it gets the same images at every node. */
static struct node *find_task(const struct region *r, size_t index, size_t *ret_task)
{
    struct program *p = r->p;

    for (uint32_t t = 0; t < p->threads; t++)
        for (uint32_t i = r->s->last + 1; i-- > r->s->first;) {
            struct node *n = &p->nodes[i];
            size_t first = part(n->tasks, p->threads, t), count = part(n->tasks, p->threads, t + 1) - first;
            if (index < count) {
                *ret_task = first + index;
                return n;
            }
            index -= count;
        }
    return NULL;
}

static void task(void *ctx, size_t index, uint32_t thread)
{
    const struct region *r = ctx;
    struct program *p = r->p;
    double time = now();
    size_t number = 0;
    struct node *n = find_task(r, index, &number);

    n->op->task(p, n, r->phase, number, work_of(p, thread));
    account(p, n, r->phase, thread, time);
}

void segment_run(struct program *p, const struct segment *s, enum phase phase)
{
    struct region r = { .p = p, .s = s, .phase = phase };

    if (s->work <= 0)
        return;
    if (!s->whole && (phase == FORWARD || phase == BACKWARD)) {
        double images = PIECE_WORK / s->work;
        size_t size = images < 1 ? 1 : images > PIECE_IMAGES ? PIECE_IMAGES : (size_t)images;
        if (p->piece > 1)
            size = p->piece;
        r.count = parts_of(p->n, size);
        parallel_run(&p->engine->parallel, r.count, piece, &r);
        return;
    }
    for (uint32_t i = s->last + 1; i-- > s->first;) {
        struct node *n = &p->nodes[i];
        n->tasks = n->op && n->op->tasks ? n->op->tasks(p, n, phase) : 0;
        r.count += n->tasks;
    }
    if (phase == REDUCE && r.count <= FEW)
        for (size_t i = 0; i < r.count; i++)
            task(&r, i, 0);
    else
        parallel_run(&p->engine->parallel, r.count, task, &r);
}
