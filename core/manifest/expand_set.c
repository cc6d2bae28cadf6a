/* --set path=value: the value is YAML with its own place for diagnostics. */
#include "manifest/expand.h"
#include "base/utf8.h"

#include <string.h>

/* "sweep=..." or "sweep.PATH=..." */
static bool is_section(const char *text, const char *section)
{
    const size_t length = strlen(section);
    return strncmp(text, section, length) == 0 && (text[length] == '.' || text[length] == '=');
}

bool sets_open(const char *const *texts, size_t count, struct arena *arena, struct sets *ret)
{
    ret->count = count;
    ret->sources = arena_array(arena, count, sizeof *ret->sources);
    ret->sweeps = arena_array(arena, count, sizeof *ret->sweeps);
    if (!ret->sources || !ret->sweeps)
        return false;
    for (size_t i = 0; i < count; i++) {
        const size_t path = strcspn(texts[i], "=");
        ret->sources[i].path = arena_printf(arena, "--set %.*s", (int)(path < 200 ? path : 200), texts[i]);
        ret->sources[i].bytes = arena_text(arena, texts[i]);
        ret->sources[i].size = strlen(texts[i]);
        ret->sweeps[i] = is_section(texts[i], "sweep") || is_section(texts[i], "search");
        if (!ret->sources[i].path || !ret->sources[i].bytes)
            return false;
    }
    return true;
}

static bool apply(const struct source *source, uint32_t number, struct yaml *root, struct arena *arena,
                  struct diagnostics *d)
{
    const struct mark begin = { .line = 1, .column = 1, .source = number };
    const char *equals = strchr(source->bytes, '=');
    struct path path = { .mark = begin, .in_place = true };
    struct path_use use;
    struct yaml *value;
    bool failed = false;

    if (!equals) {
        diagnose_error(d, begin, 0, "path=value expected");
        return true;
    }
    const size_t length = (size_t)(equals - source->bytes);
    path.text = arena_text_n(arena, source->bytes, length);
    if (!path.text)
        return false;
    if (!path_check(&path, d))
        return true;
    const struct mark at = { .line = 1, .column = (uint32_t)utf8_count(source->bytes, length) + 2, .source = number };
    bioft_status st = yaml_parse_at(source, length + 1, at, arena, d, &value);
    if (st == BIOFT_OK)
        path_put(&path, root, value, arena, d, &use, &failed);
    return st != BIOFT_ERR_MEMORY && !failed;
}

bool sets_apply(const struct sets *sets, struct yaml *root, struct arena *arena, struct diagnostics *d)
{
    for (size_t i = 0; i < sets->count; i++)
        if (!apply(&sets->sources[i], (uint32_t)i + 1, root, arena, d))
            return false;
    return true;
}
