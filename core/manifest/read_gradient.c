/* The key `gradient` of an attack: whose gradient it follows. */
#include "manifest/defaults.h"
#include "manifest/read.h"

#include <string.h>

enum { MOST_SAMPLES = 1 << 20 };

static const char *const words[] = { "rule", "exact", "straight_through", "smoothed", NULL };

const char *gradient_word(enum gradient_kind gradient) { return words[gradient - GRADIENT_RULE]; }

/* {samples: 100, sigma: 0.01} */
static void read_smoothing(struct reader *r, struct yaml *node, struct smoothing *ret)
{
    static const char *const keys[] = { "samples", "sigma", NULL };
    static const struct range above = { .low = 0.0, .high = 1.0, .above = true };

    if (!read_is_map(r, node, "smoothed", "{samples: 100, sigma: 0.01}"))
        return;
    ret->samples = (uint32_t)read_integer(r, node, "samples", 2, MOST_SAMPLES, DEFAULT_SMOOTHING_SAMPLES);
    ret->sigma = read_number(r, node, "sigma", &above, DEFAULT_SMOOTHING_SIGMA);
    if (ret->samples % 2)
        read_error(r, node, "'samples': an even number expected, half of them on either side of an image");
    read_unknown(r, node, "of 'smoothed'", keys, NULL);
}

/* A word, or {smoothed: {samples: 100, sigma: 0.01}}. */
static enum gradient_kind read_one(struct reader *r, struct yaml *node, struct smoothing *smoothing)
{
    static const char *const keys[] = { "smoothed", NULL };
    struct yaml *more = node->type == YAML_MAP ? read_member(node, "smoothed") : NULL;
    enum gradient_kind kind;

    if (more) {
        read_smoothing(r, more, smoothing);
        read_unknown(r, node, "of 'gradient'", keys, NULL);
        return GRADIENT_SMOOTHED;
    }
    kind = GRADIENT_RULE + (enum gradient_kind)read_word_node(r, node, "gradient", words, 0);
    if (kind == GRADIENT_SMOOTHED)
        *smoothing = (struct smoothing){ DEFAULT_SMOOTHING_SAMPLES, DEFAULT_SMOOTHING_SIGMA };
    return kind;
}

/* Where the attack asks for no gradient two would be the same figure twice. */
static void take_default(bool none, struct attack_spec *ret)
{
    ret->gradients[0] = none ? GRADIENT_EXACT : GRADIENT_RULE;
    ret->gradients[1] = GRADIENT_EXACT;
    ret->gradient_count = none ? 1 : 2;
}

void read_gradient(struct reader *r, struct yaml *entry, struct attack_spec *ret)
{
    struct yaml *node = read_member(entry, "gradient");
    const struct plugin *plugin = ret->choice.plugin;
    const bool none = plugin && !(plugin->api.attack.flags & BIOFT_ATTACK_GRADIENT);

    if (!node) {
        take_default(none, ret);
        return;
    }
    const size_t count = node->type == YAML_LIST ? node->count : 1;
    if (count == 0)
        read_error(r, node, "'gradient': an empty list");
    for (size_t i = 0; i < count; i++) {
        struct yaml *item = node->type == YAML_LIST ? node->items[i] : node;
        const enum gradient_kind kind = read_one(r, item, &ret->smoothing);
        for (size_t k = 0; k < i; k++)
            if (ret->gradients[k] == kind) {
                read_error(r, item, "'gradient': one is in the list twice");
                return;
            }
        if (none && kind > GRADIENT_EXACT)
            read_error(r, item, "'gradient': attack '%s' asks for no gradient", plugin->descriptor.name);
        ret->gradients[i] = kind;
        ret->gradient_count = i + 1;
    }
}
