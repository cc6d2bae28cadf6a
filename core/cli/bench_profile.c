/* What an engine measured of itself, read from its JSON text: {"threads", "nodes": [{"node", "op",
 * "layer", "forward", "backward", "gradient", "kernels"}]}, seconds of all threads; kernels, which
 * may be missing: a word or a list of words, the instruction sets of the node's primitives. */
#include "cli/bench.h"
#include "cli/print.h"

#include "formats/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILE_BYTES = 1 << 20, PHASES = 3 };
static const char *const phases[PHASES] = { "forward", "backward", "gradient" };

bioft_status bench_profile(const struct bench *b, char **ret, struct error *err)
{
    const struct engine *e = b->opened;
    char *json;

    *ret = NULL;
    if (!e->api->profile)
        return BIOFT_OK;
    json = mem_array(PROFILE_BYTES, 1);
    if (!json)
        return error_memory(err, "a profile");
    bioft_status st = e->api->profile(e->instance->self, b->program->self, json, PROFILE_BYTES);
    if (st != BIOFT_OK) {
        free(json);
        return instance_error(e->instance, st, err);
    }
    *ret = json;
    return BIOFT_OK;
}

static bioft_status parse(const char *profile, struct arena *arena, const struct json **ret_root,
                          const struct json **ret_nodes, struct error *err)
{
    struct json *root;
    bioft_status st = json_parse("the engine's profile", profile, strlen(profile), arena, &root, err);

    if (st != BIOFT_OK)
        return st;
    *ret_root = root;
    *ret_nodes = json_get(root, "nodes");
    return *ret_nodes && (*ret_nodes)->type == JSON_ARRAY
               ? BIOFT_OK
               : error_set(err, BIOFT_ERR_FORMAT, "the engine's profile lists no nodes");
}

/* Adds a word that is not there yet. */
static void add_word(struct text *all, const struct json *word)
{
    const char *found = all->data;

    if (word->type != JSON_STRING || word->length == 0)
        return;
    while (found && (found = strstr(found, word->text))) {
        const bool begins = found == all->data || found[-1] == ' ';
        if (begins && (found[word->length] == ',' || found[word->length] == '\0'))
            return;
        found += word->length;
    }
    text_printf(all, "%s%s", all->length ? ", " : "", word->text);
}

bioft_status bench_kernels(const char *profile, struct arena *arena, const char **ret, struct error *err)
{
    const struct json *root, *nodes;
    struct text all = { 0 };

    *ret = "";
    if (!profile)
        return BIOFT_OK;
    bioft_status st = parse(profile, arena, &root, &nodes, err);
    for (size_t i = 0; st == BIOFT_OK && i < nodes->count; i++) {
        const struct json *k = json_get(nodes->items[i], "kernels");
        if (k && k->type == JSON_ARRAY)
            for (size_t w = 0; w < k->count; w++)
                add_word(&all, k->items[w]);
        else if (k)
            add_word(&all, k);
    }
    if (st == BIOFT_OK && all.data)
        *ret = arena_printf(arena, "%s", all.data);
    text_free(&all);
    return st != BIOFT_OK || *ret ? st : error_memory(err, "the kernels");
}

static double number(const struct json *object, const char *key)
{
    const struct json *n = json_get(object, key);
    return n && n->type == JSON_NUMBER ? n->number : 0;
}

static const char *word(const struct json *object, const char *key)
{
    const struct json *n = json_get(object, key);
    return n && n->type == JSON_STRING ? n->text : "";
}

bioft_status bench_print_profile(const char *profile, uint32_t steps, struct arena *arena, struct error *err)
{
    const struct json *root, *nodes;
    double sums[PHASES] = { 0 }, all = 0;
    bioft_status st = parse(profile, arena, &root, &nodes, err);

    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < nodes->count; i++)
        for (int k = 0; k < PHASES; k++)
            sums[k] += number(nodes->items[i], phases[k]);
    for (int k = 0; k < PHASES; k++)
        all += sums[k];
    print("milliseconds a step, %.0f threads together\n%-18s %-26s %10s %10s %10s %6s\n", number(root, "threads"),
          "operator", "layer", phases[0], phases[1], phases[2], "part");
    for (size_t i = 0; i < nodes->count; i++) {
        const struct json *n = nodes->items[i];
        double ms[PHASES], sum = 0;
        for (int k = 0; k < PHASES; k++)
            sum += ms[k] = 1e3 * number(n, phases[k]) / steps;
        if (sum > 0)
            print("%-18s %-26s %10.3f %10.3f %10.3f %5.1f%%\n", word(n, "op"), word(n, "layer"), ms[0], ms[1], ms[2],
                  0.1 * sum * steps / all);
    }
    print("%-18s %-26s %10.3f %10.3f %10.3f\n", "all", "", 1e3 * sums[0] / steps, 1e3 * sums[1] / steps,
          1e3 * sums[2] / steps);
    return BIOFT_OK;
}
