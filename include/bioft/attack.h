/* Attacks: a victim, a batch of pixels in [0,1], and an adversarial batch inside the ball of a norm and [0,1]. */
#ifndef BIOFT_ATTACK_H
#define BIOFT_ATTACK_H

#include <bioft/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Hash codes of one split; bit 1 = +1; sample by sample. */
typedef struct bioft_codes {
    uint32_t struct_size, bits, words, label_words; /* words = (bits + 63) / 64 */
    uint64_t n;
    const uint64_t *codes, *labels; /* [n][words], [n][label_words] */
} bioft_codes;

/* A trained network as an attack sees it: normalisation inside, evaluation mode, pixels [n][c][h][w] in, outputs
 * [n][outputs] out. Where its gradient comes from - the rule's backward pass or true derivatives - is the
 * experiment's choice. Asked again for the pixels of its last forward or gradient it answers from memory. */
typedef struct bioft_victim bioft_victim;
struct bioft_victim {
    uint32_t struct_size, flags;                                         /* flags: 0 */
    uint32_t max_batch, channels, height, width, outputs, classes, bits; /* bits 0: a classifier */
    uint32_t reserved;
    void *ctx;
    /* Any n up to max_batch, whatever n was before. Queries are counted. [step] */
    bioft_status (*forward)(const bioft_victim *v, uint32_t n, const float *x, float *ret_out);
    /* The gradient of <d_out, out> by the pixels at the last forward: same n, may be called again with another d_out.
     * ret_dx [n][c][h][w]. NULL: a black box. [step] */
    bioft_status (*backward)(const bioft_victim *v, uint32_t n, const float *d_out, float *ret_dx);
    /* Another draw of a stochastic rule's V for the following backward calls (expectation over transformation);
     * draw 0 is the network's own. NULL: nothing is random here. [step] */
    bioft_status (*redraw)(const bioft_victim *v, uint64_t draw);
    /* Codes and labels of "train" or "database"; they live as long as the victim. NULL unless retrieval. [control] */
    bioft_status (*codes)(const bioft_victim *v, const char *split, bioft_codes *ret);
    /* Since ABI 0.2, with trace and credit: ask once, BIOFT_HAS(v, bioft_victim, credit).
     * Which images of run's batch the forward passes from now on are of, by their index there: an attack that drops
     * images (those that it has fooled) says so, then rules that read labels get the right ones, and what is counted by
     * image is counted at the right one. image: [n], in any order, also repeated, copied; NULL: 0 to n - 1. It holds
     * until the next subset or the end of run; at each run's start: all. A forward pass of another n is of images that
     * the host does not know. [step] */
    bioft_status (*subset)(const bioft_victim *v, uint32_t n, const uint32_t *image);
    /* The course of an attack, told once in each iteration: objective [n] is what it raises, image by image, at x
     * [n][c][h][w], best the pixels of the last forward pass, whose outputs are known (for others the host asks the
     * network again, and counts no queries); x may be NULL. image: [n], indices in run's batch, NULL: 0 to n - 1.
     * iteration: ascending for an image until it begins again with 0 (a restart). From it the host has whether a better
     * image was found than the one returned, and whether the objective was still rising at the end (Pintor et al.,
     * NeurIPS 2022, indicators I2 and I3). It changes nothing for the attack. [step] */
    bioft_status (*trace)(const bioft_victim *v, uint64_t iteration, uint32_t n, const uint32_t *image, const float *x,
                          const float *objective);
    /* An attack made of several says which of them, `part`, found the images that run returns; the last word on an image
     * counts. [a-z0-9_]+, living as long as the instance. It is in the predictions' file. [step] */
    bioft_status (*credit)(const bioft_victim *v, uint32_t n, const uint32_t *image, const char *part);
};

enum { BIOFT_LINF = 1, BIOFT_L2, BIOFT_L1, BIOFT_L0 };
/* bioft_attack.flags. GRADIENT: needs backward. CODES: needs retrieval. CLASSES: needs a classifier. BATCH_COUPLED:
 * an image's result depends on the others of its batch. TARGETED: reads batch->target where it is given.
 * MINIMUM, since ABI 0.2: run seeks the nearest adversarial image, not one inside a ball. It is asked once for all
 * epsilons, with epsilon INFINITY, and leaves ret_x as it was where it finds none; the host measures each image's
 * distance and holds it against every epsilon of the manifest. Classifiers only. */
enum {
    BIOFT_ATTACK_GRADIENT = 1,
    BIOFT_ATTACK_CODES = 2,
    BIOFT_ATTACK_CLASSES = 4,
    BIOFT_ATTACK_BATCH_COUPLED = 8,
    BIOFT_ATTACK_TARGETED = 16,
    BIOFT_ATTACK_MINIMUM = 32
};
typedef struct bioft_attack {
    uint32_t struct_size, flags, norm, reserved; /* norm: of its ball; with `ball` that of the default options */
    /* Once per victim, before run: take scratch for max_batch, fetch codes. NULL: nothing to do. [control] */
    bioft_status (*prepare)(void *self, const bioft_victim *v);
    /* ret_x [n][c][h][w] starts as a copy of clean->x. The host checks |ret_x - x| <= epsilon in the attack's norm
     * (1e-6 of tolerance, of epsilon where that is above 1) and [0,1] exactly. L0 counts places (y, x) where any channel
     * differs. epsilon 0 is never asked. clean->target NULL: untargeted. [step] */
    bioft_status (*run)(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x);
    /* Since ABI 0.2. The norm of this instance, whose options are set: one plugin for several norms. NULL: `norm`.
     * [control] */
    bioft_status (*ball)(void *self, uint32_t *ret_norm);
} bioft_attack;

#ifdef __cplusplus
}
#endif
#endif
