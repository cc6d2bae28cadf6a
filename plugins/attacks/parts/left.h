/* What attacks on classifiers share: the images of a batch that are still to be fooled, packed together so that the
 * network computes nothing else, and the best adversarial image of each.
 *
 * Arrays "packed" are by position j < n among the images that are left, the others by image i = image[j] of the batch. */
#ifndef ATTACKS_LEFT_H
#define ATTACKS_LEFT_H

#include <bioft/attack.h>
#include <bioft/util.h>
#include <math.h>
#include <stdbool.h>

struct left {
    const bioft_host *host;
    const bioft_victim *v;
    const bioft_batch *clean;
    const bioft_parallel *parallel; /* NULL: the caller's thread alone */
    size_t pixels;                  /* values of an image */
    uint32_t outputs, n;
    uint32_t *image;       /* [n] in ascending order */
    float *x, *gradient;   /* packed [n][pixels]: what the victim is asked, and its answer */
    float *out, *d_out;    /* packed [n][outputs] */
    float *objective;      /* packed [n]: what the attack raises */
    unsigned char *fooled; /* packed [n]: by left_judge */
    float *result;         /* [batch][pixels]: run's ret_x */
    float *lead;           /* [batch] the network's lead at `result`: see left_lead */
};

/* Takes the work space, in prepare(). */
bioft_status left_prepare(const bioft_host *host, const bioft_victim *v);
/* In run(): all images that the network gets right (of a targeted attack: that are not yet the target). */
bioft_status left_begin(struct left *l, const bioft_host *host, const bioft_victim *v, const bioft_batch *clean,
                        float *ret_x);
/* In its place: every image, the network not asked; for attacks that take each the same steps. */
bioft_status left_all(struct left *l, const bioft_host *host, const bioft_victim *v, const bioft_batch *clean,
                      float *ret_x);
/* out at x. */
bioft_status left_forward(struct left *l);
/* gradient of d_out at the last left_forward. */
bioft_status left_backward(struct left *l);
/* Any images of the batch, at most the victim's largest batch: image [n], x [n][pixels], ret_out [n][outputs]. */
bioft_status left_ask(struct left *l, uint32_t n, const uint32_t *image, const float *x, float *ret_out);
/* Tells the host x and objective of this iteration. */
bioft_status left_trace(struct left *l, uint64_t iteration);
/* What x, inside the ball, comes to: where it is better than `result` it is taken over; fooled[j] where it wins. */
void left_judge(struct left *l);
/* Takes the fooled ones off the list, and has the host write `part` beside them (NULL: nothing). */
bioft_status left_drop(struct left *l, const char *part);
/* The class that the network puts in place `rank` (1: first) on the clean images that are left, of equal outputs the
 * smaller number first. ret: [batch]. */
bioft_status left_rank(struct left *l, uint32_t rank, int32_t *ret);
/* body(ctx, j, thread) for each j < n, on the host's threads. */
void left_each(const struct left *l, void (*body)(void *ctx, size_t j, uint32_t thread), void *ctx);

/* How far the network is from being fooled, in its outputs: the label's minus the largest other; targeted: the largest
 * other minus the target's. */
float left_lead(const bioft_batch *clean, uint32_t i, const float *out, uint32_t outputs);
/* Does the first largest output fool it? */
bool left_wins(const bioft_batch *clean, uint32_t i, const float *out, uint32_t outputs);

static inline const float *left_clean(const struct left *l, size_t j) { return l->clean->x + l->image[j] * l->pixels; }
static inline float *left_x(const struct left *l, size_t j) { return l->x + j * l->pixels; }
static inline float *left_gradient(const struct left *l, size_t j) { return l->gradient + j * l->pixels; }
static inline uint64_t left_sample(const struct left *l, size_t j) { return l->clean->sample[l->image[j]]; }

/* `count` elements of `bytes` each for every image of the largest batch, named. */
bioft_status attack_scratch(const bioft_host *host, const bioft_victim *v, const char *name, size_t count, size_t bytes,
                            void *ret);
static inline size_t attack_pixels(const bioft_victim *v) { return (size_t)v->channels * v->height * v->width; }

#endif
