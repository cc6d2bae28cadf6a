/* YAML's events, as libyaml gives them, made into a tree without recursion. libyaml's own documents accept duplicate
 * keys and cycles and lose the place of aliases. */
#include "manifest/yaml.h"

#include "manifest/tree.h"
#include "manifest/yaml_check.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct anchor {
    const char *name;
    struct yaml *node;
    size_t nodes, height; /* of what it names, itself included */
    bool open;            /* what it names has not ended yet */
};

/* A list or map whose end has not come yet. */
struct frame {
    struct yaml *node;
    struct yaml **items, **keys;
    size_t count, item_room, key_room;
    struct yaml *key; /* the key whose value comes next */
    bool has_key;     /* `key` is set, or was refused and its value is dropped */
    size_t nodes_before, height;
    size_t anchor; /* index + 1; 0: none */
};

struct builder {
    struct arena *arena;
    struct diagnostics *d;
    struct mark start;
    yaml_parser_t parser;
    struct frame frames[YAML_DEPTH];
    size_t depth;
    struct anchor *anchors;
    size_t anchor_count, anchor_room;
    size_t nodes;
    struct yaml *root;
};

static struct mark mark_of(const struct builder *b, yaml_mark_t at)
{
    return (struct mark){
        .line = b->start.line + (uint32_t)at.line,
        .column = (at.line == 0 ? b->start.column : 1) + (uint32_t)at.column,
        .source = b->start.source,
    };
}

static struct yaml *new_node(struct builder *b, enum yaml_type type, const yaml_event_t *e)
{
    const yaml_mark_t from = e->start_mark, to = e->end_mark;
    const bool short_one = to.line == from.line && to.column > from.column;

    return tree_node(b->arena, type, mark_of(b, from), short_one ? (uint32_t)(to.column - from.column) : 1);
}

static bioft_status count_nodes(struct builder *b, size_t more, struct mark mark)
{
    b->nodes += more;
    if (b->nodes <= YAML_NODES)
        return BIOFT_OK;
    diagnose_error(b->d, mark, 0, "more than %d values, what aliases repeat included", (int)YAML_NODES);
    return BIOFT_ERR_INVALID;
}

/* A map's key; a refused one takes its value with it. */
static void add_key(struct builder *b, struct frame *f, struct yaml *node)
{
    f->has_key = true;
    f->key = NULL;
    if (node->type != YAML_SCALAR)
        diagnose_error(b->d, node->mark, 0, "a key must be a word, not a %s", node->type == YAML_LIST ? "list" : "map");
    else if (!node->quoted && strcmp(node->text, "<<") == 0)
        diagnose_error(b->d, node->mark, node->width, "merge keys (<<) have no place here: write the keys out");
    else
        f->key = node;
}

/* A finished value of `height` levels goes to the container that is open. */
static bioft_status add_node(struct builder *b, struct yaml *node, size_t height)
{
    if (b->depth == 0) {
        b->root = node;
        return BIOFT_OK;
    }
    struct frame *f = &b->frames[b->depth - 1];
    if (f->height < height + 1)
        f->height = height + 1;
    if (f->node->type == YAML_MAP && !f->has_key) {
        add_key(b, f, node);
        return BIOFT_OK;
    }
    if (f->node->type == YAML_LIST || f->key) {
        if (!mem_grow(&f->items, &f->item_room, f->count + 1, sizeof(struct yaml *)) ||
            !mem_grow(&f->keys, &f->key_room, f->count + 1, sizeof(struct yaml *)))
            return BIOFT_ERR_MEMORY;
        f->keys[f->count] = f->key;
        f->items[f->count++] = node;
    }
    f->has_key = false;
    f->key = NULL;
    return BIOFT_OK;
}

/* *ret: index + 1 of the new anchor, 0 where the event names none. */
static bioft_status add_anchor(struct builder *b, const yaml_char_t *name, struct yaml *node, size_t *ret)
{
    *ret = 0;
    if (!name)
        return BIOFT_OK;
    if (b->anchor_count == YAML_ANCHORS) {
        diagnose_error(b->d, node->mark, 0, "more than %d anchors", (int)YAML_ANCHORS);
        return BIOFT_ERR_INVALID;
    }
    if (!mem_grow(&b->anchors, &b->anchor_room, b->anchor_count + 1, sizeof *b->anchors))
        return BIOFT_ERR_MEMORY;
    struct anchor *a = &b->anchors[b->anchor_count++];
    a->name = arena_text(b->arena, (const char *)name);
    a->node = node;
    a->nodes = 1;
    a->height = 1;
    a->open = node->type != YAML_SCALAR;
    *ret = b->anchor_count;
    return a->name ? BIOFT_OK : BIOFT_ERR_MEMORY;
}

static void refuse_tag(struct builder *b, const yaml_char_t *tag, const struct yaml *node)
{
    char escaped[TEXT_ESCAPED];

    if (tag && strcmp((const char *)tag, "!") != 0)
        diagnose_error(b->d, node->mark, 0, "tag '%s': values have no tags here",
                       text_escape(escaped, (const char *)tag, strlen((const char *)tag)));
}

static bioft_status take_scalar(struct builder *b, const yaml_event_t *e)
{
    struct yaml *node = new_node(b, YAML_SCALAR, e);
    size_t anchor;

    if (!node)
        return BIOFT_ERR_MEMORY;
    node->length = e->data.scalar.length;
    node->text = arena_text_n(b->arena, (const char *)e->data.scalar.value, node->length);
    node->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!node->text)
        return BIOFT_ERR_MEMORY;
    refuse_tag(b, e->data.scalar.tag, node);
    if (strlen(node->text) != node->length) {
        diagnose_error(b->d, node->mark, node->width, "NUL in a text");
        node->length = strlen(node->text);
    }
    bioft_status st = count_nodes(b, 1, node->mark);
    if (st == BIOFT_OK)
        st = add_anchor(b, e->data.scalar.anchor, node, &anchor);
    return st == BIOFT_OK ? add_node(b, node, 1) : st;
}

static bioft_status take_alias(struct builder *b, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    struct yaml *place = new_node(b, YAML_SCALAR, e);
    struct anchor *a = NULL;
    char escaped[TEXT_ESCAPED];

    if (!place)
        return BIOFT_ERR_MEMORY;
    for (size_t i = b->anchor_count; i > 0 && !a; i--)
        if (strcmp(b->anchors[i - 1].name, name) == 0)
            a = &b->anchors[i - 1];
    text_escape(escaped, name, strlen(name));
    if (!a)
        diagnose_error(b->d, place->mark, place->width, "no anchor '&%s' precedes this alias", escaped);
    else if (a->open)
        diagnose_error(b->d, place->mark, place->width, "alias '*%s' is inside the node that '&%s' names", escaped,
                       escaped);
    if (!a || a->open)
        return add_node(b, place, 1);
    if (b->depth + a->height > YAML_DEPTH + 1) {
        diagnose_error(b->d, place->mark, place->width, "nested deeper than %d", (int)YAML_DEPTH);
        return BIOFT_ERR_INVALID;
    }
    bioft_status st = count_nodes(b, a->nodes, place->mark);
    if (st != BIOFT_OK)
        return st;
    struct yaml *copy = tree_copy(a->node, b->arena, place);
    return copy ? add_node(b, copy, a->height) : BIOFT_ERR_MEMORY;
}

static bioft_status open_container(struct builder *b, enum yaml_type type, const yaml_char_t *anchor,
                                   const yaml_char_t *tag, const yaml_event_t *e)
{
    struct yaml *node = new_node(b, type, e);

    if (!node)
        return BIOFT_ERR_MEMORY;
    if (b->depth == YAML_DEPTH) {
        diagnose_error(b->d, node->mark, 0, "nested deeper than %d", (int)YAML_DEPTH);
        return BIOFT_ERR_INVALID;
    }
    refuse_tag(b, tag, node);
    struct frame *f = &b->frames[b->depth++];
    f->node = node;
    f->count = 0;
    f->key = NULL;
    f->has_key = false;
    f->nodes_before = b->nodes;
    f->height = 1;
    bioft_status st = add_anchor(b, anchor, node, &f->anchor);
    return st == BIOFT_OK ? count_nodes(b, 1, node->mark) : st;
}

struct member {
    const struct yaml *key;
    size_t index;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    const int order = strcmp(x->key->text, y->key->text);

    return order ? order : x->index < y->index ? -1 : 1;
}

/* Reports every key that is there again, and takes it out. */
static bioft_status refuse_duplicates(struct builder *b, struct yaml *map)
{
    struct member *members = mem_array(map->count, sizeof *members);
    char escaped[TEXT_ESCAPED];
    size_t kept = 0;

    if (!members)
        return BIOFT_ERR_MEMORY;
    for (size_t i = 0; i < map->count; i++)
        members[i] = (struct member){ map->keys[i], i };
    qsort(members, map->count, sizeof *members, compare_members);
    for (size_t i = 1, first = 0; i < map->count; i++) {
        const struct yaml *key = members[i].key, *before = members[first].key;
        if (strcmp(key->text, before->text) != 0) {
            first = i;
            continue;
        }
        diagnose_error(b->d, key->mark, key->width, "key '%s' is given twice, on line %u and on line %u",
                       text_escape(escaped, key->text, key->length), before->mark.line, key->mark.line);
        map->items[members[i].index] = NULL;
    }
    free(members);
    for (size_t i = 0; i < map->count; i++)
        if (map->items[i]) {
            map->keys[kept] = map->keys[i];
            map->items[kept++] = map->items[i];
        }
    map->count = kept;
    return BIOFT_OK;
}

static bioft_status close_container(struct builder *b)
{
    struct frame *f = &b->frames[b->depth - 1];
    struct yaml *node = f->node;
    bioft_status st = BIOFT_OK;

    node->count = f->count;
    node->items = tree_array(b->arena, f->count);
    node->keys = node->type == YAML_MAP ? tree_array(b->arena, f->count) : NULL;
    if (!node->items || (node->type == YAML_MAP && !node->keys))
        return BIOFT_ERR_MEMORY;
    for (size_t i = 0; i < f->count; i++) {
        node->items[i] = f->items[i];
        if (node->keys)
            node->keys[i] = f->keys[i];
    }
    if (node->keys)
        st = refuse_duplicates(b, node);
    if (f->anchor) {
        struct anchor *a = &b->anchors[f->anchor - 1];
        a->nodes = b->nodes - f->nodes_before;
        a->height = f->height;
        a->open = false;
    }
    b->depth--;
    return st == BIOFT_OK ? add_node(b, node, f->height) : st;
}

static bioft_status take_event(struct builder *b, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (!b->root)
            return BIOFT_OK;
        diagnose_error(b->d, mark_of(b, e->start_mark), 0, "a second document; a manifest is one");
        return BIOFT_ERR_INVALID;
    case YAML_SCALAR_EVENT: return take_scalar(b, e);
    case YAML_ALIAS_EVENT: return take_alias(b, e);
    case YAML_SEQUENCE_START_EVENT:
        return open_container(b, YAML_LIST, e->data.sequence_start.anchor, e->data.sequence_start.tag, e);
    case YAML_MAPPING_START_EVENT:
        return open_container(b, YAML_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag, e);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_container(b);
    default: return BIOFT_OK;
    }
}

static bioft_status syntax_error(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    const char *problem = p->problem ? p->problem : "not YAML";

    if (p->error == YAML_MEMORY_ERROR)
        return BIOFT_ERR_MEMORY;
    if (p->error == YAML_READER_ERROR) {
        diagnose_error(b->d, (struct mark){ .source = b->start.source }, 0, "%s (at byte %zu)", problem,
                       p->problem_offset);
        return BIOFT_ERR_INVALID;
    }
    diagnose_error(b->d, mark_of(b, p->problem_mark), 0, "%s", problem);
    if (p->context && p->context_mark.line != p->problem_mark.line)
        diagnose_note(b->d, "%s that begins on line %u", p->context, mark_of(b, p->context_mark).line);
    return BIOFT_ERR_INVALID;
}

bioft_status yaml_parse_at(const struct source *source, size_t offset, struct mark start, struct arena *arena,
                           struct diagnostics *d, struct yaml **ret)
{
    bioft_status st = yaml_check(source, offset, start, d);
    struct builder *b;
    bool done = false;

    if (st != BIOFT_OK)
        return st;
    b = mem_array(1, sizeof *b);
    if (!b || !yaml_parser_initialize(&b->parser)) {
        free(b);
        return BIOFT_ERR_MEMORY;
    }
    b->arena = arena;
    b->d = d;
    b->start = start;
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)source->bytes + offset, source->size - offset);
    while (st == BIOFT_OK && !done) {
        yaml_event_t e;
        if (!yaml_parser_parse(&b->parser, &e)) {
            st = syntax_error(b);
            break;
        }
        st = take_event(b, &e);
        done = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
    if (st == BIOFT_OK && !b->root) {
        b->root = tree_scalar(arena, "", start, 1);
        st = b->root ? BIOFT_OK : BIOFT_ERR_MEMORY;
    }
    if (st == BIOFT_OK)
        *ret = b->root;
    for (size_t i = 0; i < YAML_DEPTH; i++) {
        free(b->frames[i].items);
        free(b->frames[i].keys);
    }
    free(b->anchors);
    yaml_parser_delete(&b->parser);
    free(b);
    return st;
}

bioft_status yaml_parse(const struct source *source, struct arena *arena, struct diagnostics *d, struct yaml **ret)
{
    const bool marked = source->size >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0;

    return yaml_parse_at(source, marked ? 3 : 0, (struct mark){ .line = 1, .column = 1 }, arena, d, ret);
}
