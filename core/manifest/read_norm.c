/* The norm of an attack: its table's, or what an instance with these options says. */
#include "manifest/read.h"

#include "plugin/instance.h"

uint32_t read_norm(struct reader *r, const struct yaml *node, const struct choice *choice)
{
    const bioft_attack *a = &choice->plugin->api.attack;
    const char *name = choice->plugin->descriptor.name;
    struct instance *instance = NULL;
    struct error err = { 0 };
    uint32_t norm = a->norm;

    if (!a->ball)
        return norm;
    bioft_status st = instance_create(&(struct instance_params){ .plugin = choice->plugin, .values = choice->values },
                                      &instance, &err);
    if (st == BIOFT_OK) {
        st = a->ball(instance->self, &norm);
        if (st != BIOFT_OK)
            instance_error(instance, st, &err);
    }
    instance_destroy(instance);
    if (st == BIOFT_OK && norm >= BIOFT_LINF && norm <= BIOFT_L0)
        return norm;
    if (st == BIOFT_ERR_MEMORY)
        r->failed = true;
    else if (st != BIOFT_OK)
        read_error(r, node, "%s", err.text);
    else
        read_error(r, node, "attack '%s': norm %u is unknown to this bioft", name, norm);
    return 0;
}
