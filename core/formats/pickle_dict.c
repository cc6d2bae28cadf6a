/* What a pickled dict has under some keys. */
#include "formats/pickle_dict.h"

#include "base/memory.h"
#include "formats/torch_pickle.h"

#include <stdlib.h>
#include <string.h>

static bioft_status wrong(const struct pickle *p, const struct pickle_field *f, const char *what)
{
    return error_set(p->err, BIOFT_ERR_FORMAT, "%s: pickle: '%s' %s", p->name, f->key, what);
}

static bioft_status take_array(const struct pickle *p, const struct pickle_value *v, struct pickle_field *f)
{
    const struct pickle_array *a = &p->arrays[v->index];
    if (!a->bytes)
        return wrong(p, f, "is an array without data");
    if (strcmp(a->code, "u1") != 0 || a->fortran_order)
        return wrong(p, f, "is an array, but not of uint8 in C order");
    f->kind = PICKLE_FIELD_ARRAY;
    f->dims = a->dims;
    memcpy(f->shape, a->shape, sizeof f->shape);
    f->data = a->bytes;
    return BIOFT_OK;
}

static bioft_status take_integers(const struct pickle *p, uint32_t at, struct pickle_field *f)
{
    int64_t *to = mem_array((size_t)f->shape[0], sizeof *to);
    f->data = f->owned = to;
    if (!to)
        return error_memory(p->err, p->name);
    for (uint64_t i = 0; i < f->shape[0]; i++, at = p->nodes[at].next) {
        if (p->nodes[at].value.type != PICKLE_INTEGER)
            return wrong(p, f, "is a list of integers and of something else");
        to[i] = p->nodes[at].value.as.integer;
    }
    f->kind = PICKLE_FIELD_INTEGERS;
    return BIOFT_OK;
}

/* The pointers, and behind them what they point to. */
static bioft_status take_texts(const struct pickle *p, uint32_t at, struct pickle_field *f)
{
    size_t bytes = (size_t)f->shape[0] * sizeof(char *);
    uint32_t k = at;
    for (uint64_t i = 0; i < f->shape[0]; i++, k = p->nodes[k].next) {
        const struct pickle_value *v = &p->nodes[k].value;
        if (v->type != PICKLE_STRING || memchr(v->as.text, 0, v->index))
            return wrong(p, f, "is a list of text and of something else");
        bytes += (size_t)v->index + 1;
    }
    if (bytes > 16 * p->size) /* a pointer and a NUL to an item of two bytes and more */
        return wrong(p, f, "has the same text too often");
    const char **to = mem_array(bytes, 1);
    f->data = f->owned = to;
    if (!to)
        return error_memory(p->err, p->name);
    char *text = (char *)(to + f->shape[0]);
    for (uint64_t i = 0; i < f->shape[0]; i++, at = p->nodes[at].next) {
        const struct pickle_value *v = &p->nodes[at].value;
        memcpy(text, v->as.text, v->index);
        to[i] = text;
        text += v->index + 1;
    }
    f->kind = PICKLE_FIELD_TEXTS;
    return BIOFT_OK;
}

static bioft_status take(const struct pickle *p, const struct pickle_value *v, struct pickle_field *f)
{
    if (v->type == PICKLE_ARRAY)
        return take_array(p, v, f);
    if (v->type != PICKLE_LIST || !p->containers[v->index].count)
        return wrong(p, f, "is neither an array nor a list that has something in it");
    const uint32_t first = p->containers[v->index].first;
    f->dims = 1;
    f->shape[0] = p->containers[v->index].count;
    return p->nodes[first].value.type == PICKLE_INTEGER ? take_integers(p, first, f) : take_texts(p, first, f);
}

bioft_status pickle_dict_read(const char *name, const uint8_t *bytes, size_t size, struct pickle_field *fields,
                              size_t count, struct error *err)
{
    struct pickle p = { .name = name, .bytes = bytes, .size = size, .data = true };
    struct pickle_value dict;
    bioft_status st = pickle_run(&p, &dict, err);
    if (st == BIOFT_OK && p.at != size)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: pickle: %zu bytes left over after its STOP", name, size - p.at);
    if (st == BIOFT_OK && dict.type != PICKLE_DICT)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: pickle: not a dict", name);
    for (size_t i = 0; i < count; i++) {
        const char *key = fields[i].key;
        fields[i] = (struct pickle_field){ .key = key };
    }
    const uint32_t pairs = st == BIOFT_OK ? pickle_count(&p, &dict) / 2 : 0;
    uint32_t at = pairs ? p.containers[dict.index].first : 0;
    for (uint32_t k = 0; st == BIOFT_OK && k < pairs; k++) {
        const uint32_t value = p.nodes[at].next;
        for (size_t i = 0; st == BIOFT_OK && i < count; i++)
            if (pickle_is(&p.nodes[at].value, fields[i].key))
                st = take(&p, &p.nodes[value].value, &fields[i]);
        at = p.nodes[value].next;
    }
    pickle_free(&p);
    if (st != BIOFT_OK)
        pickle_dict_free(fields, count);
    return st;
}

void pickle_dict_free(struct pickle_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(fields[i].owned);
        fields[i].owned = NULL;
        fields[i].kind = PICKLE_FIELD_MISSING;
    }
}
