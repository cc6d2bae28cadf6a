/* The kinds of plugins: their words in manifests and their folders. */
#include "plugin/registry.h"

#include <string.h>

static const struct {
    const char *word, *folder;
} kinds[PLUGIN_KINDS + 1] = {
    [BIOFT_KIND_RULE] = { "rule", "learning_rules" },
    [BIOFT_KIND_BACKBONE] = { "backbone", "backbones" },
    [BIOFT_KIND_DATASET] = { "dataset", "datasets" },
    [BIOFT_KIND_ATTACK] = { "attack", "attacks" },
    [BIOFT_KIND_LOSS] = { "loss", "losses" },
    [BIOFT_KIND_ENGINE] = { "engine", "engines" },
};

const char *kind_word(uint32_t kind)
{
    return kind <= PLUGIN_KINDS ? kinds[kind].word : NULL;
}

const char *kind_folder(uint32_t kind)
{
    return kind <= PLUGIN_KINDS ? kinds[kind].folder : NULL;
}

uint32_t kind_by_word(const char *word)
{
    for (uint32_t kind = 1; kind <= PLUGIN_KINDS; kind++)
        if (strcmp(word, kinds[kind].word) == 0 || strcmp(word, kinds[kind].folder) == 0)
            return kind;
    return 0;
}
