/* From a manifest's file to a checked experiment: read, --set, registry, sweep, every trial, canonical text. */
#include "manifest/experiment.h"

#include "base/file.h"
#include "base/threads.h"
#include "manifest/expand.h"
#include "manifest/resolve.h"
#include "base/utf8.h"
#include "manifest/varied.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 }; /* of manifests: `bioft: 1` */

/* Everything that reading needs and the experiment does not keep. */
struct job {
    const struct experiment_params *params;
    struct experiment *experiment;
    uint8_t *bytes;
    struct source source;
    struct arena *scratch; /* the tree */
    struct diagnostics d;
    struct reader reader;
    struct sets sets;
    struct sweep sweep, search;
    struct resolve_common common;
    bool plugins_set;           /* by --set: the user's own words */
    struct yaml *root, *shared; /* shared: what the canonical trees of all trials have in common */
};

static bioft_status out_of_memory(struct error *err) { return error_memory(err, "a manifest"); }

/* The folder that a path's file is in, with links followed, so that it is the same from everywhere. */
static const char *folder_of(struct reader *r, const char *path)
{
    char *folder = path_folder(path), *real = folder ? realpath(folder, NULL) : NULL;
    char *absolute = real ? real : folder ? path_absolute(NULL, folder) : NULL;
    const char *copy = absolute ? read_copy(r, absolute) : NULL;

    r->failed = r->failed || !copy;
    free(absolute);
    free(folder);
    return copy;
}

static bool is_utf8(const char *s)
{
    const char *end = s + strlen(s);
    uint32_t c;

    while (s < end) {
        size_t n = utf8_next(s, end, &c);
        if (n == 0)
            return false;
        s += n;
    }
    return true;
}

/* The file as a tree with --set applied. BIOFT_ERR_INVALID: reported. */
static bioft_status open_tree(struct job *j, struct error *err)
{
    const struct experiment_params *p = j->params;
    struct arena *arena = j->experiment->arena;
    size_t size;
    struct error why;
    bioft_status st = file_read(p->path, YAML_BYTES, &j->bytes, &size, &why);

    if (st == BIOFT_ERR_MEMORY)
        return out_of_memory(err);
    j->source.path = p->path;
    if (st != BIOFT_OK) {
        diagnose_error(&j->d, (struct mark){ 0 }, 0, "%s", why.text);
        return BIOFT_ERR_INVALID;
    }
    j->source.bytes = (const char *)j->bytes;
    j->source.size = size;
    if (!sets_open(p->set, p->set_count, arena, &j->sets))
        return out_of_memory(err);
    j->d.sets = j->sets.sources;
    j->d.set_count = j->sets.count;
    j->reader.set_sweeps = j->sets.sweeps;
    st = yaml_parse(&j->source, j->scratch, &j->d, &j->root);
    if (st == BIOFT_OK && j->root->type != YAML_MAP) {
        diagnose_error(&j->d, j->root->mark, 0, "a manifest is a map of keys; this is %s",
                       yaml_is_null(j->root) ? "empty" : "none");
        st = BIOFT_ERR_INVALID;
    }
    if (st == BIOFT_OK && !sets_apply(&j->sets, j->root, j->scratch, &j->d))
        st = BIOFT_ERR_MEMORY;
    return st == BIOFT_ERR_MEMORY ? out_of_memory(err) : st;
}

/* Only what this version reads; nothing else means anything in another. */
static bool check_version(struct job *j)
{
    struct yaml *node = read_member(j->root, "bioft");
    const size_t before = j->d.errors;

    if (!node) {
        read_error(&j->reader, j->root, "'bioft' is missing: bioft: %d is the version of the manifest's format",
                   (int)FORMAT);
        return false;
    }
    const int64_t version = read_integer_node(&j->reader, node, "bioft", 1, INT64_MAX, 0);
    if (j->d.errors == before && version != FORMAT)
        read_error(&j->reader, node, "version %lld of the manifest's format; this bioft reads version %d",
                   (long long)version, (int)FORMAT);
    return version == FORMAT;
}

static void read_plugin_paths(struct job *j)
{
    struct reader *r = &j->reader;
    struct yaml *list = read_member(j->root, "plugins");
    const char **paths;
    char found[READ_FOUND];

    if (!list)
        return;
    if (list->type != YAML_LIST) {
        read_error(r, list, "'plugins': a list of folders and files expected, found %s", read_found(found, list));
        return;
    }
    j->plugins_set = list->mark.source > 0;
    paths = read_array(r, list->count, sizeof *paths);
    for (size_t i = 0; paths && i < list->count; i++) {
        const char *path = read_path_node(r, list->items[i], "plugins");
        if (path)
            paths[j->common.plugin_count++] = path;
    }
    j->common.plugins = paths;
}

/* Name, folders and places: what all trials share. */
static void read_common(struct job *j)
{
    struct reader *r = &j->reader;
    struct yaml *node;
    const char *output = j->params->out;

    r->working_folder = folder_of(r, "working");
    r->folder = folder_of(r, j->params->path);
    if (r->failed)
        return;
    if ((node = read_member(j->root, "folder")) && !j->params->folder) {
        const char *folder = read_path_node(r, node, "folder");
        if (folder)
            r->folder = folder;
    }
    if (j->params->folder)
        r->folder = read_copy(r, j->params->folder);
    if ((node = read_member(j->root, "name")))
        j->common.name = read_name_node(r, node, "name", true);
    else
        read_error(r, j->root, "'name' is missing: it names the experiment and its output folder");
    read_plugin_paths(j);
    if ((node = read_member(j->root, "baseline")))
        j->common.baseline = read_scalar(r, node, "baseline", "the name of a rule");
    node = read_member(j->root, "output");
    if (!output && node)
        output = read_scalar(r, node, "output", "a path");
    if (!j->common.name)
        j->common.name = "unnamed";
    if (!output)
        output = arena_printf(r->arena, "runs/%s", j->common.name);
    char *absolute = output ? path_of_user(r->working_folder, output) : NULL;
    j->common.output = absolute ? read_copy(r, absolute) : NULL;
    r->failed = r->failed || !j->common.output;
    if (absolute && !path_fits(absolute))
        read_error(r, node ? node : j->root,
                   "the output folder has a name of more than 255 bytes, which no file system has, or "
                   "is too deep: %.100s...",
                   absolute);
    free(absolute);
    j->common.folder = r->folder;
}

static bioft_status open_registry(struct job *j, struct error *err)
{
    const struct experiment_params *p = j->params;
    const struct registry_places places = {
        .command_line = p->plugin_paths,
        .command_line_count = p->plugin_path_count,
        .manifest = j->common.plugins,
        .manifest_count = j->common.plugin_count,
        .trust_manifest = p->trust_plugins || j->plugins_set,
        .environment = true,
        .implicit = true,
    };
    bioft_status st = registry_create(&places, p->log, &j->experiment->registry, err);

    j->reader.registry = j->experiment->registry;
    if (st == BIOFT_ERR_INVALID) {
        text_add(&j->d.text, "error: ");
        text_add(&j->d.text, err->text);
        text_add(&j->d.text, "\n");
        j->d.errors++;
    }
    return st;
}

/* The values of a candidate, as those of the sweep. */
static bool name_candidate(struct job *j, size_t candidate, struct trial *t)
{
    struct trial named = { 0 };
    const bool good = sweep_name(&j->search, candidate, j->experiment->arena, &named);

    t->searched = named.swept;
    t->searched_count = named.swept_count;
    return good;
}

/* One trial, with the values of one candidate, read from its own copy of the tree. Where nothing is wrong so far it gets its
 * texts and keys. */
static bool read_one(struct job *j, size_t number, size_t candidate, struct trial *t, struct arena *scratch)
{
    struct experiment *e = j->experiment;
    const bool first = number == 0 && candidate == 0;
    struct reading reading = { .trial = t };
    struct resolver b = { .arena = first ? j->scratch : scratch, .folder = j->common.folder };
    struct yaml *root = yaml_copy(j->root, scratch), *resolved;
    struct text text = { 0 };

    t->number = (uint32_t)number;
    if (!root || !sweep_name(&j->sweep, number, e->arena, t) || !name_candidate(j, candidate, t) ||
        !sweep_apply(&j->sweep, number, &j->sets, root, scratch, &j->d) ||
        !sweep_apply(&j->search, candidate, &j->sets, root, scratch, &j->d))
        return false;
    read_trial(&j->reader, root, &reading);
    if (j->reader.failed || j->d.errors > 0)
        return !j->reader.failed;
    resolved = resolve_trial(&b, &j->common, &reading);
    if (!resolved)
        return false;
    tree_write(resolved, &text);
    t->resolved = text.failed ? NULL : arena_text(e->arena, text.data);
    text_free(&text);
    b.key = true;
    b.arena = scratch;
    resolve_keys(&b, &reading);
    b.identity = true;
    const struct yaml *identity = resolve_identity(&b, &reading);
    if (!identity || !settings_read(identity, e->arena, &t->deciding) ||
        !settings_read(resolved, e->arena, &t->settings))
        return false;
    if (first)
        j->shared = resolved;
    else
        resolve_merge(j->shared, resolved);
    return t->resolved && !b.failed;
}

/* A search compares accuracies of networks that were trained. */
static void check_searched(struct job *j, const struct trial *t)
{
    if (j->d.errors == 0 && t->stage_count == 0)
        diagnose_error(&j->d, j->search.mark, 0, "'search': there is no stage that would train");
    else if (j->d.errors == 0 && trial_head(t, t->stage_count - 1)->bits > 0)
        diagnose_error(&j->d, j->search.mark, 0,
                       "'search' compares accuracies: the last stage's head needs classes, not bits");
}

/* A trial with all of its candidates; it is the first of them. */
static bool read_candidates(struct job *j, size_t number)
{
    struct experiment *e = j->experiment;
    const size_t count = j->search.trials;
    struct trial *all = arena_array(e->arena, count, sizeof *all);

    for (size_t k = 0; all && k < count && j->d.errors <= DIAGNOSE_MOST; k++) {
        struct arena *scratch = arena_create();
        const bool good = scratch && read_one(j, number, k, &all[k], scratch);
        arena_destroy(scratch);
        if (!good)
            return false;
        if (j->search.count > 0)
            check_searched(j, &all[k]);
    }
    if (!all)
        return false;
    e->trials[number] = all[0];
    if (j->search.count > 0) {
        e->trials[number].candidates = all;
        e->trials[number].candidate_count = count;
    }
    return true;
}

static bool read_trials(struct job *j)
{
    struct experiment *e = j->experiment;

    if (!sweep_open(j->root, "sweep", e->arena, &j->d, &j->sweep) ||
        !sweep_open(j->root, "search", e->arena, &j->d, &j->search))
        return false;
    search_check(&j->search, &j->sweep, &j->d);
    e->search_mark = j->search.mark;
    e->trial_count = j->sweep.trials;
    e->trials = arena_array(e->arena, e->trial_count, sizeof *e->trials);
    for (size_t i = 0; e->trials && i < e->trial_count && j->d.errors <= DIAGNOSE_MOST; i++)
        if (!read_candidates(j, i))
            return false;
    return e->trials;
}

/* The trials that attacks take their images from. */
static void find_surrogates(struct job *j)
{
    struct experiment *e = j->experiment;

    for (size_t i = 0; i < e->trial_count; i++)
        for (size_t a = 0; a < e->trials[i].attack_count; a++) {
            struct attack_spec *s = &e->trials[i].attacks[a];
            size_t found, unknown;
            if (!s->from)
                continue;
            if (e->trials[i].candidate_count) {
                diagnose_error(&j->d, s->from->mark, 0,
                               "'from' and 'search' exclude each other: the other network is known only "
                               "when its search is done");
                continue;
            }
            const struct sweep_point point = { s->from->keys, s->from->values, s->from->count };
            if (sweep_find(&j->sweep, i, &point, &found, &unknown))
                s->surrogate = &e->trials[found];
            else if (unknown < point.count)
                diagnose_error(&j->d, s->from->mark, 0, "'from': '%s' is not a path of the sweep", point.keys[unknown]);
            else
                diagnose_error(&j->d, s->from->mark, 0,
                               "'from': the sweep does not have a trial with %s for all of its other "
                               "values",
                               s->from->text);
        }
}

/* The manifest as resolved, and the sum over what decides its results. */
static bool finish(struct job *j)
{
    struct experiment *e = j->experiment;
    struct text text = { 0 };
    struct sha256 *sum = sha256_begin();
    const char **paths = arena_array(e->arena, j->sweep.count, sizeof *paths);
    bool good = sum && paths;

    for (size_t i = 0; good && i < j->sweep.count; i++) {
        paths[i] = j->sweep.paths[i].text;
        path_remove(paths[i], j->shared);
    }
    for (size_t i = 0; i < j->search.count; i++)
        path_remove(j->search.paths[i].text, j->shared);
    resolve_prune(j->shared);
    if (good && j->sweep.count > 0)
        good = tree_put(j->scratch, j->shared, tree_scalar(j->scratch, "sweep", (struct mark){ 0 }, 0),
                        sweep_node(&j->sweep, j->scratch));
    if (good && j->search.count > 0)
        good = tree_put(j->scratch, j->shared, tree_scalar(j->scratch, "search", (struct mark){ 0 }, 0),
                        sweep_node(&j->search, j->scratch));
    tree_write(j->shared, &text);
    e->resolved = text.failed ? NULL : arena_text(e->arena, text.data);
    text_free(&text);
    for (size_t i = 0; good && i < e->trial_count; i++) {
        sha256_add(sum, e->trials[i].id, strlen(e->trials[i].id) + 1);
        sha256_add(sum, e->trials[i].key, strlen(e->trials[i].key));
        for (size_t k = 1; k < e->trials[i].candidate_count; k++)
            sha256_add(sum, e->trials[i].candidates[k].key, strlen(e->trials[i].candidates[k].key));
    }
    sha256_end(sum, e->key);
    good = good && varied_find(e);
    e->sweep_paths = paths;
    e->sweep_count = j->sweep.count;
    e->name = j->common.name;
    e->output = j->common.output;
    e->folder = j->common.folder;
    return good && e->resolved;
}

static bioft_status run_job(struct job *j, struct error *err)
{
    bioft_status st = open_tree(j, err);

    if (st != BIOFT_OK)
        return st;
    if (!check_version(j))
        return BIOFT_ERR_INVALID;
    read_common(j);
    if (j->reader.failed)
        return out_of_memory(err);
    if (!is_utf8(j->common.folder) || !is_utf8(j->common.output))
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "the folder of the manifest or of the output has a name that is "
                         "not UTF-8: %s, %s",
                         j->common.folder, j->common.output);
    st = open_registry(j, err);
    if (st != BIOFT_OK)
        return st;
    if (!read_trials(j) || j->reader.failed)
        return out_of_memory(err);
    if (j->d.errors == 0)
        find_surrogates(j);
    if (j->d.text.failed)
        return out_of_memory(err);
    if (j->d.errors > 0)
        return BIOFT_ERR_INVALID;
    return finish(j) ? BIOFT_OK : out_of_memory(err);
}

bioft_status experiment_read(const struct experiment_params *p, struct experiment **ret, char **ret_text,
                             struct error *err)
{
    struct job *j = mem_array(1, sizeof *j);
    struct arena *arena = arena_create();
    struct experiment *e = arena ? arena_array(arena, 1, sizeof *e) : NULL;
    bioft_status st;
    struct error why = { 0 };

    *ret_text = NULL;
    if (!j || !e || !(j->scratch = arena_create())) {
        arena_destroy(arena);
        free(j);
        return out_of_memory(err);
    }
    e->arena = arena;
    j->params = p;
    j->experiment = e;
    j->d.source = &j->source;
    j->reader = (struct reader){ .arena = arena, .d = &j->d, .threads = p->threads ? p->threads : threads_default() };
    st = run_job(j, &why);
    if ((st == BIOFT_ERR_INVALID || st == BIOFT_OK) && (j->d.text.failed || !diagnostics_sort(&j->d)))
        st = out_of_memory(&why);
    if (st == BIOFT_ERR_INVALID || st == BIOFT_OK) {
        *ret_text = j->d.text.data;
        j->d.text.data = NULL;
    }
    if (st == BIOFT_ERR_INVALID)
        error_set(err, st, "%s: %zu error%s", p->path, j->d.errors, j->d.errors == 1 ? "" : "s");
    else if (st != BIOFT_OK)
        error_set(err, st, "%s", why.text);
    if (st == BIOFT_OK)
        *ret = e;
    else
        experiment_destroy(e);
    diagnostics_free(&j->d);
    arena_destroy(j->scratch);
    free(j->bytes);
    free(j);
    return st;
}

const struct head_spec *trial_head(const struct trial *t, size_t stage)
{
    const struct head_spec *head = &t->head;

    for (size_t i = 0; i < t->stage_count && i <= stage; i++) {
        const struct head_spec *own = t->stages[i].head;
        if (own && (!own->reuse || own->classes > 0 || own->bits > 0))
            head = own;
    }
    return head;
}

void experiment_destroy(struct experiment *e)
{
    if (!e)
        return;
    registry_destroy(e->registry);
    arena_destroy(e->arena);
}
