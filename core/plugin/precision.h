/* The words of the precisions in manifests, options and results. */
#ifndef PLUGIN_PRECISION_H
#define PLUGIN_PRECISION_H

#include <stdbool.h>
#include <stdint.h>

/* "f32", "bf16", of BIOFT_F32, BIOFT_BF16. */
const char *precision_word(uint32_t precision);
/* All of them, ended by NULL; the index is the precision less BIOFT_F32. */
const char *const *precision_words(void);
/* false: no precision is called so. */
bool precision_by_word(const char *word, uint32_t *ret);

#endif
