/* The state dict in what a .pth holds: at the top, or below a key that checkpoints use. */
#include "base/text.h"
#include "formats/torch_private.h"

#include <string.h>

static const char *const places[] = { "state_dict", "model",   "model_state_dict",
                                      "net",        "network", "weights" };
enum { PLACES = sizeof places / sizeof *places, SHOWN = 12 };

/* Keys are text, values tensors, at least one. */
static bool is_state(const struct pickle *p, const struct pickle_value *v)
{
    if (v->type != PICKLE_DICT || pickle_count(p, v) == 0)
        return false;
    uint32_t at = p->containers[v->index].first;
    for (uint32_t left = pickle_count(p, v); left > 0; left -= 2) {
        const struct pickle_node *key = &p->nodes[at], *value = &p->nodes[key->next];
        if (key->value.type != PICKLE_STRING || value->value.type != PICKLE_TENSOR)
            return false;
        at = value->next;
    }
    return true;
}

static const struct pickle_value *member(const struct pickle *p, const struct pickle_value *dict,
                                         const char *name)
{
    uint32_t at = p->containers[dict->index].first;
    for (uint32_t left = pickle_count(p, dict); left > 0; left -= 2) {
        const struct pickle_node *key = &p->nodes[at], *value = &p->nodes[key->next];
        if (pickle_is(&key->value, name))
            return &value->value;
        at = value->next;
    }
    return NULL;
}

static const char *type_words(enum pickle_type type)
{
    switch (type) {
    case PICKLE_TUPLE:
    case PICKLE_LIST:
        return "a list";
    case PICKLE_TENSOR:
        return "one tensor";
    case PICKLE_STRING:
        return "text";
    default:
        return "no dict";
    }
}

/* What there is instead, for a person to choose from. */
static bioft_status no_state(struct torch_reading *r, const char *why)
{
    const struct pickle *p = &r->pickle;
    char escaped[TEXT_ESCAPED];
    struct text t = { 0 };
    if (r->object.type != PICKLE_DICT)
        return error_set(r->err, BIOFT_ERR_FORMAT, "%s: %s; it holds %s: save model.state_dict()",
                         r->name, why, type_words(r->object.type));
    uint32_t left = pickle_count(p, &r->object) / 2, shown = 0;
    for (uint32_t at = p->containers[r->object.index].first; left > 0 && shown < SHOWN;
         left--, shown++) {
        const struct pickle_node *key = &p->nodes[at];
        const char *comma = shown > 0 ? ", " : "";
        if (key->value.type == PICKLE_STRING)
            text_printf(&t, "%s'%s'", comma,
                        text_escape(escaped, key->value.as.text, key->value.index));
        else
            text_printf(&t, "%s%lld", comma, (long long)key->value.as.integer);
        at = p->nodes[key->next].next;
    }
    if (left > 0)
        text_printf(&t, " and %u more", left);
    bioft_status st =
        t.failed ? error_memory(r->err, r->name)
                 : error_set(r->err, BIOFT_ERR_FORMAT, "%s: %s; the top level has %s%s", r->name,
                             why, shown ? "keys " : "no keys", t.data ? t.data : "");
    text_free(&t);
    return st;
}

static bioft_status find(struct torch_reading *r, const struct pickle_value **ret,
                         const char **ret_key)
{
    const struct pickle *p = &r->pickle;
    const struct pickle_value *found = NULL;
    struct text several = { 0 };
    unsigned count = 0;
    const char *wanted = r->params->key;
    if (!wanted && is_state(p, &r->object)) {
        *ret = &r->object;
        return BIOFT_OK;
    }
    if (wanted) {
        found = r->object.type == PICKLE_DICT ? member(p, &r->object, wanted) : NULL;
        if (!found || !is_state(p, found))
            return no_state(r, "no state dict under the key that is asked for");
        *ret = found;
        *ret_key = wanted;
        return BIOFT_OK;
    }
    for (size_t i = 0; i < PLACES && r->object.type == PICKLE_DICT; i++) {
        const struct pickle_value *v = member(p, &r->object, places[i]);
        if (!v || !is_state(p, v))
            continue;
        text_printf(&several, "%s'%s'", count++ ? ", " : "", places[i]);
        found = v;
        *ret_key = places[i];
    }
    bioft_status st = BIOFT_OK;
    if (several.failed)
        st = error_memory(r->err, r->name);
    else if (count == 0)
        st = no_state(r, "no state dict");
    else if (count > 1)
        st = error_set(r->err, BIOFT_ERR_FORMAT,
                       "%s: several state dicts, %s; take one out with bioft weights convert --key "
                       "KEY FILE "
                       "NEW",
                       r->name, several.data);
    text_free(&several);
    *ret = found;
    return st;
}

/* Row-major where every stride is the product of the sizes after it; sizes of 1 do not count. */
static void set_strides(const struct pickle_tensor *t, struct tensor_entry *e, size_t item)
{
    uint64_t expected = 1, last = 0;
    for (unsigned d = t->dims; d-- > 0;) {
        if (t->shape[d] != 1 && t->stride[d] != expected)
            e->strided = t->count > 0;
        expected *= t->shape[d];
        if (t->count > 0)
            last += (t->shape[d] - 1) * t->stride[d];
    }
    memcpy(e->shape, t->shape, sizeof e->shape);
    memcpy(e->stride, t->stride, sizeof e->stride);
    e->size = t->count > 0 ? (size_t)(last + 1) * item : 0;
}

static bioft_status make_entry(struct torch_reading *r, const struct pickle_value *key,
                               const struct pickle_tensor *t, struct arena *arena,
                               struct tensor_entry *ret)
{
    const struct pickle_storage *s = &r->pickle.storages[t->storage];
    const uint32_t first = r->first[t->storage];
    char escaped[TEXT_ESCAPED];
    if (key->index == 0 || key->index > TENSOR_NAME || memchr(key->as.text, 0, key->index))
        return error_set(r->err, BIOFT_ERR_FORMAT,
                         "%s: tensor '%s': a name of %u bytes, 1 to %d without NUL "
                         "are possible",
                         r->name, text_escape(escaped, key->as.text, key->index), key->index,
                         TENSOR_NAME);
    *ret = (struct tensor_entry){
        .name = arena_text_n(arena, key->as.text, key->index),
        .dtype = storage_dtype(s->type),
        .dims = t->dims,
        .count = (size_t)t->count,
        .bytes = r->data[first] + (size_t)(s->offset + t->offset) * storage_item(s->type),
    };
    if (!ret->name)
        return error_memory(r->err, r->name);
    strcpy(ret->dtype_name, tensor_dtype_name(ret->dtype));
    set_strides(t, ret, storage_item(s->type));
    r->used[first] = true;
    return BIOFT_OK;
}

bioft_status torch_find_state(struct torch_reading *r, struct torch_file *ret)
{
    const struct pickle *p = &r->pickle;
    const struct pickle_value *state = NULL;
    const char *key = NULL;
    bioft_status st = find(r, &state, &key);
    if (st != BIOFT_OK)
        return st;
    const uint32_t count = pickle_count(p, state) / 2;
    ret->tensors = arena_array(ret->arena, count, sizeof *ret->tensors);
    ret->key = key ? arena_text(ret->arena, key) : NULL;
    if (!ret->tensors || (key && !ret->key))
        return error_memory(r->err, r->name);
    uint32_t at = p->containers[state->index].first;
    for (ret->count = 0; ret->count < count && st == BIOFT_OK; ret->count++) {
        const struct pickle_node *name = &p->nodes[at], *value = &p->nodes[name->next];
        st = make_entry(r, &name->value, &p->tensors[value->value.index], ret->arena,
                        &ret->tensors[ret->count]);
        at = value->next;
    }
    return st;
}
