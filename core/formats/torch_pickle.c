/* The machine that reads a pickle: containers as chains of nodes, nothing freed before the end, and
 * what holds when it stops. */
#include "formats/torch_pickle.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICKLE_MOST = 64 << 20, DATA_MOST = 1 << 30, OPCODES_MOST = 20000000, PROTO = 0x80, STOP = '.' };

bioft_status pickle_fail(struct pickle *p, const char *format, ...)
{
    char what[800];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(p->err, BIOFT_ERR_FORMAT, "%s: pickle: %s (at byte %llu)", p->name, what,
                     (unsigned long long)(p->origin + p->opcode_at));
}

bioft_status pickle_new(struct pickle *p, enum pickle_type type, struct pickle_value *ret)
{
    if (!mem_grow(&p->containers, &p->container_capacity, p->container_count + 1, sizeof *p->containers))
        return error_memory(p->err, p->name);
    p->containers[p->container_count] = (struct pickle_container){ .type = type };
    *ret = (struct pickle_value){ .type = type, .index = (uint32_t)p->container_count++ };
    return BIOFT_OK;
}

bioft_status pickle_append(struct pickle *p, const struct pickle_value *container, const struct pickle_value *item)
{
    const uint32_t n = (uint32_t)p->node_count;
    struct pickle_container *c = &p->containers[container->index];
    if (p->node_count == UINT32_MAX)
        return pickle_fail(p, "too many values");
    if (!mem_grow(&p->nodes, &p->node_capacity, p->node_count + 1, sizeof *p->nodes))
        return error_memory(p->err, p->name);
    p->nodes[p->node_count++] = (struct pickle_node){ .value = *item };
    if (c->count++ == 0)
        c->first = n;
    else
        p->nodes[c->last].next = n;
    c->last = n;
    return BIOFT_OK;
}

uint32_t pickle_count(const struct pickle *p, const struct pickle_value *container)
{
    return p->containers[container->index].count;
}

const struct pickle_value *pickle_item(const struct pickle *p, const struct pickle_value *container, uint32_t i)
{
    uint32_t at = p->containers[container->index].first;
    while (i-- > 0)
        at = p->nodes[at].next;
    return &p->nodes[at].value;
}

bool pickle_is(const struct pickle_value *v, const char *text)
{
    return v->type == PICKLE_STRING && v->index == strlen(text) && memcmp(v->as.text, text, v->index) == 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct pickle_value *x = *(const struct pickle_value *const *)a, *y = *(const struct pickle_value *const *)b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->type == PICKLE_INTEGER)
        return x->as.integer < y->as.integer ? -1 : x->as.integer > y->as.integer;
    const int order = memcmp(x->as.text, y->as.text, x->index < y->index ? x->index : y->index);
    return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

static bioft_status check_dict(struct pickle *p, const struct pickle_container *dict, const struct pickle_value **room)
{
    char escaped[TEXT_ESCAPED];
    const size_t count = dict->count / 2;
    uint32_t at = dict->first;
    for (size_t i = 0; i < count; i++) {
        room[i] = &p->nodes[at].value;
        at = p->nodes[p->nodes[at].next].next;
    }
    qsort(room, count, sizeof *room, compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (compare_keys(&room[i - 1], &room[i]) != 0)
            continue;
        if (room[i]->type == PICKLE_INTEGER)
            return pickle_fail(p, "duplicate key %lld", (long long)room[i]->as.integer);
        return pickle_fail(p, "duplicate key '%s'", text_escape(escaped, room[i]->as.text, room[i]->index));
    }
    return BIOFT_OK;
}

/* A key stands once in its dict; which of two counts is nobody's to guess. */
static bioft_status check_dicts(struct pickle *p)
{
    const struct pickle_value **room = NULL;
    size_t capacity = 0;
    bioft_status st = BIOFT_OK;
    for (size_t i = 0; i < p->container_count && st == BIOFT_OK; i++) {
        const struct pickle_container *c = &p->containers[i];
        if (c->type != PICKLE_DICT || c->count < 4)
            continue;
        if (mem_grow(&room, &capacity, c->count / 2, sizeof *room))
            st = check_dict(p, c, room);
        else
            st = error_memory(p->err, p->name);
    }
    free(room);
    return st;
}

static bioft_status begin(struct pickle *p)
{
    p->opcode_at = p->at;
    if (p->size - p->at < 2)
        return pickle_fail(p, "truncated: %zu bytes", p->size - p->at);
    if (p->bytes[p->at] != PROTO)
        return pickle_fail(p, p->data ? "pickle protocol 0 or 1, or no pickle"
                                      : "pickle protocol 0 or 1, or no pickle; torch.save with the "
                                        "default protocol");
    p->protocol = p->bytes[p->at + 1];
    if (p->protocol != 2 && p->protocol != 3)
        return pickle_fail(p,
                           p->data ? "pickle protocol %u; write it with protocol=2"
                                   : "pickle protocol %u; torch.save with the default protocol",
                           p->protocol);
    p->at += 2;
    return BIOFT_OK;
}

static bioft_status end(struct pickle *p, struct pickle_value *ret)
{
    if (p->mark_count > 0)
        return pickle_fail(p, "STOP with an open mark");
    if (p->stack_count != 1)
        return pickle_fail(p, "STOP with %zu values left, not one", p->stack_count);
    *ret = p->stack[0];
    return check_dicts(p);
}

bioft_status pickle_run(struct pickle *p, struct pickle_value *ret, struct error *err)
{
    const size_t first = p->at;
    const int most = p->data ? DATA_MOST : PICKLE_MOST;
    p->err = err;
    bioft_status st = begin(p);
    for (size_t done = 0; st == BIOFT_OK; done++) {
        p->opcode_at = p->at;
        if (p->at == p->size)
            return pickle_fail(p, "truncated: it ends without a STOP");
        if (done == OPCODES_MOST || p->at - first > (size_t)most)
            return pickle_fail(p, "more than %d opcodes or %d bytes", OPCODES_MOST, most);
        const uint8_t code = p->bytes[p->at++];
        if (code == STOP)
            return end(p, ret);
        st = pickle_step(p, code);
    }
    return st;
}

void pickle_free(struct pickle *p)
{
    free(p->stack);
    free(p->memo);
    free(p->marks);
    free(p->nodes);
    free(p->containers);
    free(p->storages);
    free(p->tensors);
    free(p->arrays);
    *p = (struct pickle){ 0 };
}
