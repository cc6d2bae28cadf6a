/* The faults of one descriptor, gathered a line each. */
#ifndef PLUGIN_CHECK_H
#define PLUGIN_CHECK_H

#include "plugin/registry.h"
#include "base/text.h"

/* All faults of an adopted descriptor and its vtable, one a line. file_name: its name where it holds one plugin, or
 * NULL. */
bioft_status plugin_check(const struct plugin *p, const char *file_name, struct error *err);

/* What follows is for check*.c and what else needs a name checked. */
struct faults {
    const struct plugin *plugin;
    bool several; /* the file holds more than one plugin: say which */
    struct text text;
};
/* Adds "PATH: TEXT", or "PATH: plugin 'NAME': TEXT". */
void fault(struct faults *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Neither NULL nor empty nor too long, UTF-8 on one line; what it is otherwise. */
const char *string_fault(const char *s);
/* [a-z0-9_]+, for options with a letter first. */
bool is_plugin_name(const char *s);
bool is_option_name(const char *s);

void check_options(struct faults *f);
void check_vtable(struct faults *f);

#endif
