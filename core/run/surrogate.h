/* The network of another trial of the sweep, on which an attack's images are made. */
#ifndef RUN_SURROGATE_H
#define RUN_SURROGATE_H

#include "network/trained.h"
#include "run/trial.h"

/* The one that was asked for last stays open. Zero: none. */
struct surrogate {
    struct trial_run run;
    struct trained network;
};
/* Are the attack's images made on another trial's network? */
bool surrogate_is_other(const struct trial_run *r, const struct attack_spec *s);
/* 16 digits of the key of trial `t`'s last network, which is not trained for it; in r's arena. What is made of its images is
 * of both networks. */
bioft_status surrogate_key(struct surrogate *s, const struct trial_run *r, const struct trial *t, const char **ret,
                           struct error *err);
/* Trains the stages of trial `t` that are not trained yet, as the trial itself would, and in its place: with the same locks,
 * keys and files, so that whichever process comes first does it and the order between trials is free. *ret: its network,
 * with the data of `own`, the network that is attacked; until the next call or surrogate_close. BIOFT_ERR_INVALID: the two do
 * not take the same images or do not have the same classes. */
bioft_status surrogate_open(struct surrogate *s, const struct trial_run *r, const struct trial *t,
                            const struct trained *own, const struct trained **ret, struct error *err);
void surrogate_close(struct surrogate *s); /* zero is fine */

#endif
