/* What the plugins that break the contract share: the descriptor. */
#ifndef TESTS_CONFORM_BROKEN_H
#define TESTS_CONFORM_BROKEN_H

#include <bioft/attack.h>
#include <bioft/backbone.h>
#include <bioft/loss.h>
#include <bioft/rule.h>

#define BROKEN(number, called, type, table, ...) \
    static const bioft_plugin plugin = { .magic = BIOFT_MAGIC, \
                                         .struct_size = sizeof(plugin), \
                                         .abi_version = BIOFT_ABI_VERSION, \
                                         .kind = number, \
                                         .name = called, \
                                         .version = "1", \
                                         .author = "bioft", \
                                         .license = "MIT", \
                                         .summary = "breaks the contract", \
                                         .reference = "", \
                                         .instance_size = sizeof(type), \
                                         .vtable = table, \
                                         __VA_ARGS__ }; \
    const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }

#endif
