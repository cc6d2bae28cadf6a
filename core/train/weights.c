/* Weights from a file: a state dict by torchvision's names, or a bioft checkpoint's model, into a
 * model's values. */
#include "formats/safetensors.h"
#include "train/checkpoint.h"
#include "train/faults.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct loading {
    const char *path;
    struct safetensors *file;
    struct model *model;
    bool with_head, checkpoint;
    size_t prefix;                                 /* length of "module.", or 0 */
    const char **names;                            /* [name_count] without prefix and moments */
    const struct tensor_entry **entries;
    size_t name_count;
    float *room;                                   /* for the largest parameter */
    size_t loaded, values, converted, left_out;
    struct faults faults;
};

static const char module_prefix[] = "module.";
static const char nearest_words[] = "; the nearest name is ";

/* Names of the file's tensors; "module." is looked through where all have it (torch's
 * DataParallel). */
static bioft_status take_names(struct loading *l, struct error *err)
{
    const size_t count = safetensors_count(l->file), length = strlen(module_prefix);
    l->names = mem_array(count, sizeof(*l->names));
    l->entries = mem_array(count, sizeof(*l->entries));
    if (!l->names || !l->entries)
        return error_memory(err, l->path);
    l->prefix = count > 0 ? length : 0;
    for (size_t i = 0; i < count; i++) {
        const struct tensor_entry *t = safetensors_entry(l->file, i);
        if (l->checkpoint && strchr(t->name, '/'))
            continue;                              /* moments, rules' and losses' arrays */
        l->entries[l->name_count] = t;
        l->names[l->name_count++] = t->name;
        if (strncmp(t->name, module_prefix, length) != 0)
            l->prefix = 0;
    }
    for (size_t i = 0; i < l->name_count; i++)
        l->names[i] += l->prefix;
    return BIOFT_OK;
}

static const struct tensor_entry *find(const struct loading *l, const char *name)
{
    for (size_t i = 0; i < l->name_count; i++)
        if (strcmp(l->names[i], name) == 0)
            return l->entries[i];
    return NULL;
}

static bool is_float(const struct tensor_entry *t)
{
    return t->dtype == TENSOR_F32 || t->dtype == TENSOR_F16 || t->dtype == TENSOR_BF16
           || t->dtype == TENSOR_F64;
}

static bool left_alone(const struct loading *l, const bioft_parameter *p)
{
    return (p->flags & BIOFT_PARAM_HEAD) && !l->with_head;
}

/* Into l->room; what is wrong goes to the faults. */
static void read_parameter(struct loading *l, const bioft_parameter *p)
{
    char theirs[SHAPE_TEXT], ours[SHAPE_TEXT];
    struct error why = { 0 };
    const struct tensor_entry *t = find(l, p->name);
    if (!t) {
        const char *nearest = text_nearest(p->name, l->names, l->name_count);
        faults_add(&l->faults, "%s is missing%s%s", p->name, nearest ? nearest_words : "",
                   nearest ? nearest : "");
    } else if (!is_float(t)) {
        faults_add(&l->faults, "%s is %s: F32, F16, BF16 or F64 expected", t->name, t->dtype_name);
    } else if (t->dims != p->dims || memcmp(t->shape, p->shape, p->dims * sizeof(*p->shape)) != 0) {
        faults_add(&l->faults, "%s is %s in the file, %s in the network", t->name,
                   shape_text(theirs, t->dims, t->shape), shape_text(ours, p->dims, p->shape));
    } else if (tensor_to_float(t, l->room, p->count, &why) != BIOFT_OK) {
        faults_add(&l->faults, "%s", why.text);
    } else {
        for (size_t i = 0; i < p->count; i++)
            if (!isfinite(l->room[i])) {
                faults_add(&l->faults, "%s has a value that is not finite (number %zu)", t->name,
                           i);
                break;
            }
    }
}

static bool known(const struct loading *l, const char *name)
{
    const struct graph *g = l->model->graph;
    for (size_t i = 0; i < g->counter_count; i++)
        if (strcmp(g->counters[i], name) == 0)
            return true;
    return graph_parameter(g, name) != BIOFT_NONE;
}

static bioft_status check(struct loading *l, struct error *err)
{
    const struct graph *g = l->model->graph;
    const char **ours = mem_array(g->view.parameter_count, sizeof(*ours));
    if (!ours)
        return error_memory(err, l->path);
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        ours[i] = g->parameters[i].name;
        if (!left_alone(l, &g->parameters[i]))
            read_parameter(l, &g->parameters[i]);
    }
    for (size_t i = 0; i < g->counter_count; i++) {
        const struct tensor_entry *t = find(l, g->counters[i]);
        int64_t value = 0;
        if (t && (t->count != 1 || tensor_to_int64(t, &value, 1, NULL) != BIOFT_OK || value < 0))
            faults_add(&l->faults, "%s is no counter: one I64 expected", t->name);
    }
    for (size_t i = 0; i < l->name_count; i++)
        if (!known(l, l->names[i])) {
            const char *nearest = text_nearest(l->names[i], ours, g->view.parameter_count);
            faults_add(&l->faults, "%s is not in the network%s%s", l->names[i],
                       nearest ? nearest_words : "", nearest ? nearest : "");
        }
    free(ours);
    return faults_end(&l->faults, l->path, "does not fit the network", err);
}

/* After check: nothing but the engine can fail. */
static bioft_status fill(struct loading *l, struct error *err)
{
    const struct graph *g = l->model->graph;
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        const bioft_parameter *p = &g->parameters[i];
        if (left_alone(l, p)) {
            l->left_out++;
            continue;
        }
        const struct tensor_entry *t = find(l, p->name);
        bioft_status st = tensor_to_float(t, l->room, p->count, err);
        if (st == BIOFT_OK)
            st = model_write(l->model, BIOFT_VALUE, i, l->room, err);
        if (st != BIOFT_OK)
            return st;
        l->loaded++;
        l->values += p->count;
        l->converted += t->dtype != TENSOR_F32;
    }
    for (size_t i = 0; i < g->counter_count; i++) {    /* absent in files of before torch 0.4.1 */
        const struct tensor_entry *t = find(l, g->counters[i]);
        int64_t value = 0;
        if (t)
            tensor_to_int64(t, &value, 1, NULL);
        l->model->counters[i] = (uint64_t)value;
    }
    return BIOFT_OK;
}

static char *summary(const struct loading *l)
{
    struct text t = { 0 };
    text_printf(&t, "%s: %zu arrays, %zu values", l->path, l->loaded, l->values);
    if (l->converted > 0)
        text_printf(&t, "; %zu converted to float32", l->converted);
    if (l->prefix > 0)
        text_printf(&t, "; all names begin with '%s', which was looked through", module_prefix);
    if (l->left_out > 0)
        text_printf(&t, "; the head %s is left alone", l->model->graph->head);
    if (t.failed)
        text_free(&t);
    return t.data;
}

bioft_status weights_load(const char *path, struct model *m, bool with_head, char **ret_text,
                          struct error *err)
{
    struct loading l = { .path = path, .model = m, .with_head = with_head };
    size_t largest = 0;
    char *text = NULL;
    bioft_status st = safetensors_open(path, &l.file, err);
    if (st != BIOFT_OK)
        return st;
    const char *format = safetensors_metadata(l.file, "format");
    l.checkpoint = format && strcmp(format, CHECKPOINT_FORMAT) == 0;
    for (uint32_t i = 0; i < m->graph->view.parameter_count; i++)
        if (m->graph->parameters[i].count > largest)
            largest = m->graph->parameters[i].count;
    l.room = mem_aligned(largest, sizeof(*l.room));
    if (!l.room) {
        st = error_memory(err, path);
        goto end;
    }
    st = take_names(&l, err);
    if (st == BIOFT_OK)
        st = check(&l, err);
    if (st == BIOFT_OK)
        st = fill(&l, err);
    if (st == BIOFT_OK && !(text = summary(&l)))
        st = error_memory(err, path);
    if (st == BIOFT_OK)
        *ret_text = text;

end:
    safetensors_close(l.file);
    free(l.names);
    free(l.entries);
    free(l.room);
    return st;
}
