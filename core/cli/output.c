/* The output folder. */
#include "cli/output.h"

#include "base/file.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_MANIFEST = 64 << 20 };

/* The first line in which two texts differ, both sides. */
static bioft_status differs(const char *folder, const char *old, const char *new, struct error *err)
{
    size_t line = 1, at = 0, start = 0;
    while (old[at] && old[at] == new[at]) {
        if (old[at] == '\n') {
            line++;
            start = at + 1;
        }
        at++;
    }
    return error_set(err, BIOFT_ERR_INVALID, "%s belongs to another manifest; its manifest.yaml differs from line %zu\n"
                     "    there: %.*s\n    here:  %.*s\nuse another --out, or the manifest as it was", folder, line,
                     (int)strcspn(old + start, "\n"), old + start, (int)strcspn(new + start, "\n"), new + start);
}

static bioft_status check_manifest(const struct experiment *e, const char *folder, const char *path, struct error *err)
{
    uint8_t *bytes;
    size_t size;
    if (!file_exists(path))
        return error_set(err, BIOFT_ERR_INVALID, "%s is not empty and has no manifest.yaml: no run of bioft wrote it; "
                         "use another --out", folder);
    bioft_status st = file_read(path, MAX_MANIFEST, &bytes, &size, err);
    if (st != BIOFT_OK)
        return st;
    if (strcmp((char *)bytes, e->resolved) != 0)
        st = differs(folder, (char *)bytes, e->resolved, err);
    free(bytes);
    return st;
}

bioft_status output_open(const struct experiment *e, const char *out, bool resume, struct output *ret,
                         struct error *err)
{
    struct output o = { .folder = path_absolute(NULL, out ? out : e->output) };
    char *manifest = o.folder ? path_join(o.folder, "manifest.yaml") : NULL;
    char *lock = o.folder ? path_join(o.folder, ".lock") : NULL;
    bioft_status st = manifest && lock ? BIOFT_OK : error_memory(err, "the output folder");

    const bool fresh = st == BIOFT_OK && (!file_exists(o.folder) || file_folder_is_empty(o.folder));
    if (st == BIOFT_OK && !fresh && !resume)
        st = error_set(err, BIOFT_ERR_INVALID, "%s exists and is not empty; use --resume to go on with it, or another "
                       "--out", o.folder);
    if (st == BIOFT_OK && !fresh)
        st = check_manifest(e, o.folder, manifest, err);
    if (st == BIOFT_OK && fresh)
        st = file_make_folder(o.folder, err);
    if (st == BIOFT_OK) {
        st = file_lock(lock, &o.lock, err);
        o.locked = st == BIOFT_OK;
    }
    if (st == BIOFT_OK && fresh)
        st = file_write(manifest, e->resolved, strlen(e->resolved), err);
    free(manifest);
    free(lock);
    if (st != BIOFT_OK) {
        output_close(&o);
        return st;
    }
    *ret = o;
    return BIOFT_OK;
}

void output_close(struct output *o)
{
    if (o->locked)
        file_unlock(o->lock);
    free(o->folder);
    *o = (struct output){ 0 };
}
