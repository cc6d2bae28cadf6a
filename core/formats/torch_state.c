/* The state dict in what a .pth holds: at the top, or below a key that checkpoints use. */
#include "base/text.h"
#include "formats/torch_private.h"

#include <string.h>

static const char *const places[] = { "state_dict", "model", "model_state_dict", "net", "network", "weights" };
enum { PLACES = sizeof places / sizeof *places, SHOWN = 12 };

struct contents { /* of a dict whose keys are text */
    uint32_t tensors, others;
};

static struct contents contents_of(const struct pickle *p, const struct pickle_value *v)
{
    struct contents c = { 0 };
    if (v->type != PICKLE_DICT)
        return c;
    uint32_t at = p->containers[v->index].first;
    for (uint32_t left = pickle_count(p, v); left > 0; left -= 2) {
        const struct pickle_node *key = &p->nodes[at], *value = &p->nodes[key->next];
        if (key->value.type == PICKLE_STRING && value->value.type == PICKLE_TENSOR)
            c.tensors++;
        else
            c.others++;
        at = value->next;
    }
    return c;
}

/* Tensors, at least one, and nothing else. */
static bool is_state(const struct pickle *p, const struct pickle_value *v)
{
    const struct contents c = contents_of(p, v);
    return c.tensors > 0 && c.others == 0;
}

/* Mostly tensors: what else is there is left out, and told of. */
static bool is_mostly_state(const struct pickle *p, const struct pickle_value *v)
{
    const struct contents c = contents_of(p, v);
    return c.tensors > c.others;
}

static const struct pickle_value *member(const struct pickle *p, const struct pickle_value *dict, const char *name)
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
    case PICKLE_LIST: return "a list";
    case PICKLE_TENSOR: return "one tensor";
    case PICKLE_STRING: return "text";
    default: return "no dict";
    }
}

/* What there is instead, for a person to choose from. */
static bioft_status no_state(struct torch_reading *r, const char *why)
{
    const struct pickle *p = &r->pickle;
    char escaped[TEXT_ESCAPED];
    struct text t = { 0 };
    if (r->object.type != PICKLE_DICT)
        return error_set(r->err, BIOFT_ERR_FORMAT, "%s: %s; it holds %s: save model.state_dict()", r->name, why,
                         type_words(r->object.type));
    uint32_t left = pickle_count(p, &r->object) / 2, shown = 0;
    for (uint32_t at = p->containers[r->object.index].first; left > 0 && shown < SHOWN; left--, shown++) {
        const struct pickle_node *key = &p->nodes[at];
        const char *comma = shown > 0 ? ", " : "";
        if (key->value.type == PICKLE_STRING)
            text_printf(&t, "%s'%s'", comma, text_escape(escaped, key->value.as.text, key->value.index));
        else
            text_printf(&t, "%s%lld", comma, (long long)key->value.as.integer);
        at = p->nodes[key->next].next;
    }
    if (left > 0)
        text_printf(&t, " and %u more", left);
    bioft_status st = t.failed ? error_memory(r->err, r->name)
                               : error_set(r->err, BIOFT_ERR_FORMAT, "%s: %s; the top level has %s%s", r->name, why,
                                           shown ? "keys " : "no keys", t.data ? t.data : "");
    text_free(&t);
    return st;
}

/* A member by its name, or by names with dots between, each a member of the one before. */
static const struct pickle_value *at_path(const struct pickle *p, const struct pickle_value *dict, const char *path)
{
    const char *dot = strchr(path, '.');
    char name[256];
    if (dict->type != PICKLE_DICT)
        return NULL;
    const struct pickle_value *v = member(p, dict, path);
    for (; !v && dot; dot = strchr(dot + 1, '.')) {
        const size_t length = (size_t)(dot - path);
        if (length >= sizeof name)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        const struct pickle_value *inner = member(p, dict, name);
        v = inner ? at_path(p, inner, dot + 1) : NULL;
    }
    return v;
}

static bioft_status several_states(struct torch_reading *r, const char *which)
{
    return error_set(r->err, BIOFT_ERR_FORMAT,
                     "%s: several state dicts, %s; choose one with 'weights: {file: FILE, key: "
                     "KEY}', or take one out with bioft weights convert --key KEY FILE NEW",
                     r->name, which);
}

/* The state dict below one of the keys that checkpoints use. */
static bioft_status find_place(struct torch_reading *r, const struct pickle_value **ret, const char **ret_key)
{
    const struct pickle *p = &r->pickle;
    struct text several = { 0 };
    unsigned count = 0;
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; i < PLACES && r->object.type == PICKLE_DICT; i++) {
        const struct pickle_value *v = member(p, &r->object, places[i]);
        if (!v || !is_mostly_state(p, v))
            continue;
        text_printf(&several, "%s'%s'", count++ ? ", " : "", places[i]);
        *ret = v;
        *ret_key = places[i];
    }
    if (several.failed)
        st = error_memory(r->err, r->name);
    else if (count > 1)
        st = several_states(r, several.data);
    text_free(&several);
    return st;
}

static bioft_status find(struct torch_reading *r, const struct pickle_value **ret, const char **ret_key)
{
    const struct pickle *p = &r->pickle;
    const char *wanted = r->params->key;
    bioft_status st = BIOFT_OK;

    if (wanted) {
        const struct pickle_value *found = at_path(p, &r->object, wanted);
        if (!found || !is_mostly_state(p, found))
            return no_state(r, "no state dict under the key that is asked for");
        *ret = found;
        *ret_key = wanted;
        return BIOFT_OK;
    }
    if (is_state(p, &r->object)) {
        *ret = &r->object;
        return BIOFT_OK;
    }
    st = find_place(r, ret, ret_key);
    if (st == BIOFT_OK && !*ret && is_mostly_state(p, &r->object))
        *ret = &r->object;
    return st == BIOFT_OK && !*ret ? no_state(r, "no state dict") : st;
}

/* Other state dicts at the top, exponential moving averages above all. */
static void note_others(const struct torch_reading *r, const struct pickle_value *state, struct text *note)
{
    const struct pickle *p = &r->pickle;
    char escaped[TEXT_ESCAPED];
    uint32_t at, count = 0;

    if (r->object.type != PICKLE_DICT)
        return;
    at = p->containers[r->object.index].first;
    for (uint32_t left = pickle_count(p, &r->object); left > 0; left -= 2) {
        const struct pickle_node *key = &p->nodes[at], *value = &p->nodes[key->next];
        at = value->next;
        if (key->value.type != PICKLE_STRING || value->value.type != PICKLE_DICT ||
            value->value.index == state->index || !is_mostly_state(p, &value->value))
            continue;
        text_printf(note, "%s'%s'",
                    count++        ? ", "
                    : note->length ? "; other weights are under "
                                   : "other weights are under ",
                    text_escape(escaped, key->value.as.text, key->value.index));
    }
    if (count)
        text_add(note, ", which 'key' chooses");
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

static bioft_status make_entry(struct torch_reading *r, const struct pickle_value *key, const struct pickle_tensor *t,
                               struct arena *arena, struct tensor_entry *ret)
{
    const struct pickle_storage *s = &r->pickle.storages[t->storage];
    const uint32_t first = r->first[t->storage];
    char escaped[TEXT_ESCAPED];
    if (key->index == 0 || key->index > TENSOR_NAME || memchr(key->as.text, 0, key->index))
        return error_set(r->err, BIOFT_ERR_FORMAT,
                         "%s: tensor '%s': a name of %u bytes, 1 to %d without NUL "
                         "are possible",
                         r->name, text_escape(escaped, key->as.text, key->index), key->index, TENSOR_NAME);
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

/* The tensors of the dict, in its order; what is none is named in the note. */
static bioft_status make_entries(struct torch_reading *r, const struct pickle_value *state, struct torch_file *ret,
                                 struct text *note)
{
    const struct pickle *p = &r->pickle;
    char escaped[TEXT_ESCAPED];
    uint32_t at = p->containers[state->index].first, others = 0;
    bioft_status st = BIOFT_OK;

    for (uint32_t left = pickle_count(p, state); left > 0 && st == BIOFT_OK; left -= 2) {
        const struct pickle_node *name = &p->nodes[at], *value = &p->nodes[name->next];
        at = value->next;
        if (name->value.type == PICKLE_STRING && value->value.type == PICKLE_TENSOR)
            st = make_entry(r, &name->value, &p->tensors[value->value.index], ret->arena, &ret->tensors[ret->count++]);
        else if (++others <= 4 && name->value.type == PICKLE_STRING)
            text_printf(note, "%s'%s'", others == 1 ? "left out as no tensors: " : ", ",
                        text_escape(escaped, name->value.as.text, name->value.index));
    }
    if (others > 4)
        text_printf(note, " and %u more", others - 4);
    return st;
}

bioft_status torch_find_state(struct torch_reading *r, struct torch_file *ret)
{
    const struct pickle_value *state = NULL;
    struct text note = { 0 };
    const char *key = NULL;
    bioft_status st = find(r, &state, &key);
    if (st != BIOFT_OK)
        return st;
    ret->tensors = arena_array(ret->arena, pickle_count(&r->pickle, state) / 2, sizeof *ret->tensors);
    ret->key = key ? arena_text(ret->arena, key) : NULL;
    if (!ret->tensors || (key && !ret->key))
        return error_memory(r->err, r->name);
    st = make_entries(r, state, ret, &note);
    note_others(r, state, &note);
    if (note.data)
        ret->note = arena_text(ret->arena, note.data);
    if (st == BIOFT_OK && (note.failed || (note.data && !ret->note)))
        st = error_memory(r->err, r->name);
    text_free(&note);
    return st;
}
