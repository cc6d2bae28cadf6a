/* An instance of an attack with options in words, for tests of attacks. */
#ifndef TEST_ATTACK_INSTANCE_H
#define TEST_ATTACK_INSTANCE_H

#include "base/memory.h"
#include "plugin/instance.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define OK(call, err) \
    do { \
        if ((call) != BIOFT_OK) \
            fail_msg("%s: %s", #call, (err).text); \
    } while (0)

/* options: "name=value ...". *ret_plugin lives with the registry; the instance is the caller's. */
static inline struct instance *make_attack(struct registry *registry, struct arena *arena, const char *name,
                                           const char *options, const struct plugin **ret_plugin)
{
    struct error err = { 0 };
    struct option_value *values;
    struct instance *instance;
    char *rest = arena_text(arena, options);

    OK(registry_find(registry, BIOFT_KIND_ATTACK, name, ret_plugin, &err), err);
    OK(options_defaults(*ret_plugin, arena, &values, &err), err);
    for (char *word = strtok(rest, " "); word; word = strtok(NULL, " ")) {
        size_t index = 0;
        char *equals = strchr(word, '=');
        *equals = '\0';
        const char *text = equals + 1;
        const bioft_option *o = options_find(*ret_plugin, word, &index);
        assert_non_null(o);
        OK(option_parse(o, &text, 1, false, ".", arena, &values[index], &err), err);
    }
    OK(instance_create(&(struct instance_params){ .plugin = *ret_plugin, .values = values, .seed = 1 }, &instance,
                       &err),
       err);
    return instance;
}

#endif
