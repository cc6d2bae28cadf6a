/* The kinds of plugins: their words in manifests and their folders. */
#include "plugin/kind.h"

#include <string.h>

static const struct {
    const char *word, *folder;
} kinds[PLUGIN_KINDS + 1] = {
    [BIOFT_KIND_RULE] = { "rule", "learning_rules" }, [BIOFT_KIND_BACKBONE] = { "backbone", "backbones" },
    [BIOFT_KIND_DATASET] = { "dataset", "datasets" }, [BIOFT_KIND_ATTACK] = { "attack", "attacks" },
    [BIOFT_KIND_LOSS] = { "loss", "losses" },         [BIOFT_KIND_ENGINE] = { "engine", "engines" },
};

const char *kind_word(uint32_t kind) { return kind <= PLUGIN_KINDS ? kinds[kind].word : NULL; }

const char *kind_folder(uint32_t kind) { return kind <= PLUGIN_KINDS ? kinds[kind].folder : NULL; }

uint32_t kind_by_word(const char *word)
{
    for (uint32_t kind = 1; kind <= PLUGIN_KINDS; kind++)
        if (strcmp(word, kinds[kind].word) == 0 || strcmp(word, kinds[kind].folder) == 0)
            return kind;
    return 0;
}

const char *attack_unsuited(const bioft_attack *a, bool codes)
{
    if (a->flags & BIOFT_ATTACK_CODES && !codes)
        return "is for retrieval, and the last head has classes";
    if (a->flags & BIOFT_ATTACK_CLASSES && codes)
        return "is for classifiers, and the last head has bits";
    return NULL;
}
