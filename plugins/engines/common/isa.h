/* The instruction sets for which this engine has loops of its own. */
#ifndef COMMON_ISA_H
#define COMMON_ISA_H

enum isa_set { ISA_PLAIN, ISA_AVX2, ISA_AVX512 };

/* The widest that this CPU has. The environment's BIOFT_ISA ("plain", "avx2", "avx512") allows no wider one than that. */
enum isa_set isa_widest(void);

#endif
