/* `from` of an attack: the trial of the sweep on whose network its images are made. */
#include "manifest/read.h"
#include "manifest/tree.h"

#include <string.h>

/* As it may stand in a file's name. */
static void make_safe(char *s)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-=:,";

    for (; *s; s++)
        *s = strchr(allowed, *s) ? *s : '_';
}

/* One of them; NULL: it is none, which is reported. */
static const struct from_spec *read_one(struct reader *r, struct yaml *node)
{
    struct from_spec *ret = read_array(r, 1, sizeof *ret);
    struct text text = { 0 };

    if (!read_is_map(r, node, "from", "{rule: bp}") || !ret)
        return NULL;
    if (node->count == 0) {
        read_error(r, node, "'from': an empty map; name a swept path and its value, such as {rule: bp}");
        return NULL;
    }
    *ret = (struct from_spec){ .count = node->count, .mark = node->mark };
    ret->keys = read_array(r, node->count, sizeof *ret->keys);
    ret->values = read_array(r, node->count, sizeof(struct yaml *));
    for (size_t i = 0; ret->keys && ret->values && i < node->count; i++) {
        node->items[i]->used = true;
        ret->keys[i] = read_copy(r, node->keys[i]->text);
        ret->values[i] = yaml_copy(node->items[i], r->arena);
        r->failed = r->failed || !ret->values[i];
        text_printf(&text, "%s%s:", i ? "," : "", node->keys[i]->text);
        tree_write_line(node->items[i], &text);
    }
    node->used = true;
    if (!text.failed)
        make_safe(text.data);
    ret->text = text.failed ? NULL : read_copy(r, text.data);
    r->failed = r->failed || !ret->text;
    text_free(&text);
    return r->failed ? NULL : ret;
}

static void check_attack(struct reader *r, const struct yaml *node, const struct trial *t, const struct attack_spec *s)
{
    const struct plugin *plugin = s->choice.plugin;

    if (trial_head(t, t->stage_count)->bits > 0)
        read_error(r, node, "'from' is for attacks on classifiers");
    if (plugin && plugin->api.attack.flags & BIOFT_ATTACK_MINIMUM)
        read_error(r, node,
                   "'from': attack '%s' seeks the nearest image that one network has wrong, which is no evidence "
                   "of another",
                   plugin->descriptor.name);
    for (size_t i = 0; i < s->gradient_count; i++)
        if (s->gradients[i] != GRADIENT_EXACT)
            read_error(r, node,
                       "'from': images are made with the other network's exact gradient; write 'gradient: exact', "
                       "or leave it out");
}

void read_from(struct reader *r, struct yaml *entry, const struct trial *t, struct grids *grids,
               struct attack_spec *ret)
{
    struct yaml *node = read_member(entry, "from");
    struct grid grid = { .name = "from", .option = GRID_FROM, .count = 1 };

    if (!node)
        return;
    if (!yaml_get(entry, "gradient")) {
        ret->gradients[0] = GRADIENT_EXACT;
        ret->gradient_count = 1;
    }
    check_attack(r, node, t, ret);
    if (node->type != YAML_LIST) {
        ret->from = read_one(r, node);
        return;
    }
    if (node->count == 0)
        read_error(r, node, "'from': an empty list");
    grid.count = node->count;
    grid.from = read_array(r, node->count, sizeof(struct from_spec *));
    for (size_t i = 0; grid.from && i < node->count; i++) {
        grid.from[i] = read_one(r, node->items[i]);
        for (size_t k = 0; k < i; k++)
            if (grid.from[i] && grid.from[k] && strcmp(grid.from[i]->text, grid.from[k]->text) == 0)
                read_error(r, node->items[i], "'from': this one is in the list already");
    }
    node->used = true;
    if (grid.from && grids->items && grid.count > 0)
        grids->items[grids->count++] = grid;
}
