/* Adversarial images kept for people and for re-verification: .npy of float32 is the record, PNG is to look at. */
#ifndef ATTACK_DUMP_H
#define ATTACK_DUMP_H

#include "attack/attack.h"

/* Collects the first `count` clean and adversarial images of one figure, then writes FOLDER/NAME.clean.npy,
 * FOLDER/NAME.adversarial.npy, FOLDER/NAME.outputs.npy (the network's outputs for the adversarial ones, where they are of
 * classes) and FOLDER/NAME.NNN.png pairs (clean left, adversarial right; 8 bits: at a small epsilon
 * the two are the same image). */
struct dump {
    struct image_format image;
    uint64_t count, have;
    float *clean, *adversarial; /* [count][c][h][w] */
    float *out;                 /* [count][outputs] */
    uint32_t outputs;           /* 0: none are kept */
};
bioft_status dump_begin(struct dump *d, const struct image_format *image, uint32_t outputs, uint64_t count,
                        struct error *err);
/* out: [n][outputs] of these adversarial images. */
void dump_add(struct dump *d, const struct attack_made *made, const float *out);
bioft_status dump_write(const struct dump *d, const char *folder, const char *name, struct error *err);
void dump_free(struct dump *d);

#endif
