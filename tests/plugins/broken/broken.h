/* What the broken plugins have in common: everything that is right about them. */
#ifndef BROKEN_H
#define BROKEN_H

#include <bioft/attack.h>
#include <bioft/engine.h>
#include <bioft/rule.h>

struct self {
    double first, second;
};

/* The head and the identity of a descriptor of this kind and name. */
#define BROKEN_HEAD(the_kind, the_name) \
    .magic = BIOFT_MAGIC, .struct_size = sizeof(bioft_plugin), .abi_version = BIOFT_ABI_VERSION, .kind = the_kind, \
    .name = the_name, .version = "1.0", .author = "tests", .license = "MIT", .summary = "a broken plugin", \
    .reference = "", .instance_size = sizeof(struct self)
#define BROKEN_OPTIONS(table) \
    .options = table, .option_count = sizeof table / sizeof *table, .option_size = sizeof *table

#endif
