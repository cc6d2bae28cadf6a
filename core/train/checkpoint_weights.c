/* Weights from a file: a state dict by torchvision's names, or a bioft checkpoint's model, into a
 * model's values. */
#include "formats/weights.h"
#include "train/checkpoint.h"
#include "train/faults.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct names {
    const char **items;
    size_t count;
};
struct loading {
    const char *path;
    const struct weights *file;
    struct model *model;
    const char *new_head;
    const char **names; /* [name_count] without a checkpoint's arrays */
    size_t name_count;
    const char **theirs; /* [parameters + counters] names as in the file */
    struct arena *arena; /* of those that are other than the network's */
    size_t renamed;
    struct names unknown, missing; /* in the file alone; in the network alone */
    float *room;                   /* for what is not read where it lies */
    size_t room_size;
    size_t loaded, converted;
    struct faults faults;
};

bool checkpoint_is(const struct weights *w)
{
    const char *format = w->safetensors ? safetensors_metadata(w->safetensors, "format") : NULL;
    return format && strcmp(format, CHECKPOINT_FORMAT) == 0;
}

/* Names that are to be in the network: a checkpoint's moments and other arrays have a slash. */
static bioft_status take_names(struct loading *l, struct error *err)
{
    const bool checkpoint = checkpoint_is(l->file);
    l->names = mem_array(l->file->count, sizeof(*l->names));
    if (!l->names)
        return error_memory(err, l->path);
    for (size_t i = 0; i < l->file->count; i++)
        if (!checkpoint || !strchr(l->file->tensors[i].name, '/'))
            l->names[l->name_count++] = l->file->tensors[i].name;
    return BIOFT_OK;
}

/* Parameters, then counters. */
static const char *our_name(const struct graph *g, size_t i)
{
    return i < g->view.parameter_count ? g->parameters[i].name : g->counters[i - g->view.parameter_count];
}

/* Where the file has not the network's name but another library's, that one. */
static bioft_status take_theirs(struct loading *l, struct error *err)
{
    const struct graph *g = l->model->graph;
    const size_t count = g->view.parameter_count + g->counter_count;
    l->arena = arena_create();
    l->theirs = mem_array(count, sizeof(*l->theirs));
    if (!l->theirs || !l->arena)
        return error_memory(err, l->path);
    for (size_t i = 0; i < count; i++) {
        char other[512];
        const char *name = our_name(g, i);
        l->theirs[i] = name;
        if (weights_find(l->file, name) || !graph_other_name(g, name, other, sizeof(other)) ||
            !weights_find(l->file, other))
            continue;
        l->theirs[i] = arena_text(l->arena, other);
        if (!l->theirs[i])
            return error_memory(err, l->path);
        l->renamed++;
    }
    return BIOFT_OK;
}

static const struct tensor_entry *entry_of(const struct loading *l, size_t i)
{
    return weights_find(l->file, l->theirs[i]);
}

/* Shapes are the same but for sides of 1, as timm's factors of channels have no others. */
static bool same_shape(const struct tensor_entry *t, const bioft_parameter *p, bool renamed)
{
    if (t->dims == p->dims && memcmp(t->shape, p->shape, p->dims * sizeof(*p->shape)) == 0)
        return true;
    uint32_t a = 0, b = 0;
    while (renamed && (a < t->dims || b < p->dims)) {
        if (a < t->dims && t->shape[a] == 1)
            a++;
        else if (b < p->dims && p->shape[b] == 1)
            b++;
        else if (a < t->dims && b < p->dims && t->shape[a] == p->shape[b])
            a++, b++;
        else
            return false;
    }
    return renamed;
}

static bool is_float(const struct tensor_entry *t)
{
    return t->dtype == TENSOR_F32 || t->dtype == TENSOR_F16 || t->dtype == TENSOR_BF16 || t->dtype == TENSOR_F64;
}

static bool left_alone(const struct loading *l, const bioft_parameter *p)
{
    return (p->flags & BIOFT_PARAM_HEAD) && l->new_head;
}

/* The values where they lie in the file, else in l->room. */
static bioft_status values_of(struct loading *l, const struct tensor_entry *t, const float **ret, struct error *err)
{
    *ret = tensor_floats(t);
    if (*ret)
        return BIOFT_OK;
    if (t->count > l->room_size) {
        free(l->room);
        l->room_size = 0;
        l->room = mem_array(t->count, sizeof(*l->room));
        if (!l->room)
            return error_memory(err, l->path);
        l->room_size = t->count;
    }
    *ret = l->room;
    return tensor_to_float(t, l->room, t->count, err);
}

/* Infinite and NaN have all bits of the exponent set: one more than it carries into the sign's
 * place, where nothing else is left. Two floats at once, at any address. */
static uint64_t nonfinite(const uint8_t *bytes)
{
    uint64_t two;
    memcpy(&two, bytes, sizeof(two));
    return ((two & UINT64_C(0x7f8000007f800000)) + UINT64_C(0x0080000000800000)) & UINT64_C(0x8000000080000000);
}

/* The first value that is not finite; `count` where all are. */
static size_t first_nonfinite(const uint8_t *bytes, size_t count)
{
    enum { BLOCK = 1024 };
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        uint64_t any = 0;
        for (size_t k = i; k < i + BLOCK; k += 2)
            any |= nonfinite(bytes + k * sizeof(float));
        if (any)
            break;
    }
    for (; i < count; i++) {
        float value;
        memcpy(&value, bytes + i * sizeof(value), sizeof(value));
        if (!isfinite(value))
            break;
    }
    return i;
}

/* "NAME WHAT; the nearest name is ...": of those that are unmatched, else of all. */
static void add_nearest(struct loading *l, const char *name, const char *what, const struct names *unmatched,
                        const char *const *all, size_t count)
{
    char escaped[TEXT_ESCAPED];
    const char *nearest = NULL;
    if (!faults_full(&l->faults))
        nearest = text_nearest(name, unmatched->items, unmatched->count);
    if (!faults_full(&l->faults) && !nearest)
        nearest = text_nearest(name, all, count);
    faults_add(&l->faults, "%s %s%s%s", text_escape(escaped, name, strlen(name)), what,
               nearest ? "; the nearest name is " : "", nearest ? nearest : "");
}

static size_t first_negative(const uint8_t *bytes, size_t count)
{
    size_t i = 0;
    for (; i < count; i++) {
        float value;
        memcpy(&value, bytes + i * sizeof(value), sizeof(value));
        if (value < 0.0f)
            break;
    }
    return i;
}

static void check_values(struct loading *l, const struct tensor_entry *t, bool variance)
{
    const bool in_place = t->dtype == TENSOR_F32 && !t->strided;
    struct error why = { 0 };
    const float *values = NULL;
    if (!in_place && values_of(l, t, &values, &why) != BIOFT_OK) {
        faults_add(&l->faults, "%s", why.text);
        return;
    }
    const uint8_t *bytes = in_place ? t->bytes : (const uint8_t *)values;
    const size_t bad = first_nonfinite(bytes, t->count);
    if (bad < t->count)
        faults_add(&l->faults, "%s has a value that is not finite (number %zu)", t->name, bad);
    const size_t negative = variance && bad == t->count ? first_negative(bytes, t->count) : t->count;
    if (negative < t->count)
        faults_add(&l->faults, "%s has a variance below 0 (number %zu)", t->name, negative);
}

static void check_parameter(struct loading *l, uint32_t index)
{
    const bioft_parameter *p = &l->model->graph->parameters[index];
    char theirs[SHAPE_TEXT], ours[SHAPE_TEXT];
    const struct tensor_entry *t = entry_of(l, index);
    if (!t)
        add_nearest(l, p->name, "is missing", &l->unknown, l->names, l->name_count);
    else if (!is_float(t))
        faults_add(&l->faults, "%s is %s: F32, F16, BF16 or F64 expected", t->name, t->dtype_name);
    else if (!same_shape(t, p, l->theirs[index] != p->name))
        faults_add(&l->faults, "%s is %s in the file, %s in the network", t->name,
                   shape_text(theirs, t->dims, t->shape), shape_text(ours, p->dims, p->shape));
    else
        check_values(l, t, graph_is_variance(l->model->graph, index));
}

static bool known(const struct loading *l, const char *name)
{
    const struct graph *g = l->model->graph;
    for (size_t i = 0; i < g->view.parameter_count + g->counter_count; i++)
        if (strcmp(l->theirs[i], name) == 0)
            return true;
    return false;
}

/* Names that the other side has not: among these a misspelt one has its counterpart. */
static bioft_status compare_names(struct loading *l, const char *const *ours, struct error *err)
{
    const uint32_t count = l->model->graph->view.parameter_count;
    l->unknown.items = mem_array(l->name_count, sizeof(*l->unknown.items));
    l->missing.items = mem_array(count, sizeof(*l->missing.items));
    if (!l->unknown.items || !l->missing.items)
        return error_memory(err, l->path);
    for (size_t i = 0; i < l->name_count; i++)
        if (!known(l, l->names[i]))
            l->unknown.items[l->unknown.count++] = l->names[i];
    for (uint32_t i = 0; i < count; i++)
        if (!entry_of(l, i))
            l->missing.items[l->missing.count++] = ours[i];
    return BIOFT_OK;
}

/* One whole number from 0; a network that is saved in half precision has it so. */
static bool read_counter(const struct tensor_entry *t, int64_t *ret)
{
    float value = 0.0f;
    if (t->count != 1)
        return false;
    if (!is_float(t))
        return tensor_to_int64(t, ret, 1, NULL) == BIOFT_OK && *ret >= 0;
    if (tensor_to_float(t, &value, 1, NULL) != BIOFT_OK || !(value >= 0.0f && value < 9.0e18f) ||
        value != floorf(value))
        return false;
    *ret = (int64_t)value;
    return true;
}

static void check_counters(struct loading *l)
{
    const struct graph *g = l->model->graph;
    for (size_t i = 0; i < g->counter_count; i++) {
        const struct tensor_entry *t = entry_of(l, g->view.parameter_count + i);
        int64_t value = 0;
        if (t && !read_counter(t, &value))
            faults_add(&l->faults, "%s is not a counter: one whole number from 0 expected", t->name);
    }
}

static bioft_status check(struct loading *l, struct error *err)
{
    const struct graph *g = l->model->graph;
    const char **ours = mem_array(g->view.parameter_count, sizeof(*ours));
    if (!ours)
        return error_memory(err, l->path);
    for (uint32_t i = 0; i < g->view.parameter_count; i++)
        ours[i] = g->parameters[i].name;
    bioft_status st = compare_names(l, ours, err);
    for (uint32_t i = 0; st == BIOFT_OK && i < g->view.parameter_count; i++)
        if (!left_alone(l, &g->parameters[i]))
            check_parameter(l, i);
    if (st == BIOFT_OK) {
        check_counters(l);
        for (size_t i = 0; i < l->unknown.count; i++)
            add_nearest(l, l->unknown.items[i], "is not in the network", &l->missing, ours, g->view.parameter_count);
        st = faults_end(&l->faults, l->path, "does not fit the network", err);
    }
    free(ours);
    return st;
}

/* After check: nothing but memory and the engine can fail. */
static bioft_status fill(struct loading *l, struct error *err)
{
    const struct graph *g = l->model->graph;
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        const bioft_parameter *p = &g->parameters[i];
        const float *values;
        if (left_alone(l, p))
            continue;
        const struct tensor_entry *t = entry_of(l, i);
        bioft_status st = values_of(l, t, &values, err);
        if (st == BIOFT_OK)
            st = model_write(l->model, BIOFT_VALUE, i, values, err);
        if (st != BIOFT_OK)
            return st;
        l->loaded++;
        l->converted += t->dtype != TENSOR_F32;
    }
    for (size_t i = 0; i < g->counter_count; i++) { /* absent in files of before torch 0.4.1 */
        const struct tensor_entry *t = entry_of(l, g->view.parameter_count + i);
        int64_t value = 0;
        if (t)
            (void)read_counter(t, &value);
        l->loaded += t != NULL;
        l->model->counters[i] = (uint64_t)value;
    }
    return BIOFT_OK;
}

/* "; new: fc.weight, fc.bias: 10 classes, the file has 1000" */
static void add_new(const struct loading *l, struct text *t)
{
    const struct graph *g = l->model->graph;
    const struct tensor_entry *theirs = NULL;
    size_t count = 0;
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        const bioft_parameter *p = &g->parameters[i];
        if (!left_alone(l, p))
            continue;
        text_printf(t, "%s%s", count++ > 0 ? ", " : "; new: ", p->name);
        theirs = theirs ? theirs : entry_of(l, i);
    }
    if (count == 0)
        return;
    text_printf(t, ": %u %s, the file has ", g->view.outputs, l->new_head);
    if (theirs && theirs->dims > 0)
        text_printf(t, "%llu", (unsigned long long)theirs->shape[0]);
    else
        text_add(t, "none");
}

static char *summary(const struct loading *l)
{
    struct text t = { 0 };
    text_printf(&t, "%s: %zu tensors", l->path, l->loaded);
    add_new(l, &t);
    if (l->renamed > 0)
        text_printf(&t, "; %zu by their other names", l->renamed);
    if (l->converted > 0)
        text_printf(&t, "; %zu converted to float32", l->converted);
    if (l->file->note)
        text_printf(&t, "; %s", l->file->note);
    if (t.failed)
        text_free(&t);
    return t.data;
}

bioft_status weights_fill(const struct weights *w, const char *path, struct model *m, const char *new_head,
                          char **ret_text, struct error *err)
{
    struct loading l = { .path = path, .file = w, .model = m, .new_head = new_head };
    char *text = NULL;
    bioft_status st = take_names(&l, err);
    if (st == BIOFT_OK)
        st = take_theirs(&l, err);
    if (st == BIOFT_OK)
        st = check(&l, err);
    if (st == BIOFT_OK)
        st = fill(&l, err);
    st = weights_check(w, st, err);
    if (st == BIOFT_OK && !(text = summary(&l)))
        st = error_memory(err, path);
    if (st == BIOFT_OK)
        *ret_text = text;
    free(l.names);
    free(l.theirs);
    arena_destroy(l.arena);
    free(l.unknown.items);
    free(l.missing.items);
    free(l.room);
    return st;
}

struct torch_params weights_params(const struct weights_spec *spec)
{
    return (struct torch_params){
        .key = spec->key, .prefix = spec->prefix, .rename = spec->rename, .rename_count = spec->rename_count
    };
}

bioft_status weights_load(const struct weights_spec *spec, struct model *m, const char *new_head, char **ret_text,
                          struct error *err)
{
    struct torch_params params = weights_params(spec);
    struct weights *w = NULL;
    params.pool = m->engine->instance->pool;
    bioft_status st = weights_open(spec->file, &params, &w, err);
    if (st != BIOFT_OK)
        return st;
    st = weights_fill(w, spec->file, m, new_head, ret_text, err);
    weights_close(w);
    return st;
}
