/* A file whose list of plugins is empty. */
#include "broken.h"

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    (void)index;
    return NULL;
}
