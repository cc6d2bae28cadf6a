/* From the path of a library to the checked plugins in it. */
#include "plugin/load.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugin/elf.h"
#include "plugin/check.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_PLUGINS = 64 }; /* in one file */
typedef const bioft_plugin *entry_fn(uint32_t index);

struct loading {
    const char *path;
    struct plugin *plugins[MOST_PLUGINS];
    size_t count;
    struct text faults; /* a line each */
};

static void add_fault(struct loading *l, const char *text)
{
    if (l->faults.length > 0)
        text_add(&l->faults, "\n");
    text_add(&l->faults, text);
}

static bioft_status open_library(const char *path, void **ret_so, entry_fn **ret_entry, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_set(err, BIOFT_ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: not a file", path);
    bioft_status whole = elf_check_whole(path, err);
    if (whole != BIOFT_OK)
        return whole;
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!so) {
        const char *why = dlerror();
        const size_t length = strlen(path);
        if (why && strncmp(why, path, length) == 0 && strncmp(why + length, ": ", 2) == 0)
            why += length + 2;
        return error_set(err, BIOFT_ERR_FORMAT, "%s: not a loadable library: %s", path, why ? why : "no reason given");
    }
    void *symbol = dlsym(so, "bioft_plugin_entry");
    if (!symbol) {
        dlclose(so);
        return error_set(err, BIOFT_ERR_FORMAT, "%s: no symbol bioft_plugin_entry: not a bioft plugin", path);
    }
    memcpy(ret_entry, &symbol, sizeof symbol); /* C has no cast from an object's pointer to a function's */
    *ret_so = so;
    return BIOFT_OK;
}

static bioft_status adopt_all(struct loading *l, entry_fn *entry, struct error *err)
{
    const bioft_plugin *theirs;
    uint32_t index = 0;
    for (; index < MOST_PLUGINS && (theirs = entry(index)); index++) {
        struct plugin *p;
        bioft_status st = plugin_adopt(theirs, l->path, &p, err);
        if (st == BIOFT_ERR_MEMORY)
            return st;
        if (st == BIOFT_OK)
            l->plugins[l->count++] = p;
        else
            add_fault(l, err->text);
    }
    if (index == 0)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: it holds no plugin: bioft_plugin_entry(0) is NULL", l->path);
    return BIOFT_OK;
}

static void check_twins(struct loading *l)
{
    struct error err;
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = i + 1; k < l->count; k++) {
            const bioft_plugin *a = &l->plugins[i]->descriptor, *b = &l->plugins[k]->descriptor;
            if (a->kind != b->kind || !a->name || !b->name || strcmp(a->name, b->name) != 0)
                continue;
            error_set(&err, BIOFT_ERR_FORMAT, "%s: two plugins are the %s '%s'", l->path, kind_word(a->kind), a->name);
            add_fault(l, err.text);
        }
}

static bioft_status check_all(struct loading *l, uint32_t kind, const char *stem, struct error *err)
{
    const bool alone = l->count == 1 && l->faults.length == 0;
    for (size_t i = 0; i < l->count; i++) {
        bioft_status st = plugin_check(l->plugins[i], alone ? stem : NULL, err);
        if (st == BIOFT_ERR_MEMORY)
            return st;
        if (st != BIOFT_OK)
            add_fault(l, err->text);
    }
    if (l->faults.length == 0)
        check_twins(l);
    for (size_t i = 0; i < l->count && kind != 0 && l->faults.length == 0; i++)
        if (l->plugins[i]->descriptor.kind != kind) {
            error_set(err, BIOFT_ERR_FORMAT, "%s: its kind is %s, where a plugin of kind %s is looked for", l->path,
                      kind_word(l->plugins[i]->descriptor.kind), kind_word(kind));
            add_fault(l, err->text);
        }
    if (l->faults.failed)
        return error_memory(err, "a plugin's faults");
    return l->faults.length > 0 ? error_set(err, BIOFT_ERR_FORMAT, "%s", l->faults.data) : BIOFT_OK;
}

/* "usf" of "/a/b/usf.so"; NULL: out of memory. */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return strndup(name, dot && strcmp(dot, ".so") == 0 ? (size_t)(dot - name) : strlen(name));
}

bioft_status plugin_load(const char *path, uint32_t kind, struct plugin ***ret, size_t *ret_count, struct error *err)
{
    struct loading l = { 0 };
    struct error local;
    struct plugin **list = NULL;
    entry_fn *entry = NULL;
    void *so = NULL;
    bioft_status st = BIOFT_ERR_MEMORY;

    err = err ? err : &local;
    char *absolute = path_absolute(NULL, path), *stem = stem_of(path);
    if (!absolute || !stem) {
        error_memory(err, path);
        goto out;
    }
    l.path = absolute;
    st = open_library(absolute, &so, &entry, err);
    if (st == BIOFT_OK)
        st = adopt_all(&l, entry, err);
    if (st == BIOFT_OK)
        st = check_all(&l, kind, stem, err);
    if (st != BIOFT_OK)
        goto out;
    list = mem_array(l.count, sizeof *list);
    if (!list) {
        st = error_memory(err, path);
        goto out;
    }
    memcpy(list, l.plugins, l.count * sizeof *list);
    *ret = list;
    *ret_count = l.count;
    l.count = 0;
    so = NULL; /* never closed: its threads may outlive every call */

out:
    for (size_t i = 0; i < l.count; i++)
        plugin_free(l.plugins[i]);
    text_free(&l.faults);
    if (so)
        dlclose(so);
    free(absolute);
    free(stem);
    return st;
}
