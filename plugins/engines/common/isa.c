/* What the CPU has, by the compiler's own look at it. */
#include "isa.h"

#include <stdlib.h>
#include <string.h>

static enum isa_set allowed(void)
{
    static const char *const names[] = { "plain", "avx2", "avx512" };
    const char *most = getenv("BIOFT_ISA");

    for (int i = ISA_PLAIN; most && i < ISA_AVX512; i++)
        if (strcmp(most, names[i]) == 0)
            return (enum isa_set)i;
    return ISA_AVX512;
}

enum isa_set isa_widest(void)
{
    enum isa_set has = ISA_PLAIN;

#ifdef ENGINE_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        has = __builtin_cpu_supports("avx512f") ? ISA_AVX512 : ISA_AVX2;
#endif
    return allowed() < has ? allowed() : has;
}
