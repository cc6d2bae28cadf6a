/* What a key or a plugin is called elsewhere, for "did you mean". */
#ifndef MANIFEST_SYNONYMS_H
#define MANIFEST_SYNONYMS_H

#include "plugin/registry.h"

/* The one of `keys` that other programs call `word`; NULL: none. */
const char *synonym_key(const char *word, const char *const *keys, size_t count);
/* The plugin of a kind whose summary is "WORD: ...", else begins with `word`, else has it, '_' and '-' being spaces:
 * feedback_alignment is fa. Opens the plugins of the kind. NULL: none, or several. */
const char *synonym_plugin(struct registry *r, uint32_t kind, const char *word, const char *const *names, size_t count);

#endif
