/* Other names of keys and plugins. */
#include "manifest/synonyms.h"

#include <string.h>

enum { LONGEST = 127, SHORTEST = 4 };

const char *synonym_key(const char *word, const char *const *keys, size_t count)
{
    static const char *const groups[][8] = {
        { "step", "stepsize", "rel_stepsize", "alpha", "step_size", "eps_iter", "eps_step" },
        { "steps", "iterations", "iters", "nb_iter", "n_iter", "max_iter", "num_steps" },
        { "epochs", "num_epochs", "n_epochs", "max_epochs", "nb_epochs" },
        { "lr", "learning_rate", "eta", "step_size" },
        { "epsilon", "eps", "radius", "bound" },
        { "batch_size", "batch", "bs", "mini_batch" },
        { "weight_decay", "wd", "l2" },
        { "backbone", "arch", "architecture", "network", "net" },
        { "weights", "checkpoint", "pretrained", "state_dict" },
        { "rule", "learning_rule", "algorithm", "method" },
        { "root", "path", "data_dir", "folder", "dir" },
        { "samples", "n", "num_samples", "n_examples", "subset" },
        { "threads", "workers", "num_workers", "n_jobs" },
        { "restarts", "n_restarts", "num_restarts", "nb_restarts" },
    };

    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        bool is_one = false;
        for (size_t i = 0; i < 8 && groups[g][i]; i++)
            is_one = is_one || strcmp(groups[g][i], word) == 0;
        for (size_t i = 0; is_one && i < 8 && groups[g][i]; i++)
            for (size_t k = 0; k < count; k++)
                if (strcmp(groups[g][i], keys[k]) == 0)
                    return keys[k];
    }
    return NULL;
}

/* Small letters, and spaces for what parts words; false: too long. */
static bool spoken(const char *s, char ret[LONGEST + 1])
{
    const size_t n = strlen(s);

    if (n > LONGEST)
        return false;
    for (size_t i = 0; i <= n; i++)
        ret[i] = s[i] == '_' || s[i] == '-' ? ' ' : s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i];
    return true;
}

const char *synonym_plugin(struct registry *r, uint32_t kind, const char *word, const char *const *names, size_t count)
{
    const char *begins = NULL, *has = NULL;
    size_t beginning = 0, having = 0;
    char wanted[LONGEST + 1], summary[LONGEST + 1];

    if (strlen(word) < SHORTEST || !spoken(word, wanted))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const struct plugin *p;
        struct error ignored;
        if (registry_find(r, kind, names[i], &p, &ignored) != BIOFT_OK || !p->descriptor.summary ||
            !spoken(p->descriptor.summary, summary))
            continue;
        const char *at = strstr(summary, wanted);
        if (at == summary && summary[strlen(wanted)] == ':')
            return names[i];
        if (at == summary) {
            begins = names[i];
            beginning++;
        } else if (at) {
            has = names[i];
            having++;
        }
    }
    return beginning == 1 ? begins : beginning == 0 && having == 1 ? has : NULL;
}
