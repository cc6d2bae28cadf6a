/* Dies while it is loaded, before anything about it can be checked: WAY is a signal's number, or how else it goes. */
#include "broken.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void load(void)
{
#if WAY == 0
    for (volatile int forever = 1; forever;)
        continue;
#elif WAY < 0
    puts("so long");
    exit(0);
#else
    raise(WAY);
#endif
}

static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_RULE, "crash"), .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
