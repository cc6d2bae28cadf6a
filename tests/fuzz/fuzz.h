/* What a fuzz target gives: libFuzzer calls it, or replay.c with the files of a command line. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert, whatever NDEBUG says: a broken promise is a crash to the fuzzer. */
#define MUST(condition) ((condition) ? (void)0 : abort())

#endif
