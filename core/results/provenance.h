/* provenance.json: what a result depends on that the manifest does not say (docs/formats.md). */
#ifndef RESULTS_PROVENANCE_H
#define RESULTS_PROVENANCE_H

#include "base/error.h"
#include "base/text.h"

struct provenance_plugin { const char *kind, *name, *version, *path; uint32_t abi; };
struct provenance_dataset { const char *plugin, *root, *split, *fingerprint; uint64_t count, left_out; };
struct provenance_library { const char *name, *version; };
struct provenance {
    const char *const *argv;
    size_t argc;
    const char *manifest_key, *started, *finished;         /* finished NULL: still running */
    const char *engine, *engine_identity, *engine_why, *precision;
    uint32_t threads;
    uint64_t seed;
    const struct provenance_plugin *plugins;
    size_t plugin_count;
    const struct provenance_dataset *datasets;
    size_t dataset_count;
    const struct provenance_library *libraries;    /* versions at run time */
    size_t library_count;
    const char *const *notes;
    size_t note_count;
};
bioft_status provenance_write(const char *path, const struct provenance *p, struct error *err);

#endif
