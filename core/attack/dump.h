/* Adversarial images kept for people and for re-verification: .npy of float32 is the record, PNG is to look at. */
#ifndef ATTACK_DUMP_H
#define ATTACK_DUMP_H

#include "attack/attack.h"

/* Collects the first `count` clean and adversarial images of one figure, then writes FOLDER/NAME.clean.npy,
 * FOLDER/NAME.adversarial.npy and FOLDER/NAME.NNN.png pairs (clean left, adversarial right; 8 bits: at a small epsilon
 * the two are the same picture). */
struct dump {
    struct picture picture;
    uint64_t count, have;
    float *clean, *adversarial;                    /* [count][c][h][w] */
};
bioft_status dump_begin(struct dump *d, const struct picture *picture, uint64_t count, struct error *err);
void dump_add(struct dump *d, const struct attack_made *made);
bioft_status dump_write(const struct dump *d, const char *folder, const char *name, struct error *err);
void dump_free(struct dump *d);

#endif
