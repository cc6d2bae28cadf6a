/* From a path to descriptors that the rest of core may trust. */
#ifndef PLUGIN_LOAD_H
#define PLUGIN_LOAD_H

#include "plugin/registry.h"

/* Copies another side's struct into ours. Shorter: the rest stays zero, which means "not given". Longer: fine as long
 * as what we do not know is zero, so that nothing is silently ignored; false otherwise, *ret undefined. */
bool abi_adopt(void *ret, size_t ours, const void *theirs, size_t theirs_size);

/* A descriptor and its vtable from a library's memory into a struct of ours; its path is a copy of `path`. The error
 * is one fault: what keeps the descriptor from being read at all. */
bioft_status plugin_adopt(const bioft_plugin *theirs, const char *path, struct plugin **ret, struct error *err);
void plugin_free(struct plugin *p); /* NULL is fine */

/* Loads one file: every fault of it, one a line. kind 0: whatever it holds. The file stays loaded for ever; what is
 * known of it is freed with plugins_free. */
bioft_status plugin_load(const char *path, uint32_t kind, struct plugin ***ret, size_t *ret_count, struct error *err);
void plugins_free(struct plugin **plugins, size_t count);

#endif
