/* Which engine: the one that is named, or the highest score of those found. */
#ifndef ENGINE_SELECT_H
#define ENGINE_SELECT_H

#include "engine/engine.h"

/* named NULL: choose. values: the named one's options, or NULL. why, of `size` bytes: what speaks for it. */
bioft_status engine_select(struct registry *r, const struct plugin *named, const struct option_value *values,
                           const struct log *log, const struct plugin **ret, char *why, size_t size, struct error *err);

#endif
