/* A network's codes of its data's splits, each encoded when first asked for and kept. */
#ifndef CODES_CODEBOOK_H
#define CODES_CODEBOOK_H

#include "codes/encode.h"

struct codebook;
/* p: without split and positions. What it points at must stay as it is: the codes are of the
 * network as it stands when they are first asked for. */
bioft_status codebook_create(const struct encode_params *p, struct codebook **ret, struct error *err);
void codebook_destroy(struct codebook *b); /* NULL is fine */
/* *ret lives as long as the codebook. */
bioft_status codebook_get(struct codebook *b, const char *split, const struct codes **ret, struct error *err);
/* The codes of these positions of a split. */
bioft_status codebook_select(struct codebook *b, const char *split, const uint64_t *positions, uint64_t count,
                             struct codes *ret, struct error *err);

#endif
