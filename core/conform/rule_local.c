/* Tests for rules of depth 3: what they read and write at a layer. */
#include "conform/rule.h"

#include "conform/layers.h"
#include <math.h>
#include <string.h>

enum { IMAGES = 3, CLASSES = 4 };

struct visit {
    const bioft_layer *layer;
    bioft_route route;
    bool attack;
    bioft_batch batch;
    float *written[3]; /* copies of dy, dx, dw after it */
};

static float *input(struct conform *c, const char *name, bool wanted, size_t count, uint64_t key)
{
    if (!wanted)
        return NULL;
    float *a = guard_floats(c, name, count);
    random_floats(c, name, key, -1.0f, 1.0f, a, count);
    guard_readonly(c, a);
    return a;
}

/* An output that shows what was not written. */
static float *output(struct conform *c, const char *name, bool wanted, size_t count)
{
    float *a = wanted ? guard_floats(c, name, count) : NULL;
    for (size_t i = 0; a && i < count; i++)
        a[i] = NAN;
    return a;
}

static void check_written(struct conform *c, const char *name, const float *a, size_t count, float **ret)
{
    *ret = NULL;
    if (!a)
        return;
    const size_t bad = first_nonfinite(a, count);
    if (bad != SIZE_MAX)
        conform_find(c, "%s[%zu] of %zu was not written, or is not finite", name, bad, count);
    *ret = arena_array(c->arena, count, sizeof(float));
    memcpy(*ret, a, count * sizeof(float));
}

static void fill_batch(struct conform *c, bioft_batch *b)
{
    uint64_t *sample = guard_take(c, "batch->sample", IMAGES * sizeof *sample, true);
    uint64_t *labels = guard_take(c, "batch->labels", IMAGES * sizeof *labels, true);
    int32_t *label = guard_take(c, "batch->label", IMAGES * sizeof *label, false);
    for (uint32_t i = 0; i < IMAGES; i++) {
        sample[i] = 11 * i;
        label[i] = (int32_t)(i % CLASSES);
        labels[i] = UINT64_C(1) << label[i];
    }
    *b = (bioft_batch){ .struct_size = sizeof *b,
                        .n = IMAGES,
                        .classes = CLASSES,
                        .label_words = 1,
                        .sample = sample,
                        .label = label,
                        .labels = labels };
    b->x = input(c, "batch->x", true, IMAGES * layer_in(conform_layer(0)), 0);
}

static bool call_local(struct subject *s, struct visit *v)
{
    struct conform *c = s->c;
    const bioft_layer *l = v->layer;
    const size_t in = IMAGES * layer_in(l), out = IMAGES * layer_out(l);
    const uint32_t reads = v->route.reads, writes = v->route.writes;
    const bool first = l->flags & BIOFT_LAYER_FIRST;
    bioft_local io = { .struct_size = sizeof io, .n = IMAGES };
    fill_batch(c, &v->batch);
    io.batch = v->attack ? NULL : &v->batch;
    io.x = input(c, "x", reads & BIOFT_X, in, l->index);
    io.y = input(c, "y", reads & BIOFT_Y, out, l->index);
    io.h = input(c, "h", reads & BIOFT_H, out, l->index);
    io.w = input(c, "w", reads & BIOFT_W, l->count, l->index);
    io.b = input(c, "b", (reads & BIOFT_W) && l->index % 2 == 0, l->out_channels, l->index);
    io.e = input(c, "e", reads & BIOFT_E, (size_t)IMAGES * CLASSES, 0);
    io.dy = writes & BIOFT_DY ? output(c, "dy", true, out) : input(c, "dy", reads & BIOFT_DY, out, l->index);
    if (writes & BIOFT_DY && reads & BIOFT_DY)
        random_floats(c, "dy", l->index, -1.0f, 1.0f, io.dy, out);
    io.dx = output(c, "dx", writes & BIOFT_DX && (v->attack || !first), in);
    io.dw = writes & BIOFT_DW && !v->attack ? guard_floats(c, "dw", l->count) : NULL;
    io.db = io.dw ? guard_floats(c, "db", l->out_channels) : NULL;
    calling(c, "rule.h", "local", "writes of dy, dx and dw what its route says; NULL where this pass needs none",
            "local(layer '%s', %u images, %s)", l->name, IMAGES, v->attack ? "in an attack" : "in training");
    s->step = true;
    const bool fine = subject_ok(s, c->p->plugin->api.rule.local(s->self, l, &io));
    s->step = false;
    if (fine) {
        check_written(c, "dy", writes & BIOFT_DY ? io.dy : NULL, out, &v->written[0]);
        check_written(c, "dx", io.dx, in, &v->written[1]);
        check_written(c, "dw", io.dw, l->count, &v->written[2]);
    }
    guard_release_calls(c);
    return fine;
}

static bool same_again(struct subject *s, struct visit *v)
{
    static const char *const names[3] = { "dy", "dx", "dw" };
    struct visit again = *v;
    const size_t counts[3] = { IMAGES * layer_out(v->layer), IMAGES * layer_in(v->layer), v->layer->count };
    if (!call_local(s, v) || !call_local(s, &again))
        return false;
    for (int i = 0; i < 3; i++) {
        const size_t at = v->written[i] ? first_difference(v->written[i], again.written[i], counts[i], 4) : SIZE_MAX;
        if (at != SIZE_MAX)
            conform_find(s->c, "another %s for the same layer and arrays, first at element %zu", names[i], at);
    }
    return true;
}

void test_local(struct conform *c)
{
    const uint32_t known = BIOFT_X | BIOFT_Y | BIOFT_H | BIOFT_DY | BIOFT_DX | BIOFT_DW | BIOFT_E | BIOFT_W;
    const bioft_rule *r = &c->p->plugin->api.rule;
    struct subject *s;
    if (!r->route || !r->local) {
        conform_skip(c, "it has no route of its own");
        return;
    }
    s = subject_create(c, NULL, c->p->seed, NULL);
    bool fine = s && rule_attach(s);
    for (uint32_t i = CONFORM_LAYERS; fine && i-- > 0;) {
        struct visit v = { .layer = conform_layer(i), .route = { .struct_size = sizeof v.route } };
        calling(c, "rule.h", "route", "reads: any; writes: of DY, DX, DW", "route(layer '%s')", v.layer->name);
        fine = subject_ok(s, r->route(s->self, v.layer, &v.route));
        if (fine && (v.route.reads & ~known || v.route.writes & ~(uint32_t)(BIOFT_DY | BIOFT_DX | BIOFT_DW)))
            conform_find(c, "reads 0x%x, writes 0x%x", v.route.reads, v.route.writes);
        else if (fine && (v.route.reads || v.route.writes))
            for (int attack = 0; fine && attack < 2; attack++) {
                v.attack = attack;
                fine = same_again(s, &v);
            }
    }
    subject_destroy(s);
}
