/* An engine's instance, opened and asked what it is. */
#include "engine/engine.h"

#include "engine/select.h"
#include <stdlib.h>

bioft_status engine_open(const struct engine_params *p, struct engine **ret, struct error *err)
{
    struct engine *e = mem_array(1, sizeof *e);
    const struct plugin *plugin;
    int32_t threads_matter = 0;

    if (!e)
        return error_memory(err, "an engine");
    bioft_status st = engine_select(p->registry, p->plugin, p->values, p->log, &plugin, e->why, sizeof e->why, err);
    if (st != BIOFT_OK)
        goto fail;
    st = instance_create(
        &(struct instance_params){ .plugin = plugin, .values = p->values, .seed = p->seed, .pool = p->pool },
        &e->instance, err);
    if (st != BIOFT_OK)
        goto fail;
    e->api = &plugin->api.engine;
    st = e->api->identity(e->instance->self, e->identity, sizeof e->identity, &threads_matter);
    if (st != BIOFT_OK) {
        instance_error(e->instance, st, err);
        goto fail;
    }
    e->identity[sizeof e->identity - 1] = '\0';
    e->threads_matter = threads_matter != 0;
    log_write(p->log, LOG_INFO, "engine '%s': %s (%s)", plugin->descriptor.name, e->identity, e->why);
    *ret = e;
    return BIOFT_OK;

fail:
    engine_close(e);
    return st;
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    instance_destroy(e->instance);
    free(e);
}
