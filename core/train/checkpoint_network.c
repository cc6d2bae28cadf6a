/* The network that a checkpoint is of: what checkpoint_meta.c wrote, read back and checked. */
#include "train/checkpoint_network.h"

#include "formats/json.h"

#include <math.h>
#include <string.h>

struct reading {
    const struct weights *file;
    const char *path;
    struct arena *arena;
    struct checkpoint_network *ret;
    struct error *err;
};

static bioft_status bad(const struct reading *r, const char *key)
{
    return error_set(r->err, BIOFT_ERR_FORMAT, "%s: its metadata '%s' is not what a checkpoint of this bioft has",
                     r->path, key);
}

/* One entry as a tree; *ret is NULL where the file has none. */
static bioft_status member(const struct reading *r, const char *key, struct json **ret)
{
    const char *text = safetensors_metadata(r->file->safetensors, key);
    *ret = NULL;
    return text ? json_parse(r->path, text, strlen(text), r->arena, ret, r->err) : BIOFT_OK;
}

static bool to_integer(const struct json *j, uint32_t most, uint32_t *ret)
{
    if (!j || j->type != JSON_NUMBER || !(j->number >= 0 && j->number <= most) || j->number != floor(j->number))
        return false;
    *ret = (uint32_t)j->number;
    return true;
}

/* An option's item as a manifest would write it; *ret NULL for null. */
static bool item_text(const struct json *j, const char **ret)
{
    *ret = j->type == JSON_BOOL ? j->boolean ? "true" : "false" : j->type == JSON_NULL ? NULL : j->text;
    return j->type != JSON_ARRAY && j->type != JSON_OBJECT;
}

static bioft_status read_option(const struct reading *r, const char *key, const struct json *j)
{
    const struct plugin *plugin = r->ret->backbone;
    const char *name = plugin->descriptor.name;
    const size_t count = j->type == JSON_ARRAY ? j->count : 1;
    const char **items = arena_array(r->arena, count, sizeof(*items));
    size_t index = 0;
    const bioft_option *o = options_find(plugin, key, &index);
    if (!items)
        return error_memory(r->err, r->path);
    if (!o)
        return error_set(r->err, BIOFT_ERR_FORMAT,
                         "%s: made with a backbone '%s' of another version: this one has no option "
                         "'%s'",
                         r->path, name, key);
    for (size_t i = 0; i < count; i++)
        if (!item_text(j->type == JSON_ARRAY ? j->items[i] : j, &items[i]))
            return bad(r, "backbone");
    bioft_status st = option_parse(o, items, count, j->type == JSON_ARRAY, "/", r->arena, &r->ret->values[index],
                                   r->err);
    return st == BIOFT_OK ? st : error_prefix(r->err, "%s: backbone '%s', option '%s'", r->path, name, key);
}

static bioft_status read_backbone(const struct reading *r, struct registry *registry)
{
    struct json *j;
    bioft_status st = member(r, "backbone", &j);
    const struct json *name = st == BIOFT_OK && j ? json_get(j, "plugin") : NULL;
    if (st != BIOFT_OK)
        return st;
    if (!name || name->type != JSON_STRING)
        return bad(r, "backbone");
    st = registry_find(registry, BIOFT_KIND_BACKBONE, name->text, &r->ret->backbone, r->err);
    if (st != BIOFT_OK)
        return error_prefix(r->err, "%s", r->path);
    st = options_defaults(r->ret->backbone, r->arena, &r->ret->values, r->err);
    for (size_t i = 0; i < j->count && st == BIOFT_OK; i++)
        if (j->items[i] != name)
            st = read_option(r, j->keys[i], j->items[i]);
    return st;
}

static bioft_status read_head(const struct reading *r)
{
    struct json *j;
    bioft_status st = member(r, "head", &j);
    if (st != BIOFT_OK)
        return st;
    r->ret->bits = json_get(j, "bits") != NULL;
    if (!j || !to_integer(json_get(j, r->ret->bits ? "bits" : "classes"), 1 << 24, &r->ret->outputs) ||
        r->ret->outputs == 0)
        return bad(r, "head");
    return st;
}

static bool read_floats(const struct json *j, uint32_t count, float *ret)
{
    if (!j || j->type != JSON_ARRAY || j->count != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (j->items[i]->type != JSON_NUMBER)
            return false;
        ret[i] = (float)j->items[i]->number;
    }
    return true;
}

static bioft_status read_image(const struct reading *r)
{
    struct image_format *p = &r->ret->image;
    struct json *j;
    bioft_status st = member(r, "picture", &j);
    if (st != BIOFT_OK)
        return st;
    if (!j || !to_integer(json_get(j, "channels"), 4, &p->channels) || p->channels == 0 ||
        !to_integer(json_get(j, "height"), 65500, &p->height) || p->height == 0 ||
        !to_integer(json_get(j, "width"), 65500, &p->width) || p->width == 0 ||
        !read_floats(json_get(j, "mean"), p->channels, p->mean) ||
        !read_floats(json_get(j, "std"), p->channels, p->std))
        return bad(r, "picture");
    for (uint32_t i = 0; i < p->channels; i++)
        if (!(p->std[i] > 0))
            return bad(r, "picture");
    return st;
}

static bool is_text(const struct json *j, const char *text)
{
    return j->type == JSON_STRING && strcmp(j->text, text) == 0;
}

static bioft_status read_transform(const struct reading *r)
{
    struct transform_spec *t = &r->ret->transform;
    struct json *j;
    bioft_status st = member(r, "transform", &j);
    if (st != BIOFT_OK || !j || is_text(j, "auto"))
        return st;
    t->kind = j->type == JSON_OBJECT ? TRANSFORM_MAP : TRANSFORM_NONE;
    if (t->kind == TRANSFORM_NONE ? !is_text(j, "none")
                                  : !to_integer(json_get(j, "size"), 65500, &t->size) ||
                                        !to_integer(json_get(j, "resize"), 65500, &t->resize))
        return bad(r, "transform");
    return st;
}

static bioft_status read_classes(const struct reading *r)
{
    struct json *j;
    bioft_status st = member(r, "classes", &j);
    if (st != BIOFT_OK || !j)
        return st;
    const char **names = arena_array(r->arena, j->count, sizeof(*names));
    if (!names)
        return error_memory(r->err, r->path);
    for (size_t i = 0; i < j->count; i++) {
        if (j->type != JSON_ARRAY || j->items[i]->type != JSON_STRING)
            return bad(r, "classes");
        names[i] = j->items[i]->text;
    }
    r->ret->classes = names;
    r->ret->class_count = j->count;
    return st;
}

bioft_status checkpoint_network(const struct weights *w, const char *path, struct registry *registry,
                                struct arena *arena, struct checkpoint_network *ret, struct error *err)
{
    struct checkpoint_network network = { .transform = { .kind = TRANSFORM_AUTO } };
    const struct reading r = {
        .file = w,
        .path = path,
        .arena = arena,
        .ret = &network,
        .err = err,
    };
    bioft_status st = read_backbone(&r, registry);
    if (st != BIOFT_OK)
        return st;
    st = read_head(&r);
    if (st != BIOFT_OK)
        return st;
    st = read_image(&r);
    if (st != BIOFT_OK)
        return st;
    st = read_transform(&r);
    if (st != BIOFT_OK)
        return st;
    st = read_classes(&r);
    if (st != BIOFT_OK)
        return st;
    *ret = network;
    return BIOFT_OK;
}
