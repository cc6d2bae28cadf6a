/* An instance of a plugin with the host behind it: errors, named arrays, random numbers, extensions. */
#ifndef PLUGIN_INSTANCE_H
#define PLUGIN_INSTANCE_H

#include "base/threads.h"
#include "plugin/options.h"

/* An extension of the host: id and table, for this instance. The table's functions get the bioft_host and find their
 * context with instance_of_host. */
struct extension {
    const char *id;
    const void *table;
    void *ctx;
};

struct named_array { /* made by host->state or host->trainable */
    char *name;
    size_t count;
    float *value;
    float *gradient;          /* trainables only */
    float *moment1, *moment2; /* trainables only: the core's plain optimizer */
};

struct instance {
    const struct plugin *plugin;
    void *self;
    bioft_host host;
    uint64_t seed;
    struct pool *pool;
    struct extension *extensions;
    size_t extension_count;
    struct named_array *arrays; /* in the order of their making */
    size_t array_count, array_capacity;
    struct instance_private *private;
};

struct instance_params {
    const struct plugin *plugin;
    const struct option_value *values;  /* NULL: defaults. Must outlive the instance */
    uint64_t seed;                      /* of host->random */
    struct pool *pool;                  /* behind "bioft.parallel/1"; may be NULL */
    const struct extension *extensions; /* copied; beside those of every instance */
    size_t extension_count;
    bool trainables; /* host->trainable may be called */
};
bioft_status instance_create(const struct instance_params *p, struct instance **ret, struct error *err);
void instance_destroy(struct instance *i); /* NULL is fine */

/* The host's address where the plugin's descriptor asks for it; nothing where it does not. */
void instance_write_host(const struct plugin *p, const bioft_host *host, void *self);
struct instance *instance_of_host(const bioft_host *host);
/* The extension's ctx given for `id`, from inside its functions. */
void *instance_extension_ctx(const bioft_host *host, const char *id);
/* After a callback failed: "rule 'usf': TEXT" with what host->fail was told in this thread (or "failed without a
 * message"). Returns status. */
bioft_status instance_error(struct instance *i, bioft_status status, struct error *err);
/* Has it asked for random numbers since it was made? */
bool instance_drew(const struct instance *i);
struct named_array *instance_array(struct instance *i, const char *name); /* NULL: none */

#endif
