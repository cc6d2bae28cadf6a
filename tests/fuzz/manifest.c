/* YAML: a tree that is read and written is read again as a tree that is written the same. */
#include "fuzz.h"

#include "manifest/diagnose.h"
#include "manifest/tree.h"

#include <string.h>

enum { LONGEST_KEY = 1000 }; /* YAML's own bound on keys without "? " is 1024 */

static bool has_long_key(const struct yaml *node)
{
    for (size_t i = 0; i < node->count; i++)
        if (has_long_key(node->items[i]) || (node->keys && node->keys[i]->length > LONGEST_KEY / 6))
            return true;
    return false;
}

static bioft_status parse(const char *bytes, size_t size, struct arena *arena, struct diagnostics *d, struct yaml **ret)
{
    struct source source = { "t", bytes, size };
    *d = (struct diagnostics){ .source = &source };
    bioft_status st = yaml_parse(&source, arena, d, ret);
    d->source = NULL;
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct text first = { .data = NULL }, second = { .data = NULL };
    struct diagnostics d, again = { .source = NULL };
    struct yaml *root, *back;
    MUST(arena);
    if (parse((const char *)data, size, arena, &d, &root) != BIOFT_OK) {
        MUST(d.errors > 0 && d.text.data && strstr(d.text.data, "error: "));
        goto end;
    }
    MUST(!d.errors == !d.text.data);
    tree_write(root, &first);
    MUST(!first.failed);
    if (first.length > YAML_BYTES || has_long_key(root))
        goto end;
    MUST(parse(first.data, first.length, arena, &again, &back) == BIOFT_OK && again.errors == 0);
    tree_write(back, &second);
    MUST(strcmp(first.data, second.data) == 0);

end:
    text_free(&first);
    text_free(&second);
    diagnostics_free(&d);
    diagnostics_free(&again);
    arena_destroy(arena);
    return 0;
}
