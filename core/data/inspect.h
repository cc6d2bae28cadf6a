/* A look at every image of a split: which are missing or broken, how large they are, and their
 * pixels. */
#ifndef DATA_INSPECT_H
#define DATA_INSPECT_H

#include "base/threads.h"
#include "data/private.h"
#include "data/sample.h"

enum fault { FINE, MISSING, BROKEN, FAILED }; /* FAILED: not the image's fault */

struct inspection {
    uint64_t count;             /* images looked at */
    uint8_t *fault;             /* [count] enum fault */
    char (*source)[SOURCE_HEX]; /* [count] of those that are FINE */
    struct size *size;          /* [count] of those */
    uint8_t *pixels;            /* of those, one after the other; NULL: not kept */
    uint64_t pixel_bytes;       /* of all of them */
};
bioft_status inspection_init(struct inspection *l, uint64_t count, struct error *err);
void inspection_finish(struct inspection *l); /* zero is fine */

/* Decodes every image, in pieces over the pool. hold: keep the pixels, where all have the first
 * one's size; source: fill in that array. */
bioft_status inspect_all(const struct dataset *d, const struct split *s, bool hold, bool source, struct pool *pool,
                         const struct log *log, struct inspection *l, struct error *err);
/* One image. text: what is wrong with it. */
enum fault inspect_one(struct reader *r, const struct split *s, uint64_t position, struct pixels *ret,
                       struct error *text);

void sides_widen(struct sides *s, uint32_t height, uint32_t width);

#endif
