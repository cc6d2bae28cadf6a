/* Everything that can be known of a run before it trains. */
#include "run/rehearse.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/files.h"
#include "data/fit.h"
#include "fetch/hint.h"
#include "plugin/guard.h"
#include "run/attack_fits.h"
#include "train/checkpoint.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ERRORS = 50 };

/* Says each thing once: trials have most of a manifest in common. word: "error", "warning". */
static void say(struct rehearsal *h, struct mark mark, const char *word, const char *text)
{
    struct text t = { 0 };

    if (mark.source > 0)
        text_printf(&t, "--set: %s: %s\n", word, text);
    else if (mark.line > 0)
        text_printf(&t, "%s:%u:%u: %s: %s\n", h->path, mark.line, mark.column, word, text);
    else
        text_printf(&t, "%s: %s: %s\n", h->path, word, text);
    h->failed = h->failed || t.failed;
    if (t.data && !(h->faults.data && strstr(h->faults.data, t.data))) {
        text_add(&h->faults, t.data);
        h->errors += strcmp(word, "error") == 0;
    }
    text_free(&t);
}

static void fault(struct rehearsal *h, struct mark mark, const struct error *err)
{
    h->io = h->io || err->status == BIOFT_ERR_IO || err->status == BIOFT_ERR_MEMORY;
    h->data = h->data || err->status == BIOFT_ERR_FORMAT;
    say(h, mark, "error", err->text);
}

__attribute__((format(printf, 4, 5))) static void remark(struct rehearsal *h, struct mark mark, const char *word,
                                                         const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(h, mark, word, text);
}

struct first { /* a plugin whose first instance is tried */
    struct choice choice;
    const struct dataset_spec *dataset; /* where it is one */
    uint64_t seed;
};
struct firsts {
    struct rehearsal *h;
    struct first *items;
    size_t count, capacity;
    bool failed; /* out of memory */
};

static void add_first(struct firsts *f, const struct choice *choice, const struct dataset_spec *dataset, uint64_t seed)
{
    if (!choice->plugin)
        return;
    for (size_t i = 0; i < f->count; i++)
        if (choice_same(&f->items[i].choice, choice))
            return;
    if (mem_grow(&f->items, &f->capacity, f->count + 1, sizeof *f->items))
        f->items[f->count++] = (struct first){ *choice, dataset, seed };
    else
        f->failed = true;
}

static void add_trial(struct firsts *f, const struct trial *t)
{
    add_first(f, &(struct choice){ .plugin = t->engine, .values = t->engine_values }, NULL, t->seed);
    if (t->dataset)
        add_first(f, &t->dataset->choice, t->dataset, t->dataset->split_seed);
    add_first(f, &t->backbone, NULL, t->seed);
    for (size_t i = 0; i < t->stage_count; i++) {
        const struct stage_spec *s = &t->stages[i];
        add_first(f, &s->dataset->choice, s->dataset, s->dataset->split_seed);
        for (size_t k = 0; k < s->rule_count; k++)
            add_first(f, &s->rules[k].choice, NULL, t->seed);
        add_first(f, &s->loss, NULL, t->seed);
    }
    for (size_t i = 0; i < t->attack_count; i++)
        add_first(f, &t->attacks[i].choice, NULL, t->seed);
}

/* guard.call: in the child. What an instance says of itself is told again, with more, by the trial that uses it. */
static bioft_status make_first(void *ctx, size_t item, struct error *err)
{
    const struct first *f = &((struct firsts *)ctx)->items[item];
    struct instance *instance = NULL;
    struct files *files = NULL;
    struct extension extension;
    struct instance_params p = { .plugin = f->choice.plugin,
                                 .values = f->choice.values,
                                 .seed = f->seed,
                                 .trainables = f->choice.plugin->descriptor.kind == BIOFT_KIND_LOSS };
    struct graph *graph = NULL;
    bioft_status st = BIOFT_OK;

    if (f->dataset) {
        st = files_create(f->dataset->root, f->dataset->protocol, f->seed, &files, err);
        extension = st == BIOFT_OK ? files_extension(files) : (struct extension){ 0 };
        p.extensions = &extension;
        p.extension_count = 1;
    }
    if (st == BIOFT_OK)
        st = instance_create(&p, &instance, err);
    if (st == BIOFT_OK && f->choice.plugin->descriptor.kind == BIOFT_KIND_BACKBONE)
        st = graph_build(&(struct graph_params){ .backbone = instance }, &graph, err);
    if (files)
        st = files_check(files, st, err);
    graph_destroy(graph);
    instance_destroy(instance);
    files_destroy(files);
    return st;
}

/* Data that is not there may be fetched. */
static void add_hint(const struct experiment *e, const struct dataset_spec *d, struct error *err)
{
    char *hint = hint_data(e->registry, d->choice.plugin->descriptor.name, d->root);
    struct text t = { 0 };

    text_printf(&t, "%s; %s", err->text, hint ? hint : "");
    if (hint && !t.failed)
        error_set(err, err->status, "%s", t.data);
    text_free(&t);
    free(hint);
}

/* guard.seconds: an engine may open a library of a gigabyte from a slow disk. */
static int first_seconds(void *ctx, size_t item)
{
    const struct first *f = &((struct firsts *)ctx)->items[item];
    return f->choice.plugin->descriptor.kind == BIOFT_KIND_ENGINE ? 120 : 10;
}

static void first_failed(void *ctx, size_t item, bool returned, bioft_status status, const char *why)
{
    struct firsts *f = ctx;
    const struct choice *c = &f->items[item].choice;
    const bioft_plugin *d = &c->plugin->descriptor;
    struct error err;

    if (!returned)
        error_set(&err, BIOFT_ERR_INVALID, "%s '%s': %s: it %s while its first instance was made", kind_word(d->kind),
                  d->name, c->plugin->path, why);
    else if (status == BIOFT_ERR_UNSUPPORTED)
        return; /* a first instance has no engine: the trial that uses it has */
    else
        error_set(&err, status, "%s", why);
    if (returned && f->items[item].dataset)
        add_hint(f->h->experiment, f->items[item].dataset, &err);
    fault(f->h, c->mark, &err);
}

static bioft_status try_firsts(struct firsts *f, struct error *err)
{
    bioft_status st = f->failed ? error_memory(err, "the plugins of a manifest") : BIOFT_OK;
    if (st == BIOFT_OK)
        st = guard_run(
            &(struct guard){
                .count = f->count, .call = make_first, .failed = first_failed, .seconds = first_seconds, .ctx = f },
            err);
    free(f->items);
    return st;
}

bioft_status rehearse_plugins(struct rehearsal *h, struct error *err)
{
    struct firsts f = { .h = h };
    for (size_t i = 0; i < h->experiment->trial_count; i++)
        add_trial(&f, &h->experiment->trials[i]);
    return try_firsts(&f, err);
}

static bool passes(bioft_status st) { return st != BIOFT_ERR_MEMORY && st != BIOFT_ERR_CANCELLED; }

/* What a stage asks of its data beyond what training refuses. */
static void check_batch(struct rehearsal *h, const struct stage_spec *s, const struct split *train)
{
    const bool trains = s->steps > 0 || s->epochs > 0.0;
    if (trains && s->batch_size > train->count)
        remark(h, s->mark, "warning",
               "stage '%s': batch_size is %u, and the training split has %llu images: each step "
               "has all of them",
               s->name, s->batch_size, (unsigned long long)train->count);
}

enum told { TOLD_ACCURACY = 1, TOLD_GREY = 2, TOLD_PNG = 4, TOLD_NOTES = 8 };

static bool first_time(struct rehearsal *h, enum told what)
{
    const bool first = !(h->told & (unsigned)what);
    h->told |= (unsigned)what;
    return first;
}

/* What is not wrong, and easily taken for something else. */
static void tell_stage(struct rehearsal *h, const struct trial_run *r, size_t stage)
{
    const struct dataset *d = r->data[stage];

    if (d->multi_label && trial_head(r->trial, stage)->bits == 0 && first_time(h, TOLD_ACCURACY))
        log_write(h->log, LOG_INFO,
                  "dataset '%s' has several labels an image: accuracy is the share of images whose top "
                  "answer is one of their labels",
                  d->name);
    if (d->channels == 1 && r->network.image.channels == 3 && first_time(h, TOLD_GREY))
        log_write(h->log, LOG_INFO, "dataset '%s' has grey images: the network's three channels get the same values",
                  d->name);
}

static bioft_status load_weights(struct rehearsal *h, struct trial_run *r, size_t stage, struct error *err)
{
    const struct weights_spec *weights = trial_weights(r, stage);
    const char *new_head = trial_new_head(r, stage);
    char *said = NULL;

    if (!weights)
        return BIOFT_OK;
    bioft_status st = new_head ? BIOFT_OK : checkpoint_check_classes(weights, r->data[stage], err);
    if (st == BIOFT_OK)
        st = weights_load(weights, r->network.model, new_head, &said, err);
    if (st == BIOFT_OK && h->stage)
        log_write(h->log, LOG_INFO, "%s", said);
    free(said);
    return st;
}

/* What the backbone tells of itself, once in a rehearsal. */
static void tell_notes(struct rehearsal *h, const struct graph *g)
{
    const bool first = g->note_count > 0 && first_time(h, TOLD_NOTES);

    for (size_t i = 0; first && i < g->note_count; i++)
        log_write(h->log, LOG_INFO, "backbone '%s': %s", g->backbone, g->notes[i]);
}

/* The stage's network, as the run will make it, but for its values. */
static bioft_status build(struct rehearsal *h, struct trial_run *r, size_t stage, struct error *err)
{
    const struct trial *t = r->trial;
    const struct stage_spec *s = stage < t->stage_count ? &t->stages[stage] : NULL;
    const bool keep_head = (s && s->head ? s->head : &t->head)->reuse || (s && !s->head);

    bioft_status st = network_create(r->engine, t, r->data[stage], trial_head(t, stage), &r->network, err);
    if (st == BIOFT_OK)
        tell_notes(h, r->network.graph);
    if (st == BIOFT_OK && r->before.model)
        st = network_carry(&r->network, &r->before, keep_head, err);
    if (st == BIOFT_OK)
        st = dataset_fits(r->data[stage], &r->network.image, err);
    return st == BIOFT_OK ? load_weights(h, r, stage, err) : st;
}

static bioft_status rehearse_stage(struct rehearsal *h, struct trial_run *r, size_t stage, struct error *err)
{
    const struct trial *t = r->trial;
    const struct stage_spec *s = &t->stages[stage];
    const struct split *train, *test;
    struct error more;

    bioft_status st = stage_split(s, r->data[stage], &train, err);
    if (st == BIOFT_OK)
        st = build(h, r, stage, err);
    if (st == BIOFT_OK)
        st = stage_check(
            &(struct stage_params){
                .model = r->network.model,
                .dataset = r->data[stage],
                .image = r->network.image,
                .trial = t,
                .stage = s,
                .stage_number = (uint32_t)stage,
                .key = t->stage_key[stage],
                .checkpoint = "checkpoint",
                .pool = r->pool,
            },
            err);
    if (st == BIOFT_OK) {
        check_batch(h, s, train);
        tell_stage(h, r, stage);
    }
    if (dataset_need(r->data[stage], "test", &test, &more) != BIOFT_OK)
        fault(h, s->dataset->mark, &more);
    if (trial_head(t, stage)->bits > 0 && dataset_need(r->data[stage], "database", &test, &more) != BIOFT_OK)
        fault(h, s->dataset->mark, &more);
    return st == BIOFT_OK && h->stage ? h->stage(h->ctx, r, stage, &r->network, train, err) : st;
}

static void rehearse_attack(struct rehearsal *h, struct trial_run *r, const struct attack_spec *a)
{
    const size_t stages = r->trial->stage_count;
    const struct dataset *d = r->data[stages ? stages - 1 : 0];
    const struct split *s;
    struct error err;

    if (dataset_need(d, a->split, &s, &err) != BIOFT_OK) {
        fault(h, a->mark, &err);
        return;
    }
    if (attack_fits(a, d, &err) != BIOFT_OK)
        fault(h, a->mark, &err);
    if (a->samples > s->count)
        remark(h, a->mark, "warning", "attack '%s': samples is %llu, and split '%s' has %llu: these are attacked",
               a->name, (unsigned long long)a->samples, s->name, (unsigned long long)s->count);
    if (a->dump && first_time(h, TOLD_PNG))
        log_write(h->log, LOG_INFO,
                  "attack '%s': adversarial/*.png are rounded to 8 bits, to look at; the images are exact in "
                  "the .npy beside them",
                  a->name);
    if (h->attack)
        h->attack(h->ctx, r, a, s);
}

/* The split that a search chooses by. */
static void check_search(struct rehearsal *h, const struct trial_run *r)
{
    const struct split *val;
    struct error err;

    if (dataset_need(r->data[r->trial->stage_count - 1], "val", &val, &err) == BIOFT_OK && val->count > 0)
        return;
    error_set(&err, BIOFT_ERR_INVALID,
              "'search' chooses on a split 'val', never on 'test', and the data has none: take a share of "
              "the training split with 'split: {val: 0.1}' in the dataset");
    fault(h, h->experiment->search_mark, &err);
}

/* Stages one after the other, each from the network before; behind one that is wrong nothing can be known of those
 * that go on with its network. */
static bioft_status rehearse_stages(struct rehearsal *h, struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    bioft_status st = BIOFT_OK;

    if (t->stage_count == 0 && (st = build(h, r, 0, err)) != BIOFT_OK && passes(st))
        fault(h, t->head.mark, err);
    for (size_t i = 0; passes(st) && i < t->stage_count; i++) {
        st = rehearse_stage(h, r, i, err);
        if (st != BIOFT_OK && passes(st)) {
            error_prefix(err, "stage '%s'", t->stages[i].name);
            fault(h, t->stages[i].mark, err);
        }
        network_destroy(&r->before);
        if (r->network.model)
            r->before = r->network;
        r->network = (struct network){ 0 };
    }
    return passes(st) ? BIOFT_OK : st;
}

bioft_status rehearse_trial(struct rehearsal *h, const struct trial *t, struct error *err)
{
    struct trial_run r = { .experiment = h->experiment,
                           .trial = t,
                           .out = ".",
                           .log = h->log,
                           .shared = h->shared,
                           .engine_log = h->engine_log };

    h->engine_log = NULL;
    bioft_status st = trial_open(&r, err);
    if (st == BIOFT_OK) {
        if (h->trial)
            h->trial(h->ctx, t);
        st = rehearse_stages(h, &r, err);
        if (st == BIOFT_OK && t->searched_count)
            check_search(h, &r);
        for (size_t i = 0; st == BIOFT_OK && i < t->attack_count; i++)
            rehearse_attack(h, &r, &t->attacks[i]);
    } else if (passes(st)) {
        const struct dataset_spec *d = t->dataset ? t->dataset : t->stages[0].dataset;
        add_hint(h->experiment, d, err);
        fault(h, d->mark, err);
        st = BIOFT_OK;
    }
    trial_close(&r);
    return h->failed && st == BIOFT_OK ? error_memory(err, "mistakes") : st;
}

/* Was one rehearsed that differs from this in the seed alone? */
static bool is_known(struct rehearsal *h, const struct trial *t)
{
    char sum[SHA256_HEX];
    const char *seed = strstr(t->resolved, "\nseed:");
    struct text rest = { 0 };

    text_add_n(&rest, t->resolved, seed ? (size_t)(seed - t->resolved) : strlen(t->resolved));
    if (seed)
        text_add(&rest, seed + 1 + strcspn(seed + 1, "\n"));
    sha256_bytes(rest.data ? rest.data : "", rest.length, sum);
    text_free(&rest);
    for (size_t i = 0; i < h->known_count; i++)
        if (memcmp(h->known[i], sum, sizeof sum) == 0)
            return true;
    if (mem_grow(&h->known, &h->known_capacity, h->known_count + 1, sizeof *h->known))
        memcpy(h->known[h->known_count++], sum, sizeof sum);
    return false;
}

bioft_status rehearse(struct rehearsal *h, const struct trial *only, struct error *err)
{
    struct firsts f = { .h = h };
    const struct experiment *e = h->experiment;
    const unsigned available = threads_available();

    if (e->trial_count && e->trials[0].threads > available)
        log_write(h->log, LOG_WARNING, "threads: %u, and this process may use %u processor%s: more is slower",
                  e->trials[0].threads, available, available == 1 ? "" : "s");
    for (size_t i = 0; i < e->trial_count; i++)
        if (!only || only == &e->trials[i])
            add_trial(&f, &e->trials[i]);
    bioft_status st = try_firsts(&f, err);
    const bool usable = h->errors == 0; /* or these plugins would take this process down */
    for (size_t i = 0; st == BIOFT_OK && usable && h->errors < MOST_ERRORS && i < e->trial_count; i++) {
        if ((only && only != &e->trials[i]) || (!h->stage && is_known(h, &e->trials[i])))
            continue;
        shared_data_keep(h->shared, &e->trials[i]);
        st = rehearse_trial(h, &e->trials[i], err);
        for (size_t k = 1; st == BIOFT_OK && k < e->trials[i].candidate_count; k++) {
            struct trial candidate = e->trials[i].candidates[k];
            candidate.attack_count = 0; /* they are for the one that is chosen */
            st = rehearse_trial(h, &candidate, err);
        }
    }
    return st;
}

void rehearsal_finish(struct rehearsal *h)
{
    text_free(&h->faults);
    free(h->known);
}
