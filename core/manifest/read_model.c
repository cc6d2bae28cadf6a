/* The sections `engine`, with `threads` and `precision`, and `model`. */
#include "base/file.h"
#include "fetch/hint.h"
#include "manifest/read.h"
#include "plugin/precision.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_HEAD = 1 << 24, FEWEST_BITS = 8, MOST_BITS = 512, MOST_THREADS = 4096 };

static bool is_auto(const struct yaml *node)
{
    return node && node->type == YAML_SCALAR && strcmp(node->text, "auto") == 0;
}

void read_engine(struct reader *r, struct yaml *root, struct reading *ret)
{
    static const char *const keys[] = { "plugin", "threads", NULL };
    struct yaml *node = read_member(root, "engine");
    struct choice choice = { 0 };
    struct trial *t = ret->trial;

    t->precision = BIOFT_F32 + (uint32_t)read_word(r, root, "precision", precision_words(), 0);
    ret->threads = (uint32_t)read_integer(r, root, "threads", 1, MOST_THREADS, r->threads);
    t->threads = ret->threads;
    if (!node)
        return;
    if (node->type == YAML_MAP)
        ret->engine_threads = (uint32_t)read_integer(r, node, "threads", 1, MOST_THREADS, 0);
    if (ret->engine_threads > 0)
        t->threads = ret->engine_threads;
    if (is_auto(node))
        return;
    if (node->type == YAML_MAP && (!yaml_get(node, "plugin") || is_auto(yaml_get(node, "plugin")))) {
        read_member(node, "plugin");
        read_unknown(r, node, "of an engine chosen by itself", keys, NULL);
        return;
    }
    read_choice(r, node, BIOFT_KIND_ENGINE, keys, &choice, NULL);
    t->engine = choice.plugin;
    t->engine_values = choice.values;
}

void read_head(struct reader *r, struct yaml *node, struct head_spec *ret)
{
    static const char *const keys[] = { "classes", "bits", "reuse", NULL };

    *ret = (struct head_spec){ .mark = node->mark };
    if (!read_is_map(r, node, "head", "{classes: 10}"))
        return;
    ret->classes = (uint32_t)read_integer(r, node, "classes", 1, LARGEST_HEAD, 0);
    ret->bits = (uint32_t)read_integer(r, node, "bits", FEWEST_BITS, MOST_BITS, 0);
    ret->reuse = read_bool(r, node, "reuse", false);
    if (ret->classes > 0 && ret->bits > 0) {
        read_error(r, node, "'head' has 'classes' and 'bits'; it is for one of them");
        ret->bits = 0;
    }
    read_unknown(r, node, "in 'head'", keys, NULL);
}

/* Below the error that a file is not there. */
static void note_weights(struct reader *r, const struct yaml *node, const char *key)
{
    const char *path = read_absolute(r, node, key);
    char *hint = path ? hint_weights(r->registry, path) : NULL;

    if (hint)
        diagnose_note(r->d, "%s", hint);
    free(hint);
}

static const char *read_file(struct reader *r, const struct yaml *node, const char *key)
{
    const char *path = read_path_node(r, node, key);

    if (!path)
        note_weights(r, node, key);
    if (!path || !file_is_folder(path))
        return path;
    read_error(r, node, "'%s': a file expected; '%s' is a folder", key, path);
    return NULL;
}

/* A text that outlives the manifest's tree. */
static const char *read_kept(struct reader *r, const struct yaml *node, const char *key, const char *what)
{
    const char *text = read_scalar(r, node, key, what);
    return text ? read_copy(r, text) : NULL;
}

/* {head.: fc.}: in the manifest's order. */
static void read_rename(struct reader *r, const struct yaml *node, struct weights_spec *ret)
{
    char found[READ_FOUND];

    if (node->type != YAML_MAP || node->count == 0) {
        read_error(r, node, "'rename': a map such as {head.: fc.} expected, found %s",
                   node->type == YAML_MAP ? "an empty one" : read_found(found, node));
        return;
    }
    struct name_change *changes = read_array(r, node->count, sizeof *changes);
    for (size_t i = 0; changes && i < node->count; i++) {
        node->items[i]->used = true;
        changes[i].from = read_copy(r, node->keys[i]->text);
        changes[i].to = yaml_is_null(node->items[i]) ? "" : read_kept(r, node->items[i], "rename", "a name");
        if (!changes[i].from || !changes[i].to)
            return;
    }
    ret->rename = changes;
    ret->rename_count = changes ? node->count : 0;
}

const struct weights_spec *read_weights(struct reader *r, struct yaml *map)
{
    static const char *const members[] = { "file", "prefix", "rename", "key", NULL };
    struct yaml *node = read_member(map, "weights"), *member;
    struct weights_spec *w = node ? read_array(r, 1, sizeof *w) : NULL;

    if (!w)
        return NULL;
    if (node->type != YAML_MAP) {
        w->file = read_file(r, node, "weights");
        return w->file ? w : NULL;
    }
    if ((member = read_member(node, "file")))
        w->file = read_file(r, member, "file");
    else
        read_error(r, node, "'file' is missing in 'weights'");
    if ((member = read_member(node, "key")))
        w->key = read_kept(r, member, "key", "a key of the file's dict");
    if ((member = read_member(node, "prefix")))
        w->prefix = read_kept(r, member, "prefix", "a prefix of names, or ''");
    if ((member = read_member(node, "rename")))
        read_rename(r, member, w);
    read_unknown(r, node, "in 'weights'", members, NULL);
    return w->file ? w : NULL;
}

void read_model(struct reader *r, struct yaml *root, struct trial *ret)
{
    static const char *const keys[] = { "backbone", "weights", "head", NULL };
    static const char *const backbone_keys[] = { "plugin", NULL };
    struct yaml *node = read_member(root, "model"), *member;

    if (!node) {
        read_error(r, root, "'model' is missing: model: {backbone: NAME}");
        return;
    }
    if (!read_is_map(r, node, "model", "{backbone: NAME}"))
        return;
    if ((member = read_member(node, "backbone")))
        read_choice(r, member, BIOFT_KIND_BACKBONE, backbone_keys, &ret->backbone, NULL);
    else
        read_error(r, node, "'backbone' is missing in 'model'");
    ret->weights = read_weights(r, node);
    if ((member = read_member(node, "head")))
        read_head(r, member, &ret->head);
    read_unknown(r, node, "in 'model'", keys, NULL);
}
