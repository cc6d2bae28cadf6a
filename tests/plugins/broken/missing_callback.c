/* An attack that cannot attack. */
#include "broken.h"

static const bioft_attack attack = { .struct_size = sizeof attack, .norm = BIOFT_LINF };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_ATTACK, "missing_callback"), .vtable = &attack };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
