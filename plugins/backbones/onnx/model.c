/* Reading an ONNX file: protobuf-c unpacks it with bounded memory; names are resolved and nodes checked for their order. */
#include "model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A small message costs a hundred times its bytes in memory, so unpacking is bounded by the file's size and a constant. */
enum { MOST_NODES = 100000, MOST_NAMES = 1000000, FREE_MEMORY = 64 << 20, MEMORY_A_BYTE = 4 };
#define MOST_BYTES ((size_t)INT32_MAX) /* protobuf's own limit */

bioft_status fault_set(struct fault *f, bioft_status status, const char *format, ...)
{
    va_list args;

    if (f->status != BIOFT_OK)
        return f->status;
    f->status = status;
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    return status;
}

const char *shown(char ret[SHOWN], const char *name)
{
    size_t length = 0;

    for (; name && name[length] && length + 4 < SHOWN; length++)
        ret[length] = name[length] >= ' ' && name[length] <= '~' ? name[length] : '?';
    snprintf(ret + length, SHOWN - length, "%s", name && name[length] ? "..." : "");
    return ret;
}

static void *bounded_alloc(void *data, size_t size)
{
    struct model *m = data;

    if (size > m->memory_limit - m->memory)
        return NULL;
    m->memory += size;
    return malloc(size);
}

static void bounded_free(void *data, void *pointer)
{
    (void)data;
    free(pointer);
}

static ProtobufCAllocator allocator(struct model *m)
{
    return (ProtobufCAllocator){ .alloc = bounded_alloc, .free = bounded_free, .allocator_data = m };
}

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    return order ? order : (x->order > y->order) - (x->order < y->order);
}

uint32_t model_find(const struct model *m, const char *name)
{
    size_t low = 0, high = m->name_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(m->names[middle].name, name);
        if (order == 0)
            return (uint32_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NOWHERE;
}

static bioft_status check_array(const struct model *m, const onnx_array *a, struct fault *f)
{
    char name[SHOWN], place[SHOWN];
    const char *where = "";

    for (size_t i = 0; i < a->n_external_data; i++)
        if (a->external_data[i]->key && strcmp(a->external_data[i]->key, "location") == 0)
            where = a->external_data[i]->value ? a->external_data[i]->value : "";
    if (a->n_external_data > 0 || a->data_location != 0)
        return fault_set(
            f, BIOFT_ERR_UNSUPPORTED,
            "%s: the values of '%s' are in another file ('%s'), which is not read; "
            "write one file: torch.onnx.export(..., external_data=False), or onnx.save(onnx.load(FILE), NEW)",
            m->path, shown(name, a->name), shown(place, where));
    for (size_t i = 0; i < a->n_dims; i++)
        if (a->dims[i] < 0)
            return fault_set(f, BIOFT_ERR_FORMAT, "%s: dimension %zu of '%s' is %lld", m->path, i, shown(name, a->name),
                             (long long)a->dims[i]);
    return BIOFT_OK;
}

static void add(struct model *m, const char *name, const onnx_array *array, uint32_t node)
{
    m->names[m->name_count] = (struct named){ name, array, node, (uint32_t)m->name_count };
    m->name_count++;
}

/* The input that is no initialiser; old files list those among the inputs too. Names are sorted initialisers here. */
static bioft_status find_input(struct model *m, const Onnx__ValueInfoProto **ret, struct fault *f)
{
    char a[SHOWN], b[SHOWN];

    *ret = NULL;
    for (size_t i = 0; i < m->graph->n_input; i++) {
        const Onnx__ValueInfoProto *in = m->graph->input[i];
        if (!in->name || model_find(m, in->name) != NOWHERE)
            continue;
        if (*ret)
            return fault_set(f, BIOFT_ERR_UNSUPPORTED,
                             "%s: the graph has the inputs '%s' and '%s'; a backbone has one, "
                             "the image",
                             m->path, shown(a, (*ret)->name), shown(b, in->name));
        *ret = in;
    }
    if (!*ret)
        return fault_set(f, BIOFT_ERR_FORMAT, "%s: the graph has no input", m->path);
    return BIOFT_OK;
}

static bioft_status check_twins(const struct model *m, struct fault *f)
{
    char name[SHOWN];

    for (size_t i = 1; i < m->name_count; i++)
        if (strcmp(m->names[i - 1].name, m->names[i].name) == 0)
            return fault_set(f, BIOFT_ERR_FORMAT, "%s: two tensors are called '%s'", m->path,
                             shown(name, m->names[i].name));
    return BIOFT_OK;
}

static bioft_status define(struct model *m, struct fault *f)
{
    const Onnx__GraphProto *g = m->graph;
    const Onnx__ValueInfoProto *input;
    size_t count = g->n_initializer + 1;

    for (size_t i = 0; i < g->n_node && count <= MOST_NAMES; i++)
        count += g->node[i]->n_output;
    if (g->n_node > MOST_NODES || count > MOST_NAMES)
        return fault_set(f, BIOFT_ERR_UNSUPPORTED, "%s: more than %d nodes or %d tensors", m->path, MOST_NODES,
                         MOST_NAMES);
    m->names = calloc(count, sizeof *m->names);
    if (!m->names)
        return fault_set(f, BIOFT_ERR_MEMORY, "%s: out of memory for its names", m->path);
    for (size_t i = 0; i < g->n_initializer; i++) {
        const onnx_array *a = g->initializer[i];
        if (!a->name || !*a->name)
            return fault_set(f, BIOFT_ERR_FORMAT, "%s: initialiser %zu has no name", m->path, i);
        if (check_array(m, a, f) != BIOFT_OK)
            return f->status;
        add(m, a->name, a, NOWHERE);
    }
    qsort(m->names, m->name_count, sizeof *m->names, by_name);
    if (find_input(m, &input, f) != BIOFT_OK)
        return f->status;
    add(m, input->name, NULL, NOWHERE);
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            if (*g->node[i]->output[k])
                add(m, g->node[i]->output[k], NULL, (uint32_t)i);
    qsort(m->names, m->name_count, sizeof *m->names, by_name);
    if (check_twins(m, f) != BIOFT_OK)
        return f->status;
    m->input = model_find(m, input->name);
    m->input_type = input->type ? input->type->tensor_type : NULL;
    return BIOFT_OK;
}

/* Every input of a node is defined, by an earlier node where by one: so there is no cycle. */
static bioft_status check_order(const struct model *m, struct fault *f)
{
    char node[SHOWN], name[SHOWN];

    for (size_t i = 0; i < m->graph->n_node; i++) {
        const onnx_node *n = m->graph->node[i];
        for (size_t k = 0; k < n->n_input; k++) {
            const uint32_t at = *n->input[k] ? model_find(m, n->input[k]) : m->input;
            if (at == NOWHERE)
                return fault_set(f, BIOFT_ERR_FORMAT,
                                 "%s: node '%s' (%s) takes '%s', which nothing defines: no initialiser, "
                                 "no node",
                                 m->path, shown(node, n->name), n->op_type ? n->op_type : "", shown(name, n->input[k]));
            if (m->names[at].node != NOWHERE && m->names[at].node >= i)
                return fault_set(f, BIOFT_ERR_FORMAT,
                                 "%s: node '%s' takes '%s' of a node that is not before it: a cycle, "
                                 "or nodes out of order",
                                 m->path, shown(node, n->name), shown(name, n->input[k]));
        }
    }
    return BIOFT_OK;
}

bioft_status model_parse(struct model *m, const char *path, const uint8_t *bytes, size_t size, struct fault *f)
{
    ProtobufCAllocator bounded = allocator(m);

    *m = (struct model){ .path = path, .memory_limit = FREE_MEMORY + MEMORY_A_BYTE * size };
    m->proto = onnx__model_proto__unpack(&bounded, size, bytes);
    if (!m->proto)
        fault_set(f, BIOFT_ERR_FORMAT, "%s: not an ONNX model, or cut short: its protobuf cannot be read (%zu bytes)",
                  path, size);
    else if (!m->proto->graph || m->proto->graph->n_node == 0)
        fault_set(f, BIOFT_ERR_FORMAT, "%s: an ONNX model has a graph of nodes, this file has none", path);
    else
        m->graph = m->proto->graph;
    if (f->status == BIOFT_OK && define(m, f) == BIOFT_OK)
        check_order(m, f);
    if (f->status != BIOFT_OK)
        model_free(m);
    return f->status;
}

bioft_status model_read(struct model *m, const char *path, struct fault *f)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    uint8_t *bytes = NULL;
    size_t size = 0;

    *m = (struct model){ 0 };
    if (!file || fstat(fileno(file), &st) != 0)
        fault_set(f, BIOFT_ERR_IO, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        fault_set(f, BIOFT_ERR_IO, "%s: not a file", path);
    else if (st.st_size <= 0 || (uint64_t)st.st_size > MOST_BYTES)
        fault_set(f, BIOFT_ERR_FORMAT, "%s: %lld bytes: an ONNX file has 1 to %zu", path, (long long)st.st_size,
                  MOST_BYTES);
    else if (size = (size_t)st.st_size, !(bytes = malloc(size)))
        fault_set(f, BIOFT_ERR_MEMORY, "%s: out of memory for %zu bytes", path, size);
    else if (fread(bytes, 1, size, file) != size)
        fault_set(f, BIOFT_ERR_IO, "%s: cannot be read to its end", path);
    else
        model_parse(m, path, bytes, size, f);
    free(bytes);
    if (file)
        fclose(file);
    return f->status;
}

void model_free(struct model *m)
{
    ProtobufCAllocator bounded = allocator(m);

    if (m->proto)
        onnx__model_proto__free_unpacked(m->proto, &bounded);
    free(m->names);
    *m = (struct model){ 0 };
}

const Onnx__AttributeProto *attribute(const onnx_node *n, const char *name)
{
    for (size_t i = 0; i < n->n_attribute; i++)
        if (n->attribute[i]->name && strcmp(n->attribute[i]->name, name) == 0)
            return n->attribute[i];
    return NULL;
}

int64_t attribute_int(const onnx_node *n, const char *name, int64_t usual)
{
    const Onnx__AttributeProto *a = attribute(n, name);
    return a && a->has_i ? a->i : usual;
}

double attribute_float(const onnx_node *n, const char *name, double usual)
{
    const Onnx__AttributeProto *a = attribute(n, name);
    return a && a->has_f ? (double)a->f : usual;
}

const char *attribute_text(const onnx_node *n, const char *name, char ret[SHOWN])
{
    const Onnx__AttributeProto *a = attribute(n, name);
    const size_t length = a && a->has_s ? (a->s.len < SHOWN - 1 ? a->s.len : SHOWN - 1) : 0;

    for (size_t i = 0; i < length; i++)
        ret[i] = a->s.data[i] >= ' ' && a->s.data[i] <= '~' ? (char)a->s.data[i] : '?';
    ret[length] = '\0';
    return ret;
}
