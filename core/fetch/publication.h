/* Where data and weights are published: NAME.fetch.json beside the plugins, so that a plugin brings its own.
 *
 *     {"what": TEXT, "page": URL, "files": [{"url": URL, "bytes": N, "sha256": HEX, "unpack": NAME | "take": NAME}]}
 *     {"what": TEXT, "page": URL, "agreement": TEXT}
 *
 * sha256: all 64 digits, or the first 8 or more where no others are published. bytes may be absent. unpack: the file is an
 * archive that holds a file or folder of this name; take: it is an archive, and this one file of it is wanted. */
#ifndef FETCH_PUBLICATION_H
#define FETCH_PUBLICATION_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugin/registry.h"

struct published_file {
    const char *url;
    const char *name;          /* the last part of url */
    const char *sha256;        /* lower case; may be its beginning */
    uint64_t bytes;            /* 0: not published */
    const char *unpack, *take; /* at most one of them; NULL */
    const char *gives;         /* what is in the folder when it is done, relative to it */
};
struct publication {
    uint32_t kind;
    const char *name, *what, *page;
    const char *agreement; /* what to do instead; then there are no files */
    const struct published_file *files;
    size_t count;
};

/* The table of a dataset, or of a backbone's weights. *ret NULL: no place has one. It lives in the arena. A table that is wrong
 * is BIOFT_ERR_FORMAT with its file and what is wrong. */
bioft_status publication_find(const struct registry *r, uint32_t kind, const char *name, struct arena *arena,
                              const struct publication **ret, struct error *err);
/* The names that have one, sorted. Freed with registry_names_free. */
bioft_status publication_names(const struct registry *r, uint32_t kind, char ***ret, size_t *ret_count,
                               struct error *err);
/* The same of one file. */
bioft_status publication_read(const char *path, uint32_t kind, const char *name, struct arena *arena,
                              const struct publication **ret, struct error *err);

/* Adds what is fetched from where with its size and sum, and the commands that do it without bioft. */
void publication_add_commands(const struct publication *s, const char *folder, struct text *t);
/* Adds the command that fetches it: "bioft fetch cifar10 --to FOLDER". */
void publication_add_command(const struct publication *s, const char *folder, struct text *t);
/* Is all of it in the folder, by name? */
bool publication_is_there(const struct publication *s, const char *folder);

#endif
