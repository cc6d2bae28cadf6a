/* Which set of lanes.h the CPU has. */
#include "lanes.h"

#include "../common/isa.h"

const struct lanes *lanes_for(uint32_t block)
{
    static const struct lanes *const sets[] = {
        [ISA_PLAIN] = &lanes_plain,
#ifdef ENGINE_X86
        [ISA_AVX2] = &lanes_avx2,
        [ISA_AVX512] = &lanes_avx512,
#endif
    };

    for (int i = (int)isa_widest(); i > 0; i--)
        if (block % sets[i]->lanes == 0)
            return sets[i];
    return &lanes_plain;
}
