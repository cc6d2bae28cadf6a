/* The network of another trial of the sweep. */
#include "run/surrogate.h"

#include "run/trial_stages.h"
#include "data/identity.h"

#include <string.h>

bool surrogate_is_other(const struct trial_run *r, const struct attack_spec *s)
{
    return s->surrogate && s->surrogate->number != r->trial->number;
}

void surrogate_close(struct surrogate *s)
{
    if (s->run.trial)
        trial_close(&s->run);
    *s = (struct surrogate){ 0 };
}

/* What one network is shown has to be what the other one is shown. */
static bioft_status check(const struct surrogate *s, const struct trial_run *r, const struct trained *own,
                          struct error *err)
{
    const struct image_format *a = &s->run.network.image, *b = &own->image;
    const size_t stages = s->run.trial->stage_count;
    char mine[SHA256_HEX], other[SHA256_HEX];
    bioft_status st = dataset_digest(own->dataset, mine, err);

    if (st == BIOFT_OK)
        st = dataset_digest(s->run.data[stages ? stages - 1 : 0], other, err);
    if (st != BIOFT_OK)
        return st;
    if (memcmp(mine, other, sizeof mine) != 0 || a->channels != b->channels || a->height != b->height ||
        a->width != b->width || s->run.network.model->graph->view.outputs != own->model->graph->view.outputs)
        return error_set(err, BIOFT_ERR_INVALID,
                         "images for %s cannot be made on %s: 'from' needs the same data, input size "
                         "and classes",
                         r->trial->id, s->run.trial->id);
    return BIOFT_OK;
}

static bioft_status open_other(struct surrogate *s, const struct trial_run *r, const struct trial *t, struct error *err)
{
    surrogate_close(s);
    s->run = (struct trial_run){ .experiment = r->experiment,
                                 .trial = t,
                                 .out = r->out,
                                 .log = r->log,
                                 .stop = r->stop,
                                 .shared = r->shared,
                                 .status = r->status,
                                 .process = r->process };
    return trial_open(&s->run, err);
}

bioft_status surrogate_key(struct surrogate *s, const struct trial_run *r, const struct trial *t, const char **ret,
                           struct error *err)
{
    bioft_status st = s->run.trial == t ? BIOFT_OK : open_other(s, r, t, err);

    if (st != BIOFT_OK)
        return st;
    *ret = arena_printf(r->arena, "%s", trial_network_key(&s->run, t->stage_count ? t->stage_count - 1 : 0));
    return *ret ? BIOFT_OK : error_memory(err, "a network's key");
}

bioft_status surrogate_open(struct surrogate *s, const struct trial_run *r, const struct trial *t,
                            const struct trained *own, const struct trained **ret, struct error *err)
{
    bioft_status st = BIOFT_OK;

    if (t->number == r->trial->number) {
        *ret = own;
        return BIOFT_OK;
    }
    if (s->run.trial != t)
        st = open_other(s, r, t, err);
    if (st == BIOFT_OK && !s->run.network.model)
        st = trial_network(&s->run, err);
    if (st == BIOFT_OK)
        st = check(s, r, own, err);
    s->network = *own;
    s->network.model = s->run.network.model;
    s->network.feedback = s->run.feedback;
    s->network.step = s->run.step;
    s->network.image = s->run.network.image;
    s->network.precision = t->precision;
    *ret = &s->network;
    return st;
}
