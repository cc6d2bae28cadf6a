/* Attacks that seek each image's nearest adversarial one: asked once, held against every epsilon. */
#include "attack/answer.h"
#include "attack/check.h"
#include "attack/attack_private.h"

#include <math.h>
#include <string.h>

/* Takes over what the network fails at and is nearer than what there is. */
static bioft_status keep_nearer(struct run *r, struct instance *attack, const bioft_batch *clean,
                                const bioft_batch *aimed, struct error *err)
{
    const struct attack_spec *s = r->p->spec;
    const bioft_victim *v = victim_view(r->victim);
    bioft_batch wanted = *clean;
    bioft_status st = v->forward(v, clean->n, r->tried, r->out);

    if (st != BIOFT_OK)
        return run_failed(r, attack, st, err);
    wanted.target = aimed->target;
    for (uint32_t i = 0; i < clean->n; i++) {
        const float *x = r->tried + i * r->pixels;
        struct deltas d;
        st = check_image(&r->p->target->image, s->norm, INFINITY, clean->x + i * r->pixels, x, &d, err);
        if (st != BIOFT_OK)
            return error_prefix(err, "attack '%s', sample %llu", s->name, (unsigned long long)clean->sample[i]);
        if (!answer_is_fooled(&wanted, i, largest_index(r->out + (size_t)i * v->outputs, v->outputs)) ||
            (r->found[i] && d.distance >= r->distance[i]))
            continue;
        memcpy(r->nearest + i * r->pixels, x, sizeof(float) * r->pixels);
        r->distance[i] = d.distance;
        r->found[i] = true;
    }
    return BIOFT_OK;
}

bioft_status minimum_seek(struct run *r, struct instance **attacks, const bioft_batch *clean, const bioft_batch *aimed,
                          struct error *err)
{
    bioft_status st = BIOFT_OK;

    course_clear(r->course, clean->n);
    for (uint32_t i = 0; i < clean->n; i++) {
        r->found[i] = false;
        r->distance[i] = INFINITY;
    }
    for (uint32_t i = 0; st == BIOFT_OK && i < r->restarts; i++) {
        course_restart(r->course, clean->n);
        st = run_once(r, attacks, i, clean, aimed, INFINITY, r->tried, err);
        if (st == BIOFT_OK)
            st = keep_nearer(r, attacks[i], clean, aimed, err);
    }
    return st;
}

void minimum_take(struct run *r, const bioft_batch *clean, double epsilon)
{
    for (uint32_t i = 0; i < clean->n; i++) {
        const bool near = r->found[i] && check_inside(r->p->spec->norm, epsilon, r->distance[i]);
        memcpy(r->adversarial + i * r->pixels, (near ? r->nearest : clean->x) + i * r->pixels,
               sizeof(float) * r->pixels);
    }
}
