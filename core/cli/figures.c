/* A trial's figures: made where no file has them yet, in the manifest's order. */
#include "cli/figures.h"

#include "attack/check.h"
#include "eval/evaluate.h"
#include <stdlib.h>
#include <string.h>

static const char *gradient_word(enum gradient_kind g) { return g == GRADIENT_RULE ? "rule" : "exact"; }

static bioft_status keep(struct trial_run *r, const struct figure *f, struct error *err)
{
    if (!mem_grow(&r->figures, &r->figure_capacity, r->figure_count + 1, sizeof *r->figures))
        return error_memory(err, "figures");
    r->figures[r->figure_count++] = *f;
    return BIOFT_OK;
}

/* What a figure of this stage is, without its numbers. */
static bioft_status describe(struct trial_run *r, size_t stage, const char *split_name, const struct split **ret_split,
                             struct figure *ret, struct error *err)
{
    const struct trial *t = r->trial;
    const struct dataset *d = r->data[stage];
    const struct split *s;
    bioft_status st = dataset_need(d, split_name, &s, err);
    if (st != BIOFT_OK)
        return st;
    const char *protocol = arena_printf(r->arena, "%s/%s", d->protocol, s->fingerprint);
    if (!protocol)
        return error_memory(err, "a figure");
    *ret = (struct figure){
        .dataset = d->name, .protocol = protocol, .rule = stage < t->stage_count ? t->stages[stage].rule_name : "",
        .stage = stage < t->stage_count ? t->stages[stage].name : "weights", .split = s->name, .metric = "accuracy",
        .attack = "", .options = "", .gradient = "", .norm = "", .left_out = s->left_out, .warnings = "",
    };
    *ret_split = s;
    return BIOFT_OK;
}

static struct attack_target target_of(struct trial_run *r, size_t stage, const struct split *s)
{
    return (struct attack_target){
        .model = r->network.model, .feedback = r->feedback,
        .step = r->step, .dataset = r->data[stage], .split = s, .picture = r->network.picture, .pool = r->pool,
        .log = &r->console->log, .stop = r->stop, .seed = r->trial->seed,
    };
}

bioft_status figures_have_clean(struct trial_run *r, size_t stage, bool *ret, struct error *err)
{
    const struct split *s;
    struct figure wanted, found;
    bioft_status st = describe(r, stage, "test", &s, &wanted, err);
    return st == BIOFT_OK ? figure_load(r->folder, &wanted, r->arena, &found, ret, err) : st;
}

bioft_status figures_clean(struct trial_run *r, size_t stage, struct error *err)
{
    const struct split *s;
    struct figure f;
    bool found;

    bioft_status st = describe(r, stage, "test", &s, &f, err);
    if (st == BIOFT_OK)
        st = figure_load(r->folder, &f, r->arena, &f, &found, err);
    if (st == BIOFT_OK && !found) {
        const struct attack_target target = target_of(r, stage, s);
        struct prediction *p = arena_array(r->arena, s->count, sizeof *p);
        st = p ? evaluate_clean(&target, NULL, 0, 0, p, err) : error_memory(err, "predictions");
        if (st == BIOFT_OK) {
            figure_accuracy(&f, p, s->count);
            st = figure_save(r->folder, &r->label, &f, err);
        }
    }
    return st == BIOFT_OK ? keep(r, &f, err) : st;
}

/* An attack entry at work: the figures of both gradients over its grid. */
struct entry {
    const struct attack_spec *spec;
    const struct split *split;
    uint64_t *positions, count;
    struct figure *figures[2];                     /* [gradient_count][epsilon_count] */
    bool *found[2];
};

static bioft_status find_figures(struct trial_run *r, size_t stage, struct entry *e, struct error *err)
{
    const struct attack_spec *s = e->spec;
    struct figure common;
    bioft_status st = describe(r, stage, s->split, &e->split, &common, err);

    for (size_t g = 0; st == BIOFT_OK && g < s->gradient_count; g++) {
        e->figures[g] = arena_array(r->arena, s->epsilon_count, sizeof **e->figures);
        e->found[g] = arena_array(r->arena, s->epsilon_count, sizeof **e->found);
        if (!e->figures[g] || !e->found[g])
            return error_memory(err, "figures");
        for (size_t i = 0; st == BIOFT_OK && i < s->epsilon_count; i++) {
            struct figure *f = &e->figures[g][i];
            *f = common;
            f->attacked = true;
            f->attack = s->name;
            f->options = s->options;
            f->gradient = gradient_word(s->gradients[g]);
            f->norm = norm_name(s->choice.plugin->api.attack.norm);
            f->epsilon = s->epsilon[i];
            st = figure_load(r->folder, f, r->arena, f, &e->found[g][i], err);
        }
    }
    return st;
}

/* Where the rule's backward pass is the true gradient, the figures of the other gradient are the same ones. */
static bool take_over(struct trial_run *r, struct entry *e, size_t g, size_t i)
{
    const size_t other = 1 - g;
    if (e->spec->gradient_count < 2 || !e->found[other][i] || (r->feedback && !feedback_is_exact(r->feedback)))
        return false;
    struct figure f = e->figures[other][i];
    f.gradient = gradient_word(e->spec->gradients[g]);
    e->figures[g][i] = f;
    return true;
}

static bioft_status make_figures(struct trial_run *r, size_t stage, struct entry *e, size_t g, struct error *err)
{
    const struct attack_spec *s = e->spec;
    const struct attack_target target = target_of(r, stage, e->split);
    struct prediction **p = arena_array(r->arena, s->epsilon_count, sizeof(struct prediction *));
    char *dumps = arena_printf(r->arena, "%s/adversarial", r->folder);
    bool missing = false;
    bioft_status st = p && dumps ? BIOFT_OK : error_memory(err, "predictions");

    for (size_t i = 0; st == BIOFT_OK && i < s->epsilon_count; i++) {
        if (e->found[g][i])
            continue;
        if (take_over(r, e, g, i)) {
            st = figure_save(r->folder, &r->label, &e->figures[g][i], err);
            e->found[g][i] = true;
            continue;
        }
        missing = true;
        p[i] = arena_array(r->arena, e->count, sizeof **p);
        if (!p[i])
            st = error_memory(err, "predictions");
    }
    if (st != BIOFT_OK || !missing)
        return st;
    log_write(&r->console->log, LOG_INFO, "%s: %s%s%s, gradient %s, %llu images, %zu epsilons", r->trial->id, s->name,
              *s->options ? " " : "", s->options, gradient_word(s->gradients[g]), (unsigned long long)e->count,
              s->epsilon_count);
    st = evaluate_attack(&target, s, s->gradients[g], e->positions, e->count, p, dumps, err);
    for (size_t i = 0; st == BIOFT_OK && i < s->epsilon_count; i++) {
        if (!p[i])
            continue;
        figure_accuracy(&e->figures[g][i], p[i], e->count);
        st = figure_save(r->folder, &r->label, &e->figures[g][i], err);
        e->found[g][i] = true;
    }
    return st;
}

bioft_status figures_attacks(struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    const size_t stage = t->stage_count ? t->stage_count - 1 : 0;
    bioft_status st = BIOFT_OK;

    for (size_t a = 0; st == BIOFT_OK && a < t->attack_count; a++) {
        struct entry e = { .spec = &t->attacks[a] };
        st = find_figures(r, stage, &e, err);
        if (st == BIOFT_OK)
            st = dataset_choose(r->data[stage], e.split, e.spec->samples, &e.positions, &e.count, err);
        for (size_t g = 0; st == BIOFT_OK && g < e.spec->gradient_count; g++)
            st = make_figures(r, stage, &e, g, err);
        for (size_t g = 0; st == BIOFT_OK && g < e.spec->gradient_count; g++)
            for (size_t i = 0; st == BIOFT_OK && i < e.spec->epsilon_count; i++)
                st = keep(r, &e.figures[g][i], err);
        free(e.positions);
    }
    return st;
}
