/* PyTorch's .pth, zip and legacy, opened as a list of tensors; nothing in it is ever executed.
 * Files of PyTorch 0.1 (tar) are recognised and refused. */
#ifndef FORMATS_TORCH_H
#define FORMATS_TORCH_H

#include "base/text.h"
#include "base/threads.h"
#include "formats/tensor.h"

enum torch_kind { TORCH_NONE, TORCH_ZIP, TORCH_LEGACY, TORCH_TAR, TORCH_OLD };
enum torch_kind torch_recognise(const uint8_t *bytes, size_t size); /* by the first bytes */

struct torch_params {
    const char *key; /* under which the state dict stands, with dots between keys of
                                     * dicts in dicts; NULL: at the top, or the one that is found
                                     * below a well-known key */
    /* Of the names, for weights_open: those with the prefix are all there is, and lose it (NULL:
     * well-known ones are looked through; "": none); then names, or their beginnings, are replaced. */
    const char *prefix;
    const struct name_change *rename;
    size_t rename_count;
    bool whole;        /* nothing is left out: only what all names begin with */
    bool unverified;   /* the zip's checksums are not compared */
    struct pool *pool; /* shares the checksums; may be NULL */
};
struct torch_file {
    enum torch_kind kind;
    const char *key;              /* as found; NULL: at the top */
    const char *note;             /* what was left out, what else could be meant; NULL: nothing */
    struct tensor_entry *tensors; /* in the state dict's order */
    size_t count;
    struct arena *arena;
};
/* name: for messages. bytes must outlive *ret, which torch_free ends. Every tensor lies within the
 * bytes, and views are left as they are: tensor.h's functions read them row by row. */
bioft_status torch_parse(const char *name, const uint8_t *bytes, size_t size, const struct torch_params *params,
                         struct torch_file *ret, struct error *err);
void torch_free(struct torch_file *file); /* zero is fine */

/* Writing what torch.load(weights_only=True) accepts, a dict of tensors: declare, begin, give the
 * data of each in the order declared, commit. Whole or not at all; the same bytes for the same
 * tensors. */
struct torch_writer;
bioft_status torch_begin(const char *path, const struct tensor_out *tensors, size_t count, struct torch_writer **ret,
                         struct error *err);
bioft_status torch_add(struct torch_writer *w, const void *data, size_t bytes, struct error *err);
/* Frees w, whatever it returns. */
bioft_status torch_commit(struct torch_writer *w, struct error *err);
void torch_abort(struct torch_writer *w); /* NULL is fine */

#endif
