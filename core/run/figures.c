/* A trial's figures: made where no file has them yet, in the manifest's order. Those of one
 * evaluation, one a metric, stand beside each other. */
#include "run/figures.h"

#include "attack/check.h"
#include "base/file.h"
#include "base/sha256.h"
#include "run/entry.h"
#include "run/found.h"
#include "run/identity.h"
#include "run/process.h"
#include "run/retrieval_files.h"
#include "run/surrogate.h"
#include "eval/evaluate.h"
#include "eval/gradients.h"
#include "data/choose.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ENCODE_BATCH = 200 };

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
    const bool trained = stage < t->stage_count;
    const struct split *s;
    bioft_status st = dataset_need(d, split_name, &s, err);
    if (st != BIOFT_OK)
        return st;
    /* What is left out of a database changes what a query finds in it. */
    const struct split *database = trial_head(t, stage)->bits > 0 ? dataset_split(d, "database") : NULL;
    const char *protocol = arena_printf(r->arena, "%s/%s%s%s", d->protocol, s->identity, database ? "+" : "",
                                        database ? database->identity : "");
    const char *network = trial_network_key(r, stage);
    if (!protocol || !network)
        return error_memory(err, "a figure");
    *ret = (struct figure){
        .dataset = d->name,
        .protocol = protocol,
        .rule = trained ? t->stages[stage].rule_name : "",
        .stage = trained ? t->stages[stage].name : "weights",
        .split = s->name,
        .attack = "",
        .options = "",
        .gradient = "",
        .norm = "",
        .left_out = s->left_out,
        .warnings = "",
        .target = "",
        .from = "",
        .network = network,
    };
    identity_counts(r, stage, ret);
    *ret_split = s;
    return BIOFT_OK;
}

/* The network of a stage as evaluation and attacks take it; before there is a model, what is known
 * of it. */
static bioft_status target_of(struct trial_run *r, size_t stage, const struct split *s, struct trained *ret,
                              struct error *err)
{
    const struct trial *t = r->trial;
    const bool codes = trial_head(t, stage)->bits > 0;
    const struct encode_params p = {
        .model = r->network.model,
        .dataset = r->data[stage],
        .image = r->network.image,
        .pool = r->pool,
        .precision = t->precision,
        .stop = r->stop,
        .batch_size = ENCODE_BATCH,
    };
    bioft_status st = BIOFT_OK;

    if (codes && p.model && !r->codebook)
        st = codebook_create(&p, &r->codebook, err);
    if (st != BIOFT_OK)
        return st;
    *ret = (struct trained){
        .model = r->network.model,
        .feedback = r->feedback,
        .step = r->step,
        .precision = t->precision,
        .dataset = r->data[stage],
        .split = s,
        .image = r->network.image,
        .pool = r->pool,
        .log = r->log,
        .stop = r->stop,
        .seed = t->seed,
        .codebook = codes ? r->codebook : NULL,
        .k = codes ? t->k : NULL,
        .k_count = codes ? t->k_count : 0,
    };
    return BIOFT_OK;
}

/* One evaluation's figures, a metric each, that differ from `common` in it. */
static bioft_status spread(struct trial_run *r, size_t stage, const char *attack_key, const struct trained *t,
                           const struct figure *common, struct figure *ret, struct error *err)
{
    for (size_t m = 0; m < evaluate_metrics(t); m++) {
        ret[m] = *common;
        ret[m].metric = evaluate_metric(t, m, r->arena);
        ret[m].identity = ret[m].metric ? identity_of(r, stage, &ret[m], attack_key) : NULL;
        if (!ret[m].identity)
            return error_memory(err, "a figure");
    }
    return BIOFT_OK;
}

/* Room for n predictions of each metric; of attacked images with a record that they share. */
static bioft_status make_room(struct trial_run *r, size_t metrics, uint64_t n, bool attacked, struct prediction **ret,
                              struct error *err)
{
    struct attack_record *records = attacked ? arena_array(r->arena, n, sizeof *records) : NULL;

    if (attacked && !records)
        return error_memory(err, "predictions");
    for (size_t m = 0; m < metrics; m++) {
        if (!(ret[m] = arena_array(r->arena, n, sizeof **ret)))
            return error_memory(err, "predictions");
        for (uint64_t i = 0; attacked && i < n; i++)
            ret[m][i].attack = &records[i];
    }
    return BIOFT_OK;
}

static bioft_status fill_and_save(struct trial_run *r, size_t metrics, struct prediction **p, uint64_t n,
                                  struct figure *f, struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (size_t m = 0; st == BIOFT_OK && m < metrics; m++)
        st = figure_fill(&f[m], p[m], n, err);
    return st == BIOFT_OK ? figure_save(r->folder, &r->label, f, metrics, err) : st;
}

/* The codes behind a stage's clean figures, for anybody to score again. */
static bioft_status write_codes(struct trial_run *r, const struct figure *f, struct error *err)
{
    const char *const splits[] = { f->split, "database" };
    const char *folder = arena_printf(r->arena, "%s/codes", r->folder);
    const struct codes *codes[2];
    bioft_status st = folder ? file_make_folder(folder, err) : error_memory(err, "a path");

    for (int i = 0; st == BIOFT_OK && i < 2; i++)
        st = codebook_get(r->codebook, splits[i], &codes[i], err);
    const bool sets = st == BIOFT_OK && (retrieval_has_sets(codes[0]) || retrieval_has_sets(codes[1]));
    for (int i = 0; st == BIOFT_OK && i < 2; i++) {
        const char *path = arena_printf(r->arena, "%s/%s.%s", folder, f->stage, splits[i]);
        st = path ? retrieval_write(path, codes[i], sets, err) : error_memory(err, "a path");
    }
    return st;
}

/* The clean figures of a stage as far as a file has them: all or none. */
static bioft_status find_clean(struct trial_run *r, size_t stage, struct trained *ret_target, struct figure **ret,
                               bool *ret_found, struct error *err)
{
    const struct split *s;
    struct figure common;
    bioft_status st = describe(r, stage, "test", &s, &common, err);

    if (st == BIOFT_OK)
        st = target_of(r, stage, s, ret_target, err);
    if (st != BIOFT_OK)
        return st;
    const size_t metrics = evaluate_metrics(ret_target);
    *ret = arena_array(r->arena, metrics, sizeof **ret);
    st = *ret ? spread(r, stage, "", ret_target, &common, *ret, err) : error_memory(err, "figures");
    if (st != BIOFT_OK)
        return st;
    st = found_read(r, metrics, *ret, ret_found, err);
    for (size_t m = 0; st == BIOFT_OK && *ret_found && m < metrics; m++)
        st = found_samples(r, &(*ret)[m], s, NULL, s->count, err);
    return st;
}

bioft_status figures_have_clean(struct trial_run *r, size_t stage, bool *ret, struct error *err)
{
    struct trained target;
    struct figure *f;
    return find_clean(r, stage, &target, &f, ret, err);
}

bioft_status figures_clean(struct trial_run *r, size_t stage, struct error *err)
{
    struct trained target;
    struct figure *f;
    bool found;
    bioft_status st = find_clean(r, stage, &target, &f, &found, err);

    if (st != BIOFT_OK)
        return st;
    const size_t metrics = evaluate_metrics(&target);
    if (!found) {
        struct prediction **p = arena_array(r->arena, metrics, sizeof(struct prediction *));
        status_activity(r->status, "%s: clean", f->stage);
        st = p ? make_room(r, metrics, target.split->count, false, p, err) : error_memory(err, "predictions");
        if (st == BIOFT_OK)
            st = evaluate_clean(&target, NULL, 0, p, err);
        if (st == BIOFT_OK && target.codebook)
            st = write_codes(r, f, err);
        if (st == BIOFT_OK)
            st = fill_and_save(r, metrics, p, target.split->count, f, err);
        if (st == BIOFT_OK)
            st = process_did(r->process, err, "measured stage '%s'", f->stage);
    }
    for (size_t m = 0; st == BIOFT_OK && m < metrics; m++)
        st = keep(r, &f[m], err);
    return st;
}

/* The networks that an attack's figures are of: the trial's own, then those that its images are made on; of the images that
 * attacks before left, theirs too. */
static bioft_status name_networks(struct trial_run *r, const struct attack_spec *s, struct surrogate *surrogate,
                                  struct figure *f, struct error *err)
{
    struct text others = { 0 };
    char sum[SHA256_HEX];
    size_t count = 0;
    bioft_status st = BIOFT_OK;

    for (const struct attack_spec *a = s->survivors ? r->trial->attacks : s; st == BIOFT_OK && a <= s; a++) {
        const char *key;
        if (!surrogate_is_other(r, a))
            continue;
        st = surrogate_key(surrogate, r, a->surrogate, &key, err);
        if (st == BIOFT_OK)
            text_add(&others, key);
        count++;
    }
    if (st == BIOFT_OK && count > 1 && !others.failed)
        sha256_bytes(others.data, others.length, sum);
    if (st == BIOFT_OK && count > 0)
        f->network = others.failed ? NULL
                                   : arena_printf(r->arena, "%s+%.16s", f->network, count > 1 ? sum : others.data);
    text_free(&others);
    return st != BIOFT_OK || f->network ? st : error_memory(err, "a figure");
}

static bioft_status find_figures(struct trial_run *r, size_t stage, struct entry *e, struct surrogate *surrogate,
                                 struct error *err)
{
    const struct attack_spec *s = e->spec;
    const struct split *split;
    struct figure common;
    bioft_status st = describe(r, stage, s->split, &split, &common, err);

    if (st == BIOFT_OK)
        st = target_of(r, stage, split, &e->target, err);
    if (st == BIOFT_OK)
        st = name_networks(r, s, surrogate, &common, err);
    if (st != BIOFT_OK)
        return st;
    e->metrics = evaluate_metrics(&e->target);
    common.attacked = true;
    common.attack = s->name;
    common.options = s->options;
    common.target = entry_target_word(r, s);
    if (!common.target)
        return error_memory(err, "figures");
    common.from = surrogate_is_other(r, s) ? s->from->text : "";
    common.norm = norm_name(s->norm);
    common.nearest = s->choice.plugin->api.attack.flags & BIOFT_ATTACK_MINIMUM;
    for (size_t g = 0; st == BIOFT_OK && g < s->gradient_count; g++) {
        e->figures[g] = arena_array(r->arena, s->epsilon_count * e->metrics, sizeof **e->figures);
        e->found[g] = arena_array(r->arena, s->epsilon_count, sizeof **e->found);
        if (!e->figures[g] || !e->found[g])
            return error_memory(err, "figures");
        common.gradient = gradient_word(s->gradients[g]);
        common.indicators = (struct indicators){
            .cosine = (double)NAN, .signs = (double)NAN, .differs = (double)NAN, .draws = ""
        };
        for (size_t i = 0; st == BIOFT_OK && i < s->epsilon_count; i++) {
            struct figure *f = &e->figures[g][i * e->metrics];
            common.epsilon = s->epsilon[i];
            st = spread(r, stage, s->key, &e->target, &common, f, err);
            if (st == BIOFT_OK)
                st = found_read(r, e->metrics, f, &e->found[g][i], err);
        }
    }
    return st;
}

static bool take_over(struct trial_run *r, struct entry *e, size_t g, size_t i)
{
    const size_t other = entry_twin(r, e, g);
    if (other == g || !e->found[other][i])
        return false;
    for (size_t m = i * e->metrics; m < (i + 1) * e->metrics; m++) {
        const char *identity = e->figures[g][m].identity;
        e->figures[g][m] = e->figures[other][m];
        e->figures[g][m].gradient = gradient_word(e->spec->gradients[g]);
        e->figures[g][m].identity = identity;
    }
    return true;
}

/* Takes over what stands for both gradients. */
static bioft_status take_over_all(struct trial_run *r, struct entry *e, struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (size_t g = 0; st == BIOFT_OK && g < e->spec->gradient_count; g++)
        for (size_t i = 0; st == BIOFT_OK && i < e->spec->epsilon_count; i++) {
            if (e->found[g][i] || !take_over(r, e, g, i))
                continue;
            st = figure_save(r->folder, &r->label, &e->figures[g][i * e->metrics], e->metrics, err);
            e->found[g][i] = true;
        }
    return st;
}

/* Room for the predictions of what is missing, and of one gradient only where two are the same;
 * *ret_gradients: whose, in words. */
static bioft_status want(struct trial_run *r, const struct entry *e, struct prediction **ret,
                         const char **ret_gradients, struct error *err)
{
    const struct attack_spec *s = e->spec;
    bool wanted[GRADIENT_KINDS] = { false };
    size_t count = 0;
    bioft_status st = BIOFT_OK;

    for (size_t g = 0; st == BIOFT_OK && g < s->gradient_count; g++)
        for (size_t i = 0; st == BIOFT_OK && i < s->epsilon_count; i++) {
            if (e->found[g][i] || entry_twin(r, e, g) < g)
                continue;
            wanted[g] = true;
            st = make_room(r, e->metrics, e->count, true, ret + (g * s->epsilon_count + i) * e->metrics, err);
        }
    *ret_gradients = NULL;
    for (size_t g = 0; g < s->gradient_count; g++) {
        const char *title = gradient_title(gradient_word(s->gradients[g]));
        if (wanted[g])
            *ret_gradients = count++ ? arena_printf(r->arena, "%s and %s", *ret_gradients, title) : title;
    }
    return st == BIOFT_OK && count && !*ret_gradients ? error_memory(err, "an attack's gradients") : st;
}

static bool draws_at_random(const struct trial_run *r, const struct entry *e, size_t g)
{
    return e->spec->gradients[g] == GRADIENT_RULE && r->feedback && feedback_is_random(r->feedback) &&
           e->spec->choice.plugin->api.attack.flags & BIOFT_ATTACK_GRADIENT;
}

/* What the attack's gradient is, once an entry: it is of the network alone. */
static bioft_status measure_gradients(struct trial_run *r, struct entry *e, struct error *err)
{
    const struct attack_spec *s = e->spec;

    e->gradients = (struct gradients_found){ .cosine = (double)NAN, .signs = (double)NAN, .differs = (double)NAN };
    for (size_t g = 0; g < s->gradient_count; g++)
        if (draws_at_random(r, e, g) && !s->eot)
            log_write(r->log, LOG_INFO,
                      "%s: the rule redraws V in each update; %s follows one draw, the last, as if "
                      "it were fixed. 'eot: 20' makes each gradient the mean over 20 draws",
                      r->trial->id, s->name);
    if (!(s->choice.plugin->api.attack.flags & BIOFT_ATTACK_GRADIENT) || surrogate_is_other(r, s))
        return BIOFT_OK;
    return entry_recall_gradients(r, e, &e->gradients)
               ? BIOFT_OK
               : gradients_compare(&e->target, e->positions, e->count, &e->gradients, err);
}

static void describe_gradient(struct trial_run *r, const struct entry *e, size_t g, bool redrawn, struct figure *f)
{
    const bool rule = e->spec->gradients[g] == GRADIENT_RULE, exact = e->spec->gradients[g] == GRADIENT_EXACT;
    const bool same = !r->feedback || feedback_is_exact(r->feedback);

    for (size_t m = 0; m < e->metrics; m++) {
        struct indicators *i = &f[m].indicators;
        if (f[m].epsilon <= 0.0 || *f[m].from)
            continue;
        if (draws_at_random(r, e, g))
            i->draws = e->spec->eot ? arena_printf(r->arena, "%u", e->spec->eot) : redrawn ? "own" : "frozen";
        i->cosine = rule ? e->gradients.cosine : (double)NAN;
        i->signs = rule ? e->gradients.signs : (double)NAN;
        i->differs = exact || (rule && same) ? e->gradients.differs : (double)NAN;
    }
}

static bioft_status make_figures(struct trial_run *r, struct entry *e, struct surrogate *surrogate, struct error *err)
{
    const struct attack_spec *s = e->spec;
    const size_t cells = s->gradient_count * s->epsilon_count;
    struct prediction **p = arena_array(r->arena, cells * e->metrics, sizeof(struct prediction *));
    char *dumps = arena_printf(r->arena, "%s/adversarial", r->folder);
    const char *gradients = NULL;
    bioft_status st = p && dumps ? take_over_all(r, e, err) : error_memory(err, "predictions");

    if (st == BIOFT_OK)
        st = want(r, e, p, &gradients, err);
    if (st != BIOFT_OK || !gradients)
        return st;
    log_write(r->log, LOG_INFO, "%s: %s%s%s, gradient %s, %llu images, %zu epsilons", r->trial->id, s->name,
              *s->options ? " " : "", s->options, gradients, (unsigned long long)e->count, s->epsilon_count);
    status_activity(r->status, "%s%s%s, gradient %s", s->name, *s->options ? " " : "", s->options, gradients);
    const bool *const *leave = NULL;
    const struct trained *maker = NULL;
    bool redrawn = false;
    if (e->broken)
        st = entry_masks(r, e, &leave, err);
    if (st == BIOFT_OK)
        st = measure_gradients(r, e, err);
    if (st == BIOFT_OK && s->surrogate)
        st = surrogate_open(surrogate, r, s->surrogate, &e->target, &maker, err);
    if (st == BIOFT_OK)
        st = evaluate_attack(&(struct evaluate_params){ .target = &e->target,
                                                        .maker = maker,
                                                        .spec = s,
                                                        .positions = e->positions,
                                                        .count = e->count,
                                                        .leave = leave,
                                                        .dump_folder = dumps },
                             p, &redrawn, err);
    for (size_t i = 0; st == BIOFT_OK && i < cells; i++) {
        const size_t g = i / s->epsilon_count, k = i % s->epsilon_count;
        if (!p[i * e->metrics])
            continue;
        if (e->broken)
            entry_take_broken(e, i, p[i * e->metrics]);
        describe_gradient(r, e, g, redrawn, &e->figures[g][k * e->metrics]);
        st = fill_and_save(r, e->metrics, p + i * e->metrics, e->count, &e->figures[g][k * e->metrics], err);
        e->found[g][k] = true;
    }
    if (st == BIOFT_OK)
        st = process_did(r->process, err, "attacked by %s%s%s, gradient %s", s->name, *s->options ? " " : "",
                         s->options, gradients);
    return st == BIOFT_OK ? take_over_all(r, e, err) : st;
}

bioft_status figures_attacks(struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    const size_t stage = t->stage_count ? t->stage_count - 1 : 0;
    struct surrogate surrogate = { 0 };
    bioft_status st = BIOFT_OK;

    for (size_t a = 0; st == BIOFT_OK && a < t->attack_count; a++) {
        struct entry e = { .spec = &t->attacks[a] };
        st = find_figures(r, stage, &e, &surrogate, err);
        if (st == BIOFT_OK)
            st = dataset_choose(r->data[stage], e.target.split, e.spec->samples, &e.positions, &e.count, err);
        if (st == BIOFT_OK)
            entry_leave_targets_out(&e);
        if (st == BIOFT_OK && e.count == 0)
            st = error_set(err, BIOFT_ERR_INVALID, "attack '%s': no image is left to attack", e.spec->name);
        if (st == BIOFT_OK)
            st = found_entry(r, &e, err);
        if (st == BIOFT_OK)
            st = entry_find_broken(r, &e, err);
        if (st == BIOFT_OK)
            st = make_figures(r, &e, &surrogate, err);
        for (size_t g = 0; st == BIOFT_OK && g < e.spec->gradient_count; g++)
            for (size_t i = 0; st == BIOFT_OK && i < e.spec->epsilon_count * e.metrics; i++)
                st = keep(r, &e.figures[g][i], err);
        free(e.positions);
    }
    surrogate_close(&surrogate);
    return st;
}
