/* provenance.json: what results depend on that the manifest does not say, of every process that added to them. */
#ifndef RESULTS_PROVENANCE_H
#define RESULTS_PROVENANCE_H

#include "base/error.h"
#include "base/text.h"

struct provenance_plugin {
    const char *kind, *name, *version, *path;
    uint32_t abi;
};
struct provenance_dataset {
    const char *plugin, *root, *split, *fingerprint, *content;
    uint64_t count, left_out;
};
struct provenance_weights {
    const char *stage, *file, *sha256;
};
struct provenance_library {
    const char *name, *version;
};
struct provenance {
    const char *const *argv;
    size_t argc;
    const char *manifest_sha256, *started, *host;
    long pid;
    const char *engine, *engine_identity, *engine_why, *precision;
    uint32_t threads;
    uint64_t seed;
    const struct provenance_plugin *plugins;
    size_t plugin_count;
    const struct provenance_dataset *datasets;
    size_t dataset_count;
    const struct provenance_weights *weights;
    size_t weights_count;
    const struct provenance_library *libraries; /* versions at run time */
    size_t library_count;
    const char *const *notes;
    size_t note_count;
};
/* The commit that was built, with "-dirty" where files differed from it; "unknown" outside a repository. */
const char *provenance_commit(void);
/* One process as an object that is written bit by bit: its circumstances; of each trial what it did, as strings that the
 * caller adds between the two; its end. finished NULL: it is at work, or was killed. Each may be followed by `end`s into a
 * copy. */
void provenance_begin(struct text *t, const struct provenance *p);
void provenance_trial(struct text *t, const char *id, uint64_t seed, const char *engine);
void provenance_trial_end(struct text *t);
void provenance_end(struct text *t, const char *finished);
/* provenance.json of the files of several processes, in their order: the first one's members, and `processes` with all. */
bioft_status provenance_join(const char *path, const char *const *parts, size_t count, struct error *err);

#endif
