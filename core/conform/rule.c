/* Tests for learning rules: V, state, threads, and what a rule does at a layer. */
#include "conform/private.h"

#include "conform/layers.h"
#include "conform/rule.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bioft_rule *rule_of(const struct conform *c) { return &c->p->plugin->api.rule; }

/* Weights of a layer, with zeros among them. */
static void draw_weights(struct conform *c, const bioft_layer *l, float *ret)
{
    random_floats(c, "conform/weights", l->index, -0.5f, 0.5f, ret, l->count);
    ret[l->count / 2] = 0.0f;
}

static float *weights(struct conform *c, const bioft_layer *l)
{
    float *w = guard_floats(c, "w", l->count);
    draw_weights(c, l, w);
    return w;
}

/* A layer that the rule refuses with a reason is no finding: nothing more can be tried. */
static bool attached(struct subject *s, const bioft_layer *l, bioft_status st)
{
    if (st == BIOFT_ERR_UNSUPPORTED && s->has_reason) {
        conform_skip(s->c, "it refuses layer '%s': %s", l->name, s->reason);
        return false;
    }
    return subject_ok(s, st);
}

bool rule_attach(struct subject *s)
{
    const bioft_rule *r = rule_of(s->c);
    bool fine = true;
    for (uint32_t i = 0; r->attach && fine && i < CONFORM_LAYERS; i++) {
        const bioft_layer *l = conform_layer(i);
        float *w = weights(s->c, l);
        guard_readonly(s->c, w);
        calling(s->c, "rule.h", "attach", "once per layer before the first step; w is only to be read",
                "attach(layer '%s', w [%zu])", l->name, l->count);
        fine = attached(s, l, r->attach(s->self, l, w));
        guard_release_calls(s->c);
    }
    return fine;
}

/* V of a layer as the rule writes it; false after a failure. ret: [count]. */
static bool filled(struct subject *s, const bioft_layer *l, uint64_t step, const float *w_values, float *ret)
{
    struct conform *c = s->c;
    float *w = guard_floats(c, "w", l->count), *v = guard_floats(c, "v", l->count);
    memcpy(w, w_values, l->count * sizeof *w);
    for (size_t i = 0; i < l->count; i++)
        v[i] = NAN;
    guard_readonly(c, w);
    calling(c, "rule.h", "fill_feedback", "writes V, `count` floats in W's layout",
            "fill_feedback(layer '%s' with W of %zu floats, step %llu)", l->name, l->count, (unsigned long long)step);
    s->step = true;
    const bool fine = subject_ok(s, rule_of(c)->fill_feedback(s->self, l, step, w, v));
    s->step = false;
    memcpy(ret, v, l->count * sizeof *v);
    guard_release_calls(c);
    return fine;
}

static float *room(struct conform *c, size_t count) { return arena_array(c->arena, count, sizeof(float)); }

static void check_declared(struct conform *c, const bioft_layer *l, const bioft_feedback *f)
{
    if (f->g > BIOFT_G_ONE || f->m > BIOFT_M_ABS_NORMAL || f->redraw > BIOFT_REDRAW_EACH_UPDATE ||
        f->scale > BIOFT_SCALE_CONSTANT)
        conform_find(c, "g %u, m %u, redraw %u, scale %u at '%s': one of them is unknown", f->g, f->m, f->redraw,
                     f->scale, l->name);
    else if (f->m != BIOFT_M_ONES && (!isfinite(f->low) || !isfinite(f->high)))
        conform_find(c, "low %g, high %g at '%s': not finite", (double)f->low, (double)f->high, l->name);
    else if (f->m == BIOFT_M_UNIFORM && !(f->low < f->high))
        conform_find(c, "M ~ U[%g, %g) at '%s': low is not below high", (double)f->low, (double)f->high, l->name);
    else if (f->scale == BIOFT_SCALE_CONSTANT && !isfinite(f->constant))
        conform_find(c, "scale %g at '%s': not finite", (double)f->constant, l->name);
}

/* What it declares for a layer; false: nothing, or a failure. */
static bool declared(struct subject *s, const bioft_layer *l, bioft_feedback *ret)
{
    const bioft_rule *r = rule_of(s->c);
    if (!r->feedback)
        return false;
    *ret = (bioft_feedback){ .struct_size = sizeof *ret };
    calling(s->c, "rule.h", "feedback", "V = s * M o g(W): says per layer what V is made of", "feedback(layer '%s')",
            l->name);
    return subject_ok(s, r->feedback(s->self, l, ret));
}

static void test_feedback(struct conform *c)
{
    struct subject *s = subject_create(c, NULL, c->p->seed, NULL);
    const bioft_rule *r = rule_of(c);
    bioft_feedback f;
    if (!s || !rule_attach(s)) {
        subject_destroy(s);
        return;
    }
    for (uint32_t i = 0; i < CONFORM_LAYERS; i++) {
        const bioft_layer *l = conform_layer(i);
        float *w = room(c, l->count), *v = room(c, l->count), *again = room(c, l->count);
        if (declared(s, l, &f))
            check_declared(c, l, &f);
        if (!r->fill_feedback)
            continue;
        draw_weights(c, l, w);
        if (!filled(s, l, 0, w, v))
            break;
        const size_t bad = first_nonfinite(v, l->count);
        if (bad != SIZE_MAX)
            conform_find(c, "V[%zu] is %s: %s", bad, isnan(v[bad]) ? "as it was before the call" : "infinite",
                         isnan(v[bad]) ? "V has another shape, or NaN was written" : "it must be finite");
        if (filled(s, l, 0, w, again) && first_difference(v, again, l->count, sizeof *v) != SIZE_MAX)
            conform_find(c, "another V for the same step and W, first at element %zu",
                         first_difference(v, again, l->count, sizeof *v));
    }
    subject_destroy(s);
}

/* sign(V) = sign(W) where the rule says that V follows W's signs. */
static void test_sign(struct conform *c)
{
    struct subject *s = subject_create(c, NULL, c->p->seed, NULL);
    bioft_feedback f;
    bool claims = false;
    for (uint32_t i = 0; s && i < CONFORM_LAYERS; i++) {
        const bioft_layer *l = conform_layer(i);
        if (!declared(s, l, &f) || f.g != BIOFT_G_SIGN)
            continue;
        claims = true;
        if (f.m == BIOFT_M_NORMAL || (f.m == BIOFT_M_UNIFORM && f.low < 0.0f))
            conform_find(c,
                         "V follows sign(W) at '%s', times a random M that may be below zero: the signs do not agree",
                         l->name);
        if (f.scale == BIOFT_SCALE_CONSTANT && f.constant < 0.0f)
            conform_find(c, "V follows sign(W) at '%s', times %g: every sign is the wrong one", l->name,
                         (double)f.constant);
    }
    subject_destroy(s);
    if (s && !claims)
        conform_skip(c, "it declares no layer's V to follow sign(W)");
}

/* Every callback of `updates` steps on all layers, W changing; V of the last step goes into ret, layer by layer. */
bool rule_updates(struct subject *s, float *const *w, uint64_t first, uint64_t updates, float *const *ret)
{
    const bioft_rule *r = rule_of(s->c);
    struct conform *c = s->c;
    for (uint64_t t = first; t < first + updates; t++) {
        for (uint32_t i = 0; i < CONFORM_LAYERS; i++) {
            const bioft_layer *l = conform_layer(i);
            float *now = guard_floats(c, "w", l->count), *dw = guard_floats(c, "dw", l->count);
            int32_t changed = 0;
            random_floats(c, "conform/update", t * CONFORM_LAYERS + i, -0.01f, 0.01f, dw, l->count);
            for (size_t k = 0; k < l->count; k++)
                now[k] = w[i][k] + dw[k];
            guard_readonly(c, dw);
            calling(c, "rule.h", "after_update", "dw = w_new - w_old; w may be changed; *ret_changed = 1 then",
                    "after_update(layer '%s', step %llu)", l->name, (unsigned long long)t);
            s->step = true;
            const bool fine = !r->after_update || subject_ok(s, r->after_update(s->self, l, t, now, dw, &changed));
            s->step = false;
            bool moved = false;
            for (size_t k = 0; k < l->count && !moved; k++)
                moved = now[k] != w[i][k] + dw[k];
            if (fine && moved && !changed)
                conform_find(c, "w was changed and *ret_changed is 0");
            const size_t bad = first_nonfinite(now, l->count);
            if (fine && bad != SIZE_MAX)
                conform_find(c, "w[%zu] is not finite after it", bad);
            memcpy(w[i], now, l->count * sizeof *now);
            guard_release_calls(c);
            if (!fine)
                return false;
        }
        calling(c, "rule.h", "step_end", "once after all layers of a training step", "step_end(step %llu)",
                (unsigned long long)t);
        s->step = true;
        const bool ended = !r->step_end || subject_ok(s, r->step_end(s->self, t));
        s->step = false;
        if (!ended)
            return false;
        for (uint32_t i = 0; r->fill_feedback && i < CONFORM_LAYERS; i++)
            if (!filled(s, conform_layer(i), t + 1, w[i], ret[i]))
                return false;
    }
    return true;
}

void rule_room(struct conform *c, bool drawn, float **ret)
{
    for (uint32_t i = 0; i < CONFORM_LAYERS; i++) {
        ret[i] = room(c, conform_layer(i)->count);
        if (drawn)
            draw_weights(c, conform_layer(i), ret[i]);
    }
}

static void compare(struct conform *c, float *const *a, float *const *b, const char *what)
{
    for (uint32_t i = 0; i < CONFORM_LAYERS; i++) {
        const bioft_layer *l = conform_layer(i);
        const size_t at = first_difference(a[i], b[i], l->count, sizeof(float));
        if (at != SIZE_MAX) {
            conform_find(c, "%s at layer '%s': element %zu is %.9g, and %.9g before", what, l->name, at,
                         (double)b[i][at], (double)a[i][at]);
            return;
        }
    }
}

/* Train, save, go on; and again from what was saved, in a new instance. */
static void test_state(struct conform *c)
{
    float *w[CONFORM_LAYERS], *saved[CONFORM_LAYERS], *v[CONFORM_LAYERS], *resumed[CONFORM_LAYERS];
    struct subject *a = subject_create(c, NULL, c->p->seed, NULL);
    rule_room(c, true, w);
    rule_room(c, false, saved);
    rule_room(c, false, v);
    rule_room(c, false, resumed);
    bool fine = a && rule_attach(a) && rule_updates(a, w, 0, 3, v);
    for (uint32_t i = 0; i < CONFORM_LAYERS; i++)
        memcpy(saved[i], w[i], conform_layer(i)->count * sizeof(float));
    struct subject *b = fine ? subject_create(c, NULL, c->p->seed, NULL) : NULL;
    if (b && rule_attach(b)) {
        calling(c, "rule.h", "attach", "saved state is put back after attach; what must survive is in host->state",
                "resuming after 3 updates: create(), attach(), the state put back");
        if (subject_restore(b, a) && rule_updates(a, w, 3, 2, v) && rule_updates(b, saved, 3, 2, resumed)) {
            calling(c, "plugin.h", "state",
                    "arrays of host->state are in every checkpoint and found again after a "
                    "resume; whatever else an instance keeps is lost",
                    "two updates after a resume");
            compare(c, v, resumed, "it forgot its state: another V than without the interruption");
            if (c->findings == 0)
                compare(c, w, saved, "it forgot its state: another W than without the interruption");
        }
    }
    subject_destroy(a);
    subject_destroy(b);
}

struct thread_run {
    struct conform c;
    struct subject *s;
    float *w[CONFORM_LAYERS], *v[CONFORM_LAYERS];
    bool fine;
};

/* The same callbacks without guards, whose table is for one thread. */
static void *updates_in_thread(void *argument)
{
    struct thread_run *t = argument;
    const bioft_rule *r = rule_of(&t->c);
    t->fine = true;
    for (uint64_t step = 0; step < 20 && t->fine; step++)
        for (uint32_t i = 0; i < CONFORM_LAYERS && t->fine; i++) {
            const bioft_layer *l = conform_layer(i);
            float *dw = calloc(l->count, sizeof *dw);
            int32_t changed = 0;
            if (!dw)
                return NULL;
            random_floats(&t->c, "conform/update", step * CONFORM_LAYERS + i, -0.01f, 0.01f, dw, l->count);
            for (size_t k = 0; k < l->count; k++)
                t->w[i][k] += dw[k];
            if (r->after_update)
                t->fine = r->after_update(t->s->self, l, step, t->w[i], dw, &changed) == BIOFT_OK;
            if (r->fill_feedback && t->fine)
                t->fine = r->fill_feedback(t->s->self, l, step + 1, t->w[i], t->v[i]) == BIOFT_OK;
            free(dw);
        }
    return NULL;
}

/* Two instances in two threads do what one alone does. */
static void test_threads(struct conform *c)
{
    struct thread_run runs[3];
    pthread_t thread[2];
    int started = 0;
    bool fine = true;
    memset(runs, 0, sizeof runs);
    for (int i = 0; i < 3 && fine; i++) {
        runs[i].c = *c;
        runs[i].s = subject_create(c, NULL, c->p->seed, NULL);
        rule_room(c, true, runs[i].w);
        rule_room(c, false, runs[i].v);
        fine = runs[i].s && rule_attach(runs[i].s);
    }
    calling(c, "plugin.h", "Threads.",
            "two instances of one plugin may be in use in two threads at the same time: "
            "nothing that changes is global",
            "20 updates by two instances in two threads");
    if (fine) {
        updates_in_thread(&runs[2]);
        while (started < 2 && pthread_create(&thread[started], NULL, updates_in_thread, &runs[started]) == 0)
            started++;
        for (int i = 0; i < started; i++)
            pthread_join(thread[i], NULL);
        for (int i = 0; i < started && runs[i].fine; i++)
            compare(c, runs[2].v, runs[i].v, "another V than one instance alone has");
    }
    for (int i = 0; i < 3; i++)
        subject_destroy(runs[i].s);
}

static bool round_of(struct conform *c)
{
    float *w[CONFORM_LAYERS], *v[CONFORM_LAYERS];
    struct subject *s = subject_create(c, NULL, c->p->seed, NULL);
    rule_room(c, true, w);
    rule_room(c, false, v);
    const bool fine = s && rule_attach(s) && rule_updates(s, w, 0, 2, v);
    subject_destroy(s);
    return fine;
}

static void test_leaks(struct conform *c) { check_leak(c, round_of); }

/* Another draw of V is another V, the same when asked again, and finite. */
static void check_draws(struct conform *c, struct subject *s)
{
    const bioft_layer *l = conform_layer(0);
    float *w = guard_floats(c, "w", l->count), *v[3];
    draw_weights(c, l, w);
    for (int k = 0; k < 3; k++) {
        v[k] = guard_floats(c, "v", l->count);
        for (size_t i = 0; i < l->count; i++)
            v[k][i] = NAN;
        calling(c, "rule.h", "fill_draw", "V as fill_feedback would have written it had it drawn otherwise",
                "fill_draw(layer '%s', step 3, draw %d)", l->name, k < 2 ? 1 : 2);
        s->step = true;
        const bool fine = subject_ok(s, rule_of(c)->fill_draw(s->self, l, 3, k < 2 ? 1 : 2, w, v[k]));
        s->step = false;
        if (!fine)
            return;
        if (first_nonfinite(v[k], l->count) != SIZE_MAX)
            conform_find(c, "V[%zu] of another draw is not finite", first_nonfinite(v[k], l->count));
    }
    if (first_difference(v[0], v[1], l->count, sizeof **v) != SIZE_MAX)
        conform_find(c, "another V for the same step and draw");
    if (first_difference(v[0], v[2], l->count, sizeof **v) == SIZE_MAX)
        conform_find(c, "the same V for draws 1 and 2: nothing is drawn");
    guard_release_calls(c);
}

static void test_redraw(struct conform *c)
{
    struct subject *s = subject_create(c, NULL, c->p->seed, NULL);
    const bioft_rule *r = rule_of(c);
    if (s && r->fill_draw) {
        if (rule_attach(s))
            check_draws(c, s);
        subject_destroy(s);
        return;
    }
    if (s && !r->feedback)
        conform_skip(c, "it declares no feedback: what it draws is its own");
    for (uint32_t i = 0; s && r->feedback && i < CONFORM_LAYERS; i++) {
        bioft_feedback a, b;
        if (!declared(s, conform_layer(i), &a) || !declared(s, conform_layer(i), &b))
            break;
        if (a.g != b.g || a.m != b.m || a.redraw != b.redraw || a.scale != b.scale || a.low != b.low ||
            a.high != b.high || a.constant != b.constant)
            conform_find(c, "another answer when asked again");
        if (a.redraw == BIOFT_REDRAW_EACH_UPDATE && a.m == BIOFT_M_ONES)
            conform_find(c, "redraws M after each update, and M is all ones at '%s': there is nothing to draw",
                         conform_layer(i)->name);
    }
    subject_destroy(s);
}

const struct conform_test conform_rule[] = {
    { "feedback", "V of every kind of layer: its shape, finite, the same when asked again", test_feedback },
    { "sign", "V has the signs of W if the rule declares it", test_sign },
    { "redraw", "what is drawn, and when, is one answer", test_redraw },
    { "state", "continues after a resume as if uninterrupted", test_state },
    { "threads", "two instances in two threads do what one alone does", test_threads },
    { "leaks", "attached and used, it leaves nothing behind", test_leaks },
    { "local", "writes at a layer what its route declares, whatever is not asked for", test_local },
    { "network", "a training step of convolutions and linear layers: finite, and no backpropagation undeclared",
      test_network },
    { "step", "a training step of its own: the loss once, weights that move and stay finite, the same after a resume",
      test_step },
    { 0 },
};
