/* Instances: memory, option values and a host for one use of a plugin. */
#include "plugin/instance_private.h"

#include <stdlib.h>
#include <string.h>

static void free_all(struct instance *i)
{
    if (i->private) {
        host_finish(i);
        arena_destroy(i->private->arena);
        reasons_finish(&i->private->reasons);
        free(i->private);
    }
    free(i->extensions);
    free(i->self);
    free(i);
}

/* The instance with everything but its options and its plugin's create. NULL: out of memory. */
static struct instance *make(const struct instance_params *p)
{
    struct instance *i = mem_array(1, sizeof *i);
    if (!i)
        return NULL;
    i->plugin = p->plugin;
    i->seed = p->seed;
    i->pool = p->pool;
    i->private = mem_array(1, sizeof *i->private);
    if (!i->private || !reasons_init(&i->private->reasons)) {
        free(i->private);
        free(i);
        return NULL;
    }
    i->private->trainables = p->trainables;
    i->private->arena = arena_create();
    i->extensions = mem_array(p->extension_count, sizeof *i->extensions);
    i->self = mem_aligned(1, p->plugin->descriptor.instance_size);
    if (!i->private->arena || !i->extensions || !i->self) {
        free_all(i);
        return NULL;
    }
    if (p->extension_count > 0)
        memcpy(i->extensions, p->extensions, p->extension_count * sizeof *i->extensions);
    i->extension_count = p->extension_count;
    host_init(i);
    return i;
}

bioft_status instance_create(const struct instance_params *p, struct instance **ret, struct error *err)
{
    const bioft_plugin *d = &p->plugin->descriptor;
    const struct option_value *values = p->values;
    struct option_value *defaults;
    bioft_status st = BIOFT_OK;
    struct instance *i = make(p);
    if (!i)
        return error_memory(err, "an instance of a plugin");
    if (!values) {
        st = options_defaults(p->plugin, i->private->arena, &defaults, err);
        if (st != BIOFT_OK)
            goto fail;
        values = defaults;
    }
    options_write(p->plugin, values, i->self);
    instance_write_host(p->plugin, &i->host, i->self);
    if (d->create)
        st = d->create(i->self, &i->host);
    if (st != BIOFT_OK) {
        st = instance_error(i, st, err);
        goto fail;
    }
    *ret = i;
    return BIOFT_OK;

fail:
    free_all(i);
    return st;
}

void instance_write_host(const struct plugin *p, const bioft_host *host, void *self)
{
    if (p->descriptor.flags & BIOFT_PLUGIN_HOST)
        memcpy((char *)self + p->descriptor.host_offset, &host, sizeof host);
}

void instance_destroy(struct instance *i)
{
    if (!i)
        return;
    if (i->plugin->descriptor.destroy)
        i->plugin->descriptor.destroy(i->self);
    free_all(i);
}

struct instance *instance_of_host(const bioft_host *host) { return host->ctx; }

void *instance_extension_ctx(const bioft_host *host, const char *id)
{
    const struct instance *i = instance_of_host(host);
    for (size_t n = 0; n < i->extension_count; n++)
        if (strcmp(id, i->extensions[n].id) == 0)
            return i->extensions[n].ctx;
    return NULL;
}

bioft_status instance_error(struct instance *i, bioft_status status, struct error *err)
{
    const bioft_plugin *d = &i->plugin->descriptor;
    char reason[REASON_SIZE];
    reasons_take(&i->private->reasons, reason);
    if (status >= BIOFT_OK || status < BIOFT_ERR_CANCELLED)
        return error_set(err, BIOFT_ERR_INVALID, "%s '%s': failed with status %d, which the contract does not have%s%s",
                         kind_word(d->kind), d->name, status, reason[0] ? ": " : "", reason);
    return error_set(err, status, "%s '%s': %s", kind_word(d->kind), d->name,
                     reason[0] ? reason : "failed without a message");
}

struct named_array *instance_array(struct instance *i, const char *name)
{
    const size_t index = names_find(&i->private->array_names, i->arrays, name);
    return index == SIZE_MAX ? NULL : &i->arrays[index];
}
