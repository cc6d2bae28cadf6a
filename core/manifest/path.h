/* Dotted paths of --set and of a sweep: stages.fine-tune.rule, attacks.0.steps. Entries of a list go by their name
 * (an attack's is its plugin's by default) or their number. */
#ifndef MANIFEST_PATH_H
#define MANIFEST_PATH_H

#include "manifest/diagnose.h"
#include "manifest/tree.h"

struct path {
    const char *text;
    struct mark mark; /* of its first character, for errors and new keys */
    bool in_place;    /* its characters stand at `mark`: components have places */
};

/* How the last component finds its place. */
enum path_end { PATH_KEY, PATH_NUMBER, PATH_NAME };
struct path_use {
    enum path_end end;
    bool by_plugin;        /* an entry was found by its plugin's name */
    struct yaml *replaced; /* what stood there; NULL: nothing */
};

/* Is it a path at all? Reported where it is not. */
bool path_check(const struct path *p, struct diagnostics *d);
/* Puts value there, in maps made on the way where there are none; a plugin's bare name becomes {plugin: name}. false:
 * the path leads nowhere, which is reported, or memory is out, which is *failed. */
bool path_put(const struct path *p, struct yaml *root, struct yaml *value, struct arena *arena, struct diagnostics *d,
              struct path_use *ret, bool *failed);
/* Takes out what is there, but for entries of a list. */
void path_remove(const char *path, struct yaml *root);
/* The path from its n-th component before the end, n from 1; the whole path where it has no more. */
const char *path_last(const char *path, size_t n);

#endif
