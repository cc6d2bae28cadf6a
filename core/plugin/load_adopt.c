/* A plugin's structs adopted by copy, so that the host reads only what it knows and ignores nothing. */
#include "base/memory.h"
#include "plugin/check.h"
#include "plugin/load.h"

#include <stdlib.h>
#include <string.h>

/* What every struct of the first version has at least; what a garbage size must not make the host read. */
enum { OLDEST_MINOR = 1, DESCRIPTOR_LEAST = 128, OPTION_LEAST = 80, VTABLE_LEAST = 8 };
enum { SIZE_MOST = 4096, OPTIONS_MOST = 256 };

bool abi_adopt(void *ret, size_t ours, const void *theirs, size_t theirs_size)
{
    const unsigned char *p = theirs;
    for (size_t i = ours; i < theirs_size; i++)
        if (p[i] != 0)
            return false;
    memset(ret, 0, ours);
    memcpy(ret, theirs, theirs_size < ours ? theirs_size : ours);
    return true;
}

static bool sane(size_t size, size_t least) { return size >= least && size <= SIZE_MOST && size % 8 == 0; }

static bioft_status newer(const bioft_plugin *p, const char *path, const char *what, struct error *err)
{
    return error_set(err, BIOFT_ERR_FORMAT, "%s: uses something in its %s of ABI %u.%u that this bioft (%u.%u) lacks",
                     path, what, p->abi_version >> 16, p->abi_version & 0xffff, BIOFT_ABI_MAJOR, BIOFT_ABI_MINOR);
}

/* Everything that must hold before the descriptor's other fields may be read. */
static bioft_status check_head(const bioft_plugin *p, const char *path, struct error *err)
{
    const uint32_t major = p->abi_version >> 16, minor = p->abi_version & 0xffff;
    if (p->magic != BIOFT_MAGIC)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: no bioft descriptor: magic 0x%08x instead of 0x%08x", path,
                         p->magic, BIOFT_MAGIC);
    if (major != BIOFT_ABI_MAJOR)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: built for bioft ABI %u.%u, this is ABI %u.%u: rebuild the plugin",
                         path, major, minor, BIOFT_ABI_MAJOR, BIOFT_ABI_MINOR);
    if (minor < OLDEST_MINOR)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: built for bioft ABI %u.%u, this bioft (%u.%u) reads %u.%u and newer: rebuild the plugin",
                         path, major, minor, BIOFT_ABI_MAJOR, BIOFT_ABI_MINOR, BIOFT_ABI_MAJOR, OLDEST_MINOR);
    if (!sane(p->struct_size, DESCRIPTOR_LEAST))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: a descriptor of %u bytes makes no sense", path, p->struct_size);
    return BIOFT_OK;
}

/* What flags say since ABI 0.3 hung on units and names before. */
static void translate_flags(const bioft_plugin *d, bioft_option *o)
{
    enum { FLAGS_SINCE = 3 };
    static const struct {
        const char *unit;
        uint32_t flag;
    } units[] = {
        { "steps", BIOFT_OPTION_STEPS },
        { "queries", BIOFT_OPTION_QUERIES },
        { "classes", BIOFT_OPTION_CLASSES },
    };
    if ((d->abi_version & 0xffff) >= FLAGS_SINCE || o->flags != 0)
        return;
    const bool real = o->type == BIOFT_F64 || o->type == BIOFT_F64_LIST;
    if (real && !string_fault(o->unit) && strncmp(o->unit, "pixel", 5) == 0)
        o->flags |= BIOFT_OPTION_FRACTIONS;
    for (size_t i = 0; d->kind == BIOFT_KIND_ATTACK && o->type == BIOFT_I64 && i < sizeof units / sizeof *units; i++)
        if (!string_fault(o->unit) && strcmp(o->unit, units[i].unit) == 0)
            o->flags |= units[i].flag;
    if (d->kind == BIOFT_KIND_LOSS && o->type == BIOFT_F64 && !string_fault(o->name) &&
        strcmp(o->name, "label_smoothing") == 0)
        o->flags |= BIOFT_OPTION_LABEL_SMOOTHING;
}

/* Until this is done `options` points into the library; afterwards it is ours to free. */
static bioft_status adopt_options(struct plugin *p, struct error *err)
{
    bioft_plugin *d = &p->descriptor;
    const char *theirs = (const char *)d->options;
    const uint32_t stride = d->option_size;
    d->options = NULL;
    if (d->option_count == 0)
        return BIOFT_OK;
    if (!theirs)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: its options table is NULL", p->path);
    if (d->option_count > OPTIONS_MOST || !sane(stride, OPTION_LEAST))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: %u options of %u bytes make no sense", p->path, d->option_count,
                         stride);
    bioft_option *ours = mem_array(d->option_count, sizeof *ours);
    if (!ours)
        return error_memory(err, "an options table");
    d->options = ours;
    d->option_size = sizeof *ours;
    for (uint32_t i = 0; i < d->option_count; i++) {
        if (!abi_adopt(&ours[i], sizeof ours[i], theirs + (size_t)i * stride, stride))
            return newer(d, p->path, "options", err);
        translate_flags(d, &ours[i]);
    }
    return BIOFT_OK;
}

static bioft_status adopt_vtable(struct plugin *p, struct error *err)
{
    static const size_t ours[PLUGIN_KINDS + 1] = {
        [BIOFT_KIND_RULE] = sizeof(bioft_rule),       [BIOFT_KIND_BACKBONE] = sizeof(bioft_backbone),
        [BIOFT_KIND_DATASET] = sizeof(bioft_dataset), [BIOFT_KIND_ATTACK] = sizeof(bioft_attack),
        [BIOFT_KIND_LOSS] = sizeof(bioft_loss),       [BIOFT_KIND_ENGINE] = sizeof(bioft_engine),
    };
    bioft_plugin *d = &p->descriptor;
    const void *theirs = d->vtable;
    uint32_t head[2]; /* struct_size, and what an engine has second: its draft */
    if (!theirs || !kind_word(d->kind))
        return BIOFT_OK; /* plugin_check says so */
    memcpy(head, theirs, sizeof head);
    if (!sane(head[0], VTABLE_LEAST))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: the %s's vtable of %u bytes makes no sense", p->path,
                         kind_word(d->kind), head[0]);
    if (d->kind == BIOFT_KIND_ENGINE && head[1] != BIOFT_ENGINE_DRAFT)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: built for engine draft %u, this bioft has draft %u: rebuild the plugin", p->path, head[1],
                         BIOFT_ENGINE_DRAFT);
    if (!abi_adopt(&p->api, ours[d->kind], theirs, head[0]))
        return newer(d, p->path, "vtable", err);
    d->vtable = &p->api;
    return BIOFT_OK;
}

bioft_status plugin_adopt(const bioft_plugin *theirs, const char *path, struct plugin **ret, struct error *err)
{
    bioft_status st = check_head(theirs, path, err);
    if (st != BIOFT_OK)
        return st;
    struct plugin *p = mem_array(1, sizeof *p);
    if (p)
        p->path = strdup(path);
    if (!p || !p->path) {
        free(p);
        return error_memory(err, "a plugin");
    }
    if (!abi_adopt(&p->descriptor, sizeof p->descriptor, theirs, theirs->struct_size)) {
        st = newer(theirs, path, "descriptor", err);
        p->descriptor.options = NULL; /* not ours to free */
        goto free;
    }
    p->descriptor.struct_size = sizeof p->descriptor;
    st = adopt_options(p, err);
    if (st == BIOFT_OK)
        st = adopt_vtable(p, err);
    if (st != BIOFT_OK)
        goto free;
    *ret = p;
    return BIOFT_OK;

free:
    plugin_free(p);
    return st;
}

void plugin_free(struct plugin *p)
{
    if (!p)
        return;
    free((void *)(uintptr_t)p->descriptor.options);
    free(p->path);
    free(p);
}

void plugins_free(struct plugin **plugins, size_t count)
{
    for (size_t i = 0; plugins && i < count; i++)
        plugin_free(plugins[i]);
    free(plugins);
}
