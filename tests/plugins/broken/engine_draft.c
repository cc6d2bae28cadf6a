/* An engine built for another draft of engine.h. */
#include "broken.h"

static const bioft_engine engine = { .struct_size = 16, .draft = BIOFT_ENGINE_DRAFT + 40 };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_ENGINE, "engine_draft"), .vtable = &engine };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
