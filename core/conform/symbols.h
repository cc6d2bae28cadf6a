/* The names that a library takes from others. */
#ifndef CONFORM_SYMBOLS_H
#define CONFORM_SYMBOLS_H

#include "base/error.h"

/* Calls `each` for every undefined dynamic symbol. A file that is no ELF library has none. */
bioft_status undefined_symbols(const char *path, void (*each)(void *ctx, const char *name), void *ctx,
                               struct error *err);

#endif
