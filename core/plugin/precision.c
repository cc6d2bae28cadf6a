/* The words of the precisions. */
#include "plugin/precision.h"

#include <bioft/engine.h>
#include <string.h>

static const char *const words[] = { "f32", "bf16", NULL };
_Static_assert(BIOFT_BF16 == BIOFT_F32 + 1, "in the order of the words");

const char *precision_word(uint32_t precision) { return words[precision - BIOFT_F32]; }

const char *const *precision_words(void) { return words; }

bool precision_by_word(const char *word, uint32_t *ret)
{
    for (uint32_t i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) {
            *ret = BIOFT_F32 + i;
            return true;
        }
    return false;
}
