/* The kinds of plugins. */
#ifndef PLUGIN_KIND_H
#define PLUGIN_KIND_H

#include <bioft/attack.h>
#include <stdbool.h>

enum { PLUGIN_KINDS = BIOFT_KIND_ENGINE }; /* kinds are 1..PLUGIN_KINDS */
/* The word of a kind in manifests and messages ("rule") and its folder ("learning_rules"); NULL for no kind. */
const char *kind_word(uint32_t kind);
const char *kind_folder(uint32_t kind);
uint32_t kind_by_word(const char *word); /* either word; 0: none */
/* Why an attack does not suit a network with hash codes, or with classes, as the rest of a sentence that begins with
 * its name; NULL: it does. */
const char *attack_unsuited(const bioft_attack *a, bool codes);

#endif
