/* Built against headers of another major version. */
#include "broken.h"

static const bioft_plugin plugin = { .magic = BIOFT_MAGIC,
                                     .struct_size = sizeof plugin,
                                     .abi_version = (BIOFT_ABI_MAJOR + 6) << 16 | 3 };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
