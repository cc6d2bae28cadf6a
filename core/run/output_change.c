/* What a manifest that changed means for the results that are there. */
#include "run/output_change.h"

#include "base/file.h"
#include "run/trial.h"
#include <stdlib.h>
#include <string.h>

static bool has_numbers(const struct attack_spec *old, const struct attack_spec *new)
{
    for (size_t i = 0; i < old->epsilon_count; i++) {
        bool found = false;
        for (size_t k = 0; k < new->epsilon_count && !found; k++)
            found = old->epsilon[i] == new->epsilon[k];
        if (!found)
            return false;
    }
    for (size_t i = 0; i < old->gradient_count; i++) {
        bool found = false;
        for (size_t k = 0; k < new->gradient_count && !found; k++)
            found = old->gradients[i] == new->gradients[k];
        if (!found)
            return false;
    }
    return true;
}

static bool has_attacks(const struct trial *old, const struct trial *new)
{
    for (size_t i = 0; i < old->attack_count; i++) {
        bool found = false;
        for (size_t k = 0; k < new->attack_count && !found; k++)
            found = strcmp(old->attacks[i].key, new->attacks[k].key) == 0 &&
                    has_numbers(&old->attacks[i], &new->attacks[k]);
        if (!found)
            return false;
    }
    return true;
}

bool change_only_adds(const struct experiment *old, const struct experiment *new)
{
    if (new->trial_count < old->trial_count)
        return false;
    for (size_t i = 0; i < old->trial_count; i++) {
        const struct trial *a = &old->trials[i], *b = &new->trials[i];
        if (strcmp(a->id, b->id) != 0 || strcmp(a->base_key, b->base_key) != 0 || !has_attacks(a, b))
            return false;
    }
    return true;
}

bioft_status change_reopen_trials(const struct experiment *old, const struct experiment *new, const char *out,
                                  struct error *err)
{
    bioft_status st = BIOFT_OK;
    for (size_t i = 0; st == BIOFT_OK && i < old->trial_count; i++) {
        if (strcmp(old->trials[i].key, new->trials[i].key) == 0)
            continue;
        char *results = trial_results_path(out, &old->trials[i]);
        st = results ? file_remove(results, err) : error_memory(err, "a path");
        free(results);
    }
    return st;
}

/* Lines of a resolved manifest one after another. */
struct lines {
    const char *at;
    size_t number, length;
    bool inner; /* the next line belongs to `checkpoint:` */
};

static bool is_key(const struct lines *l, const char *key, bool at_top)
{
    const char *s = l->at;
    size_t indent = strspn(s, " ");
    if (!at_top && s[indent] == '-')
        indent += 1 + strspn(s + indent + 1, " ");
    const size_t n = strlen(key);
    return (!at_top || indent == 0) && strncmp(s + indent, key, n) == 0 && s[indent + n] == ':';
}

/* Is the line in no key? */
static bool is_ignored(struct lines *l)
{
    static const char *const top[] = { "name", "folder", "output", "plugins", "log", "baseline" };
    static const char *const anywhere[] = { "threads", "cache", "alignment", "log_every", "checkpoint" };
    const bool inner = l->inner;

    l->inner = is_key(l, "checkpoint", false);
    for (size_t i = 0; i < sizeof top / sizeof *top; i++)
        if (is_key(l, top[i], true))
            return true;
    for (size_t i = 0; i < sizeof anywhere / sizeof *anywhere; i++)
        if (is_key(l, anywhere[i], false))
            return true;
    return inner && is_key(l, "every", false);
}

/* To the next line that counts; an empty one at the end. */
static void next_line(struct lines *l, bool all)
{
    do {
        l->at += l->length + (l->at[l->length] == '\n');
        l->length = strcspn(l->at, "\n");
        l->number++;
    } while (*l->at && !all && is_ignored(l));
}

/* false: no difference. */
static bool find_difference(const char *old, const char *new, bool all, struct lines *ret_old, struct lines *ret_new)
{
    *ret_old = (struct lines){ .at = old };
    *ret_new = (struct lines){ .at = new };
    do {
        next_line(ret_old, all);
        next_line(ret_new, all);
        if (ret_old->length != ret_new->length || memcmp(ret_old->at, ret_new->at, ret_old->length) != 0)
            return true;
    } while (*ret_old->at || *ret_new->at);
    return false;
}

bioft_status change_differs(const char *folder, const char *old, const char *new, struct error *err)
{
    struct lines there, here;
    if (!find_difference(old, new, false, &there, &here))
        find_difference(old, new, true, &there, &here);
    return error_set(err, BIOFT_ERR_INVALID,
                     "%s belongs to another manifest; its manifest.yaml differs in line %zu\n"
                     "    there: %.*s\n    here:  %.*s\nuse another --out, or the manifest as it was, or --force where "
                     "it only adds trials at the end or attacks",
                     folder, there.number, (int)there.length, there.at, (int)here.length, here.at);
}
