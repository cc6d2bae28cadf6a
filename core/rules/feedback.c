/* The learning rules of a stage on a model: instances, layers, and the V that the model has after
 * each update. */
#include "rules/feedback_private.h"
#include "rules/scale.h"

#include <stdlib.h>
#include <string.h>

/* V = W, element by element. */
static bool is_w(const bioft_feedback *d)
{
    return d->g == BIOFT_G_IDENTITY && d->m == BIOFT_M_ONES &&
           (d->scale == BIOFT_SCALE_NONE || (d->scale == BIOFT_SCALE_CONSTANT && d->constant == 1.0f));
}

static bool is_redrawn(const struct feedback *f, const struct layer_rule *l)
{
    return !rule_of(f, l)->fill_feedback && l->declared.m != BIOFT_M_ONES &&
           l->declared.redraw == BIOFT_REDRAW_EACH_UPDATE;
}

/* The layers as rules see them, with their weights' parameters. */
static bioft_status take_layers(struct feedback *f, uint32_t max_batch, struct error *err)
{
    const bioft_graph *g = &f->model->graph->view;
    f->layer_count = g->layer_count;
    f->layers = mem_array(g->layer_count, sizeof(*f->layers));
    f->routes = mem_array(g->layer_count, sizeof(*f->routes));
    f->observed = mem_array(g->layer_count, sizeof(*f->observed));
    if (!f->layers || !f->routes || !f->observed)
        return error_memory(err, "rules");
    for (uint32_t i = 0; i < g->layer_count; i++) {
        struct layer_rule *l = &f->layers[i];
        l->layer = f->model->graph->layers[i];
        l->layer.key = l->layer.name;
        l->layer.max_batch = max_batch;
        l->weight = BIOFT_NONE;
    }
    for (uint32_t p = 0; p < g->parameter_count; p++)
        if (f->model->graph->parameters[p].kind == BIOFT_PARAM_WEIGHT)
            f->layers[f->model->graph->parameters[p].layer].weight = p;
    return BIOFT_OK;
}

/* W and V as numbers, for rules that take them: as large as the largest layer of such a rule. */
static bioft_status take_room(struct feedback *f, struct error *err)
{
    size_t w = 0, v = 0;
    for (uint32_t i = 0; i < f->layer_count; i++) {
        const bioft_rule *rule = rule_of(f, &f->layers[i]);
        const size_t count = f->layers[i].layer.count;
        if ((rule->attach || rule->fill_feedback) && count > w)
            w = count;
        if (rule->fill_feedback && count > v)
            v = count;
    }
    f->w = mem_aligned(w, sizeof(*f->w));
    f->v = mem_aligned(v, sizeof(*f->v));
    return f->w && f->v ? BIOFT_OK : error_memory(err, "feedback weights");
}

static bioft_status make_instances(struct feedback *f, const struct rule_spec *rules, size_t count, uint64_t seed,
                                   struct pool *pool, struct error *err)
{
    const struct extension extensions[] = {
        { .id = "bioft.scale/1", .table = &scale_extension },
        { .id = "bioft.layer/1", .table = &layer_operations, .ctx = f->model->engine },
    };
    f->instances = mem_array(count, sizeof(*f->instances));
    if (!f->instances)
        return error_memory(err, "rules");
    for (size_t r = 0; r < count; r++) {
        const struct instance_params p = {
            .plugin = rules[r].choice.plugin,
            .values = rules[r].choice.values,
            .seed = seed,
            .pool = pool,
            .extensions = extensions,
            .extension_count = f->model->engine->api->layer ? 2 : 1,
        };
        bioft_status st = instance_create(&p, &f->instances[r], err);
        if (st != BIOFT_OK)
            return st;
        f->count = r + 1;
        st = feedback_take_own(f, r, count, err);
        if (st != BIOFT_OK)
            return st;
    }
    return BIOFT_OK;
}

static bioft_status attach(struct feedback *f, struct layer_rule *l, struct error *err)
{
    const bioft_rule *rule = rule_of(f, l);
    if (!rule->attach)
        return BIOFT_OK;
    bioft_status st = model_read(f->model, BIOFT_VALUE, l->weight, f->w, err);
    if (st != BIOFT_OK)
        return st;
    st = rule->attach(self_of(f, l), &l->layer, f->w);
    return st == BIOFT_OK ? st : layer_error(f, l, st, err);
}

bioft_status feedback_create(struct model *m, const struct rule_spec *rules, size_t count, uint64_t seed,
                             struct pool *pool, uint32_t max_batch, struct feedback **ret, struct error *err)
{
    bioft_status st;
    struct feedback *f = mem_array(1, sizeof(*f));
    if (!f)
        return error_memory(err, "rules");
    f->model = m;
    st = take_layers(f, max_batch, err);
    if (st == BIOFT_OK)
        st = feedback_match(f, rules, count, err);
    if (st == BIOFT_OK)
        st = make_instances(f, rules, count, seed, pool, err);
    if (st == BIOFT_OK)
        st = take_room(f, err);
    for (uint32_t i = 0; st == BIOFT_OK && i < f->layer_count; i++) {
        struct layer_rule *l = &f->layers[i];
        st = feedback_ask(f, l, err);
        f->routes[i] = f->observed[i] = l->route;
        f->observed[i].reads |= BIOFT_DY;
        if (st == BIOFT_OK)
            st = attach(f, l, err);
    }
    if (st == BIOFT_OK)
        st = feedback_refresh(f, 0, err);
    if (st != BIOFT_OK) {
        feedback_destroy(f);
        return st;
    }
    *ret = f;
    return BIOFT_OK;
}

void feedback_destroy(struct feedback *f)
{
    if (!f)
        return;
    for (size_t r = 0; r < f->count; r++)
        instance_destroy(f->instances[r]);
    free(f->instances);
    free(f->layers);
    free(f->routes);
    free(f->observed);
    free(f->w);
    free(f->v);
    free(f);
}

/* Depth 2: V as numbers. */
static bioft_status fill(struct feedback *f, const struct layer_rule *l, uint64_t step, uint64_t draw,
                         struct error *err)
{
    const bioft_rule *rule = rule_of(f, l);
    bioft_status st = model_read(f->model, BIOFT_VALUE, l->weight, f->w, err);
    if (st != BIOFT_OK)
        return st;
    st = draw && rule->fill_draw ? rule->fill_draw(self_of(f, l), &l->layer, step, draw, f->w, f->v)
                                 : rule->fill_feedback(self_of(f, l), &l->layer, step, f->w, f->v);
    if (st != BIOFT_OK)
        return layer_error(f, l, st, err);
    return model_write(f->model, BIOFT_FEEDBACK, l->weight, f->v, err);
}

bioft_status feedback_redraw(struct feedback *f, uint64_t step, uint64_t draw, struct error *err)
{
    bioft_status st = BIOFT_OK;
    for (uint32_t i = 0; st == BIOFT_OK && i < f->layer_count; i++) {
        const struct layer_rule *l = &f->layers[i];
        const bool redrawn = is_redrawn(f, l);
        if (rule_of(f, l)->fill_feedback)
            st = fill(f, l, step, draw, err);
        else if (redrawn || !f->declared_once) /* the rest follows W by itself */
            st = model_feedback(f->model, i, is_w(&l->declared) ? NULL : &l->declared,
                                redrawn ? draw << 40 | f->rank << 34 | step : 0, err);
    }
    if (st == BIOFT_OK)
        f->declared_once = true;
    return st;
}

bioft_status feedback_rank(struct feedback *f, uint32_t rank, struct error *err)
{
    enum { MOST = 63 };
    f->rank = rank < MOST ? rank : MOST;
    return rank > 0 ? feedback_refresh(f, 0, err) : BIOFT_OK;
}

bioft_status feedback_refresh(struct feedback *f, uint64_t step, struct error *err)
{
    return feedback_redraw(f, step, 0, err);
}

bioft_status feedback_step_end(struct feedback *f, uint64_t step, struct error *err)
{
    for (size_t r = 0; r < f->count; r++) {
        struct instance *i = f->instances[r];
        bioft_status st = i->plugin->api.rule.step_end ? i->plugin->api.rule.step_end(i->self, step) : BIOFT_OK;
        if (st != BIOFT_OK)
            return instance_error(i, st, err);
    }
    return BIOFT_OK;
}

bool feedback_is_random(const struct feedback *f)
{
    for (uint32_t i = 0; i < f->layer_count; i++)
        if (is_redrawn(f, &f->layers[i]) || rule_of(f, &f->layers[i])->fill_draw)
            return true;
    return false;
}

bool feedback_is_exact(const struct feedback *f)
{
    for (uint32_t i = 0; i < f->layer_count; i++) {
        const struct layer_rule *l = &f->layers[i];
        if (rule_of(f, l)->fill_feedback || !is_w(&l->declared) || (l->route.reads | l->route.writes) != 0)
            return false;
    }
    return true;
}

size_t feedback_count(const struct feedback *f) { return f->count; }

struct instance *feedback_instance(const struct feedback *f, size_t index) { return f->instances[index]; }
