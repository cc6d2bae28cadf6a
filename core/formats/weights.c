/* Weights of any format: opened, and prefixes that say nothing taken off the names. */
#include "formats/weights.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct weights_private {
    struct weights view;
    struct file_map map; /* zero where the bytes are the caller's */
    struct safetensors *safetensors;
    struct torch_file torch;
    struct tensor_entry *tensors; /* by the names that are left */
    const struct tensor_entry **by_name;
    struct text note;
    struct arena *arena; /* new names */
};

/* What wraps whole networks: torch's DataParallel, compiled modules, and a module that has the
 * network as its member. */
static const char *const prefixes[] = { "module.", "_orig_mod.", "model.", "net.", "backbone.", "encoder." };
enum { PREFIXES = sizeof prefixes / sizeof *prefixes };

const char *weights_format_name(enum weights_format format)
{
    return format == WEIGHTS_SAFETENSORS ? "safetensors"
           : format == WEIGHTS_TORCH_ZIP ? "PyTorch (zip)"
                                         : "PyTorch (legacy)";
}

static bool begins(const char *name, const char *prefix)
{
    const size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 && name[length];
}

static size_t count_prefix(const struct weights_private *p, const char *prefix)
{
    size_t count = 0;
    for (size_t i = 0; i < p->view.count; i++)
        count += begins(p->tensors[i].name, prefix);
    return count;
}

/* Names with the prefix lose it; the others are left out, and named. */
static void take_prefix(struct weights_private *p, const char *prefix)
{
    const size_t length = strlen(prefix), all = p->view.count;
    size_t kept = 0, gone = 0;
    char escaped[TEXT_ESCAPED];
    struct text others = { 0 };

    for (size_t i = 0; i < all; i++) {
        struct tensor_entry t = p->tensors[i];
        if (begins(t.name, prefix)) {
            t.name += length;
            p->tensors[kept++] = t;
        } else if (++gone <= 4) {
            text_printf(&others, "%s%s", gone > 1 ? ", " : "", text_escape(escaped, t.name, strlen(t.name)));
        }
    }
    p->view.count = kept;
    text_printf(&p->note, "%s%s names begin with '%s', which is left out", p->note.length ? "; " : "",
                gone ? "" : "all", prefix);
    if (gone)
        text_printf(&p->note, "; so %s %zu without it: %s%s", gone == 1 ? "is" : "are", gone,
                    others.data ? others.data : "", gone > 4 ? ", ..." : "");
    text_free(&others);
}

/* A prefix that most names have; what has none is a criterion's, a counter's or another part's. */
static void look_through(struct weights_private *p, bool whole)
{
    for (size_t k = 0; k < PREFIXES; k++) {
        const size_t count = count_prefix(p, prefixes[k]);
        if (whole ? count < p->view.count || !count : count * 2 <= p->view.count)
            continue;
        take_prefix(p, prefixes[k]);
        k = (size_t)-1; /* there may be another below */
    }
}

static bioft_status no_prefix(const struct weights_private *p, const char *name, const char *prefix, struct error *err)
{
    char a[TEXT_ESCAPED], b[TEXT_ESCAPED];
    const char *first = p->view.count ? p->tensors[0].name : "",
               *last = p->view.count ? p->tensors[p->view.count - 1].name : "";
    return error_set(err, BIOFT_ERR_INVALID, "%s: no name begins with the prefix '%s'; names are '%s' to '%s'", name,
                     prefix, text_escape(a, first, strlen(first)), text_escape(b, last, strlen(last)));
}

/* A whole name, or its beginning, by the first change that fits. */
static bioft_status rename_all(struct weights_private *p, const char *name, const struct torch_params *params,
                               struct error *err)
{
    bool *used = mem_array(params->rename_count, sizeof *used);
    bioft_status st = used ? BIOFT_OK : error_memory(err, name);

    for (size_t i = 0; st == BIOFT_OK && i < p->view.count; i++)
        for (size_t k = 0; k < params->rename_count; k++) {
            const struct name_change *c = &params->rename[k];
            const size_t length = strlen(c->from);
            if (strncmp(p->tensors[i].name, c->from, length) != 0)
                continue;
            char *renamed = arena_printf(p->arena, "%s%s", c->to, p->tensors[i].name + length);
            if (!renamed)
                st = error_memory(err, name);
            else
                p->tensors[i].name = renamed;
            used[k] = true;
            break;
        }
    for (size_t k = 0; st == BIOFT_OK && k < params->rename_count; k++)
        if (!used[k])
            st = error_set(err, BIOFT_ERR_INVALID, "%s: rename: no name begins with '%s'", name,
                           params->rename[k].from);
    free(used);
    return st;
}

/* A checkpoint of our own has the network's names, whatever they begin with. */
static bool is_ours(const struct weights_private *p)
{
    const char *format = p->safetensors ? safetensors_metadata(p->safetensors, "format") : NULL;
    return format && strncmp(format, "bioft", 5) == 0;
}

static bioft_status change_names(struct weights_private *p, const char *name, const struct torch_params *params,
                                 struct error *err)
{
    if (p->torch.key)
        text_printf(&p->note, "found under '%s'", p->torch.key);
    if (p->torch.note)
        text_printf(&p->note, "%s%s", p->note.length ? "; " : "", p->torch.note);
    if (params->prefix && *params->prefix) {
        if (!count_prefix(p, params->prefix))
            return no_prefix(p, name, params->prefix, err);
        take_prefix(p, params->prefix);
    } else if (!params->prefix && !is_ours(p)) {
        look_through(p, params->whole);
    }
    return params->rename_count ? rename_all(p, name, params, err) : BIOFT_OK;
}

static bioft_status check_twins(const struct weights_private *p, const char *name, struct error *err)
{
    char escaped[TEXT_ESCAPED];
    for (size_t i = 1; i < p->view.count; i++)
        if (strcmp(p->by_name[i - 1]->name, p->by_name[i]->name) == 0)
            return error_set(err, BIOFT_ERR_INVALID, "%s: two tensors are called '%s' now: see prefix and rename", name,
                             text_escape(escaped, p->by_name[i]->name, strlen(p->by_name[i]->name)));
    return BIOFT_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct tensor_entry *const *)a)->name, (*(const struct tensor_entry *const *)b)->name);
}

/* Our own list, whose names may be shortened, and the index by name. */
static bioft_status take_tensors(struct weights_private *p, const char *name, const struct torch_params *params,
                                 struct error *err)
{
    const bool torch = !p->safetensors;
    p->view.count = torch ? p->torch.count : safetensors_count(p->safetensors);
    p->tensors = mem_array(p->view.count, sizeof *p->tensors);
    p->by_name = mem_array(p->view.count, sizeof *p->by_name);
    if (!p->tensors || !p->by_name)
        return error_memory(err, name);
    for (size_t i = 0; i < p->view.count; i++)
        p->tensors[i] = torch ? p->torch.tensors[i] : *safetensors_entry(p->safetensors, i);
    bioft_status st = change_names(p, name, params, err);
    if (st == BIOFT_OK && p->note.failed)
        st = error_memory(err, name);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < p->view.count; i++)
        p->by_name[i] = &p->tensors[i];
    qsort(p->by_name, p->view.count, sizeof *p->by_name, compare_names);
    return check_twins(p, name, err);
}

static bool is_safetensors(const uint8_t *bytes, size_t size)
{
    return size >= 9 && bytes[8] == '{' && bytes[4] == 0 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] == 0;
}

static bioft_status read(struct weights_private *p, const char *name, const uint8_t *bytes, size_t size,
                         const struct torch_params *params, struct error *err)
{
    char words[256];
    const enum torch_kind kind = torch_recognise(bytes, size);
    if (kind != TORCH_NONE) {
        p->view.format = kind == TORCH_ZIP ? WEIGHTS_TORCH_ZIP : WEIGHTS_TORCH_LEGACY;
        return torch_parse(name, bytes, size, params, &p->torch, err);
    }
    if (is_safetensors(bytes, size)) {
        p->view.format = WEIGHTS_SAFETENSORS;
        if (params->key)
            return error_set(err, BIOFT_ERR_INVALID, "%s: key '%s': safetensors have no dicts in dicts", name,
                             params->key);
        return safetensors_parse(name, bytes, size, &p->safetensors, err);
    }
    if (weights_impostor(bytes, size, words, sizeof words))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: %s", name, words);
    return error_set(err, BIOFT_ERR_FORMAT,
                     "%s: neither a PyTorch file (.pth) nor safetensors, and nothing else that is "
                     "known",
                     name);
}

bioft_status weights_parse(const char *name, const uint8_t *bytes, size_t size, const struct torch_params *params,
                           struct weights **ret, struct error *err)
{
    const struct torch_params none = { 0 };
    struct weights_private *p = mem_array(1, sizeof *p);
    if (!p)
        return error_memory(err, name);
    p->view.private = p;
    p->arena = arena_create();
    if (!p->arena) {
        free(p);
        return error_memory(err, name);
    }
    bioft_status st = read(p, name, bytes, size, params ? params : &none, err);
    if (st == BIOFT_OK)
        st = take_tensors(p, name, params ? params : &none, err);
    if (st != BIOFT_OK) {
        weights_close(&p->view);
        return st;
    }
    p->view.tensors = p->tensors;
    p->view.safetensors = p->safetensors;
    p->view.note = p->note.data;
    *ret = &p->view;
    return BIOFT_OK;
}

/* The published file whose name this is, where it has another size than that. */
static const struct weights_known *resized(const char *path, size_t size)
{
    const struct weights_known *known = weights_by_name(path);
    return known && known->size != 0 && known->size != size ? known : NULL;
}

/* A published file of another size is no longer that file: where it fails, this is why. */
static void add_size(const char *path, size_t size, struct error *err)
{
    const struct weights_known *known = resized(path, size);
    if (!err || !known)
        return;
    const size_t length = strlen(err->text);
    snprintf(err->text + length, sizeof err->text - length, "; the published %s has %llu bytes, this file %zu",
             known->file, (unsigned long long)known->size, size);
}

bioft_status weights_open(const char *path, const struct torch_params *params, struct weights **ret, struct error *err)
{
    struct file_map map = { 0 };
    struct weights *w = NULL;
    bioft_status st = file_map_open(path, &map, err);
    if (st != BIOFT_OK)
        return st;
    st = weights_parse(path, map.bytes, map.size, params, &w, err);
    if (st != BIOFT_OK)
        add_size(path, map.size, err);
    st = file_map_check(&map, st, err);
    if (st != BIOFT_OK) {
        weights_close(w);
        file_map_close(&map);
        return st;
    }
    w->private->map = map;
    if (resized(path, map.size)) {
        struct text *note = &w->private->note;
        text_printf(note, "%snot the published file of this name, which has another size", note->length ? "; " : "");
        w->private->view.note = note->data;
    }
    *ret = w;
    return BIOFT_OK;
}

bioft_status weights_check(const struct weights *w, bioft_status status, struct error *err)
{
    return file_map_check(&w->private->map, status, err);
}

void weights_close(struct weights *w)
{
    if (!w)
        return;
    struct weights_private *p = w->private;
    safetensors_close(p->safetensors);
    torch_free(&p->torch);
    free(p->tensors);
    free(p->by_name);
    text_free(&p->note);
    arena_destroy(p->arena);
    file_map_close(&p->map);
    free(p);
}

const struct tensor_entry *weights_find(const struct weights *w, const char *name)
{
    const struct weights_private *p = w->private;
    size_t low = 0, high = w->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, p->by_name[middle]->name);
        if (order == 0)
            return p->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
