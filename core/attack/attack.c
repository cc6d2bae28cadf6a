/* Running an attack: for each batch every epsilon, for each epsilon every restart, each image checked. */
#include "attack/attack.h"

#include "attack/answer.h"
#include "attack/check.h"
#include "attack/attack_private.h"
#include "base/random.h"
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BATCH = 100 };

bioft_status run_failed(struct run *r, struct instance *attack, bioft_status status, struct error *err)
{
    victim_error(r->victim, status, err);
    if (err->status != status)
        instance_error(attack, status, err);
    return error_prefix(err, "attack '%s'", r->p->spec->name);
}

/* Does this network suit this attack? */
static bioft_status check_attack(const struct attack_params *p, struct error *err)
{
    const bioft_attack *a = &p->spec->choice.plugin->api.attack;
    const struct dataset *d = p->target->dataset;
    const bool codes = p->target->codebook != NULL;

    const char *why = attack_unsuited(a, codes);

    if (why)
        return error_set(err, BIOFT_ERR_UNSUPPORTED, "attack '%s' %s", p->spec->name, why);
    if (codes && (p->spec->predicted_labels || p->spec->target == TARGET_LEAST_LIKELY))
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "attack '%s': a network with hash codes "
                         "predicts no class",
                         p->spec->name);
    if (a->flags & BIOFT_ATTACK_CLASSES && d->multi_label)
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "attack '%s' needs exactly one label an image; '%s' has sets of "
                         "labels",
                         p->spec->name, d->name);
    if (a->flags & BIOFT_ATTACK_MINIMUM && codes)
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "attack '%s' seeks the nearest image of another class; this "
                         "network gives hash codes",
                         p->spec->name);
    if (p->spec->target != TARGET_NONE && !(a->flags & BIOFT_ATTACK_TARGETED))
        return error_set(err, BIOFT_ERR_UNSUPPORTED, "attack '%s' takes no target", p->spec->name);
    if (p->spec->target == TARGET_CLASS && p->spec->target_class >= d->classes)
        return error_set(err, BIOFT_ERR_INVALID, "attack '%s': target %u, there are classes 0 to %u", p->spec->name,
                         p->spec->target_class, d->classes - 1);
    return BIOFT_OK;
}

static void run_free(struct run *r)
{
    for (size_t i = 0; r->instances && i < r->restarts * r->p->spec->gradient_count; i++)
        instance_destroy(r->instances[i]);
    free(r->instances);
    victim_destroy(r->victim);
    free(r->adversarial);
    free(r->tried);
    survivors_free(&r->survivors);
    free(r->nearest);
    free(r->found);
    free(r->course);
    free(r->distance);
    free(r->out);
    free(r->label);
    free(r->target);
    free(r->delta_max);
    free(r->delta_mean);
    free(r->left);
    free(r->tried_left);
}

static bool is_wanted(const struct attack_params *p, size_t gradient, size_t epsilon)
{
    return !p->skip || !p->skip[gradient * p->spec->epsilon_count + epsilon];
}

static bool anything_wanted(const struct attack_params *p, size_t gradient)
{
    for (size_t e = 0; e < p->spec->epsilon_count; e++)
        if (is_wanted(p, gradient, e))
            return true;
    return false;
}

/* The first restart has the trial's own numbers; the others those of a seed that no neighbouring trial has. */
static uint64_t restart_seed(uint64_t seed, uint32_t restart)
{
    uint32_t words[2];

    if (restart == 0)
        return seed;
    random_fill(BIOFT_BITS, seed, "restart", restart, 0, words, 2);
    return (uint64_t)words[1] << 32 | words[0];
}

/* The attack's instances for one gradient. */
static bioft_status make_instances(struct run *r, size_t gradient, struct error *err)
{
    const struct attack_spec *s = r->p->spec;
    const bioft_attack *a = &s->choice.plugin->api.attack;
    struct instance **made = r->instances + gradient * r->restarts;
    bioft_status st = BIOFT_OK;

    victim_gradient(r->victim, s->gradients[gradient]);
    for (uint32_t i = 0; st == BIOFT_OK && i < r->restarts; i++) {
        const struct instance_params ip = {
            .plugin = s->choice.plugin,
            .values = s->choice.values,
            .seed = restart_seed(r->p->target->seed, i),
            .pool = r->p->target->pool,
        };
        st = instance_create(&ip, &made[i], err);
        if (st == BIOFT_OK && a->prepare) {
            st = a->prepare(made[i]->self, victim_view(r->victim));
            if (st != BIOFT_OK)
                return run_failed(r, made[i], st, err);
        }
    }
    return st;
}

static bioft_status run_prepare(struct run *r, const struct attack_params *p, struct error *err)
{
    const struct attack_spec *s = p->spec;
    const uint32_t outputs = p->target->model->graph->view.outputs;
    bioft_status st;

    r->restarts = s->restarts ? s->restarts : 1;
    r->batch_size = s->batch_size ? s->batch_size : DEFAULT_BATCH;
    if (r->batch_size > p->count)
        r->batch_size = p->count ? (uint32_t)p->count : 1;
    r->pixels = pixels_count(&p->target->image);
    r->adversarial = mem_aligned(r->pixels * r->batch_size, sizeof(float));
    r->tried = mem_aligned(r->pixels * r->batch_size, sizeof(float));
    r->out = mem_aligned((size_t)outputs * r->batch_size, sizeof(float));
    r->label = mem_array(r->batch_size, sizeof *r->label);
    r->target = mem_array(r->batch_size, sizeof *r->target);
    r->delta_max = mem_array(r->batch_size, sizeof *r->delta_max);
    r->delta_mean = mem_array(r->batch_size, sizeof *r->delta_mean);
    r->left = mem_array(r->batch_size, sizeof *r->left);
    r->tried_left = mem_array(r->batch_size, sizeof *r->tried_left);
    r->distance = mem_array(r->batch_size, sizeof *r->distance);
    r->course = mem_array(r->batch_size, sizeof *r->course);
    r->found = mem_array(r->batch_size, sizeof *r->found);
    r->nearest = run_seeks_minimum(r) ? mem_aligned(r->pixels * r->batch_size, sizeof(float)) : NULL;
    r->instances = mem_array(r->restarts * s->gradient_count, sizeof(struct instance *));
    if (!r->left || !r->tried_left || !r->adversarial || !r->tried || !r->out || !r->label || !r->target ||
        !r->delta_max || !r->delta_mean || !r->instances || !r->distance || !r->course || !r->found ||
        (run_seeks_minimum(r) && !r->nearest))
        return error_memory(err, "an attack's batch");
    st = p->leave
             ? survivors_create(&r->survivors, &p->target->image, r->batch_size, p->target->dataset->label_words, err)
             : BIOFT_OK;
    if (st != BIOFT_OK)
        return st;
    st = victim_create(
        p->target, r->batch_size,
        &(struct victim_params){ .eot = s->eot, .rescale = s->rescale_logits, .smoothing = s->smoothing }, &r->victim,
        err);
    for (size_t g = 0; st == BIOFT_OK && g < s->gradient_count; g++)
        if (anything_wanted(p, g))
            st = make_instances(r, g, err);
    return st;
}

/* The class of the smallest output among those that the image has not. */
static int32_t least_likely(const bioft_batch *clean, uint32_t i, const float *out, uint32_t outputs)
{
    int32_t best = -1;
    for (uint32_t c = 0; c < outputs; c++)
        if (!answer_is_right(clean, i, (int32_t)c) && (best < 0 || out[c] < out[best]))
            best = (int32_t)c;
    return best < 0 ? 0 : best;
}

/* A random class among those that the image has not. */
static int32_t other_class(const struct run *r, const bioft_batch *clean, uint32_t i)
{
    const uint64_t *set = clean->labels + (size_t)i * clean->label_words;
    uint32_t word, others = 0;

    for (uint32_t c = 0; c < clean->classes; c++)
        others += !(set[c / 64] >> (c % 64) & 1);
    random_fill(BIOFT_BITS, r->p->target->seed, "target", clean->sample[i], 0, &word, 1);
    uint32_t nth = (uint32_t)((uint64_t)word * others >> 32);
    for (uint32_t c = 0; c < clean->classes; c++)
        if (!(set[c / 64] >> (c % 64) & 1) && nth-- == 0)
            return (int32_t)c;
    return 0;
}

/* The labels and targets that the attack is given for this batch. */
static bioft_status aim(struct run *r, const bioft_batch *clean, bioft_batch *ret, struct error *err)
{
    const struct attack_spec *s = r->p->spec;
    const uint32_t outputs = r->p->target->model->graph->view.outputs;
    const bioft_victim *v = victim_view(r->victim);

    *ret = *clean;
    if (s->predicted_labels || s->target == TARGET_LEAST_LIKELY) {
        bioft_status st = v->forward(v, clean->n, clean->x, r->out);
        if (st != BIOFT_OK) {
            victim_error(r->victim, st, err);
            return error_prefix(err, "attack '%s'", s->name);
        }
    }
    for (uint32_t i = 0; i < clean->n; i++) {
        const float *out = r->out + (size_t)i * outputs;
        r->label[i] = s->predicted_labels ? largest_index(out, outputs) : clean->label[i];
        if (s->target == TARGET_CLASS)
            r->target[i] = (int32_t)s->target_class;
        else if (s->target == TARGET_LEAST_LIKELY)
            r->target[i] = least_likely(clean, i, out, outputs);
        else if (s->target == TARGET_RANDOM)
            r->target[i] = other_class(r, clean, i);
    }
    ret->label = r->label;
    ret->target = s->target == TARGET_NONE ? NULL : r->target;
    return BIOFT_OK;
}

/* Takes over the images of a further restart that leave less of the network's success. */
static bioft_status keep_better(struct run *r, const bioft_batch *clean, struct instance *attack, bool first,
                                struct error *err)
{
    const bioft_victim *v = victim_view(r->victim);
    bioft_status st = v->forward(v, clean->n, r->tried, r->out);

    if (st != BIOFT_OK)
        return run_failed(r, attack, st, err);
    st = r->p->judge(r->p->ctx, clean, r->out, r->tried_left, err);
    for (uint32_t i = 0; st == BIOFT_OK && i < clean->n; i++) {
        if (!first && !(r->tried_left[i] < r->left[i]))
            continue;
        memcpy(r->adversarial + i * r->pixels, r->tried + i * r->pixels, sizeof(float) * r->pixels);
        r->left[i] = r->tried_left[i];
    }
    return st;
}

bioft_status run_once(struct run *r, struct instance **attacks, uint32_t restart, const bioft_batch *clean,
                      const bioft_batch *aimed, double epsilon, float *ret_x, struct error *err)
{
    const struct attack_spec *s = r->p->spec;
    const struct trained *t = r->p->target;
    struct instance *attack = attacks[restart];

    pixels_copy(&t->image, t->pool, clean->n, clean->x, ret_x);
    bioft_status st = victim_begin(
        r->victim,
        &(struct victim_run){
            .aimed = aimed, .norm = s->norm, .epsilon = epsilon, .restart = restart, .course = r->course },
        err);
    if (st != BIOFT_OK)
        return error_prefix(err, "attack '%s'", s->name);
    st = s->choice.plugin->api.attack.run(attack->self, victim_view(r->victim), aimed, epsilon, ret_x);
    victim_end(r->victim);
    if (st != BIOFT_OK)
        return run_failed(r, attack, st, err);
    if (restart > 0 && !instance_drew(attack) && !s->eot && !s->smoothing.samples)
        return error_set(err, BIOFT_ERR_INVALID,
                         "attack '%s': restarts: %u, but the attack draws no random number: each "
                         "restart is the same; leave 'restarts' out, or let it start at random",
                         s->name, r->restarts);
    return BIOFT_OK;
}

static bioft_status attack_batch(struct run *r, size_t gradient, const bioft_batch *clean, const bioft_batch *aimed,
                                 double epsilon, struct error *err)
{
    struct instance **attacks = r->instances + gradient * r->restarts;
    const struct trained *t = r->p->target;
    bioft_status st = BIOFT_OK;

    course_clear(r->course, clean->n);
    if (epsilon <= 0.0) {
        pixels_copy(&t->image, t->pool, clean->n, clean->x, r->adversarial);
        return BIOFT_OK;
    }
    for (uint32_t i = 0; st == BIOFT_OK && i < r->restarts; i++) {
        course_restart(r->course, clean->n);
        st = run_once(r, attacks, i, clean, aimed, epsilon, r->restarts > 1 ? r->tried : r->adversarial, err);
        if (st == BIOFT_OK && r->restarts > 1)
            st = keep_better(r, clean, attacks[i], i == 0, err);
    }
    return st;
}

/* The same of those of the batch that are not left out. */
static bioft_status attack_rest(struct run *r, size_t gradient, const bioft_batch *clean, const bioft_batch *aimed,
                                size_t epsilon, uint64_t first, struct error *err)
{
    const struct attack_params *p = r->p;
    const struct image_format *image = &p->target->image;
    const bool *leave = p->leave ? p->leave[gradient * p->spec->epsilon_count + epsilon] : NULL;
    bioft_status st = BIOFT_OK;

    if (!leave)
        return attack_batch(r, gradient, clean, aimed, p->spec->epsilon[epsilon], err);
    survivors_take(&r->survivors, image, clean, aimed, leave + first);
    if (r->survivors.clean.n > 0) {
        victim_batch(r->victim, &r->survivors.clean);
        st = attack_batch(r, gradient, &r->survivors.clean, &r->survivors.aimed, p->spec->epsilon[epsilon], err);
        victim_batch(r->victim, clean);
    }
    if (st == BIOFT_OK)
        survivors_put_back(&r->survivors, image, clean, r->adversarial, r->course);
    return st;
}

/* One batch at one epsilon, each image to be checked. */
struct checking {
    struct run *r;
    const bioft_batch *clean;
    double epsilon;
};

static bioft_status check_one(const struct checking *c, size_t i, struct error *err)
{
    struct run *r = c->r;
    struct deltas d;
    bioft_status st = check_image(&r->p->target->image, r->p->spec->norm, c->epsilon, c->clean->x + i * r->pixels,
                                  r->adversarial + i * r->pixels, &d, err);

    if (st != BIOFT_OK)
        return st;
    r->delta_max[i] = d.largest;
    r->delta_mean[i] = d.mean;
    if (!run_seeks_minimum(r))
        r->distance[i] = d.distance;
    return st;
}

/* A bad image is marked, and named when all are through. */
static void check_piece(void *ctx, size_t index, uint32_t thread)
{
    const struct checking *c = ctx;

    (void)thread;
    if (check_one(c, index, NULL) != BIOFT_OK)
        c->r->delta_max[index] = -1.0;
}

static bioft_status hand_over(struct run *r, const bioft_batch *clean, size_t gradient, size_t epsilon, uint64_t first,
                              struct error *err)
{
    const struct attack_spec *s = r->p->spec;
    struct checking c = { r, clean, s->epsilon[epsilon] };

    pool_run(r->p->target->pool, clean->n, check_piece, &c);
    for (uint32_t i = 0; i < clean->n; i++)
        if (r->delta_max[i] < 0) {
            check_one(&c, i, err);
            return error_prefix(err, "attack '%s', epsilon %g, sample %llu", s->name, s->epsilon[epsilon],
                                (unsigned long long)clean->sample[i]);
        }
    return r->p->sink(r->p->ctx,
                      &(struct attack_made){ .gradient = gradient,
                                             .epsilon = epsilon,
                                             .first = first,
                                             .clean = clean,
                                             .adversarial = r->adversarial,
                                             .delta_max = r->delta_max,
                                             .delta_mean = r->delta_mean,
                                             .distance = r->distance,
                                             .course = r->course,
                                             .target = s->target == TARGET_NONE ? NULL : r->target },
                      err);
}

static bioft_status attack_with(struct run *r, size_t gradient, const bioft_batch *clean, const bioft_batch *aimed,
                                uint64_t first, struct error *err)
{
    const struct attack_spec *s = r->p->spec;
    bioft_status st = BIOFT_OK;

    victim_gradient(r->victim, s->gradients[gradient]);
    if (run_seeks_minimum(r) && anything_wanted(r->p, gradient))
        st = minimum_seek(r, r->instances + gradient * r->restarts, clean, aimed, err);
    for (size_t e = 0; st == BIOFT_OK && e < s->epsilon_count; e++) {
        if (!is_wanted(r->p, gradient, e))
            continue;
        if (stop_asked(r->p->target->stop))
            st = error_set(err, BIOFT_ERR_CANCELLED, "stopped during attack '%s'", s->name);
        else if (run_seeks_minimum(r))
            minimum_take(r, clean, s->epsilon[e]);
        else
            st = attack_rest(r, gradient, clean, aimed, e, first, err);
        if (st == BIOFT_OK)
            st = hand_over(r, clean, gradient, e, first, err);
    }
    return st;
}

bioft_status attack_run(const struct attack_params *p, struct error *err)
{
    const struct trained *t = p->target;
    struct run r = { .p = p };
    struct batches *batches = NULL;
    bioft_batch clean, aimed;
    uint64_t first = 0;

    bioft_status st = check_attack(p, err);
    if (st == BIOFT_OK)
        st = run_prepare(&r, p, err);
    if (st == BIOFT_OK)
        st = batches_create(&(struct batches_params){ .dataset = t->dataset,
                                                      .split = t->split,
                                                      .positions = p->positions,
                                                      .count = p->count,
                                                      .batch_size = r.batch_size,
                                                      .image = t->image,
                                                      .pool = t->pool },
                            &batches, err);
    while (st == BIOFT_OK && (st = batches_next(batches, &clean, err)) == BIOFT_OK && clean.n > 0) {
        victim_batch(r.victim, &clean);
        st = aim(&r, &clean, &aimed, err);
        for (size_t g = 0; st == BIOFT_OK && g < p->spec->gradient_count; g++)
            st = attack_with(&r, g, &clean, &aimed, first, err);
        first += clean.n;
    }
    if (st == BIOFT_OK && p->redrawn)
        *p->redrawn = victim_was_redrawn(r.victim);
    batches_destroy(batches);
    run_free(&r);
    return st;
}
