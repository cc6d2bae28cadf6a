/* An attack at work, shared by the files that run it. */
#ifndef ATTACK_ATTACK_PRIVATE_H
#define ATTACK_ATTACK_PRIVATE_H

#include "attack/survivors.h"
#include "attack/victim.h"

struct run {
    const struct attack_params *p;
    struct victim *victim;
    struct instance **instances; /* [gradient_count][restarts]: restarts differ in their random
                                                      numbers; NULL where nothing is wanted of a gradient */
    uint32_t restarts, batch_size;
    size_t pixels;
    float *adversarial, *tried, *out;          /* [batch][pixels] twice, [batch][outputs] */
    int32_t *label, *target;                   /* [batch] what the attack sees */
    double *delta_max, *delta_mean, *distance; /* [batch] */
    double *left, *tried_left;                 /* [batch] of the network's success, by restart */
    struct course_image *course;               /* [batch] */
    float *nearest;                            /* [batch][pixels] of an attack that seeks the nearest image */
    struct survivors survivors;                /* where some images are left out */
    bool *found;                               /* [batch] there is one */
};

static inline bool run_seeks_minimum(const struct run *r)
{
    return r->p->spec->choice.plugin->api.attack.flags & BIOFT_ATTACK_MINIMUM;
}
/* What the victim or the attack has to say of a status that a call inside the attack ended with. */
bioft_status run_failed(struct run *r, struct instance *attack, bioft_status status, struct error *err);
/* One call of the attack's run, from the clean images; attacks: [restarts]. Several restarts of an attack that draws no
 * random number are an error: they would be the same. */
bioft_status run_once(struct run *r, struct instance **attacks, uint32_t restart, const bioft_batch *clean,
                      const bioft_batch *aimed, double epsilon, float *ret_x, struct error *err);

/* minimum.c: the nearest adversarial images over all restarts, their distances, and the images for one epsilon: those
 * that are near enough, else the clean ones. attacks: [restarts]. */
bioft_status minimum_seek(struct run *r, struct instance **attacks, const bioft_batch *clean, const bioft_batch *aimed,
                          struct error *err);
void minimum_take(struct run *r, const bioft_batch *clean, double epsilon);

#endif
