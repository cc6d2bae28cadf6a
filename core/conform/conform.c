/* The tables of tests, and how a test says what it calls and what it finds. */
#include "conform/private.h"

#include "base/random.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *header, *name;
    uint32_t line;
} lines[] = {
#include "header_lines.inc"
};

uint32_t conform_line(const char *header, const char *name)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strcmp(lines[i].header, header) == 0 && strcmp(lines[i].name, name) == 0)
            return lines[i].line;
    return 0;
}

static const struct conform_test *const tables[PLUGIN_KINDS + 1] = {
    [BIOFT_KIND_RULE] = conform_rule,       [BIOFT_KIND_BACKBONE] = conform_backbone,
    [BIOFT_KIND_DATASET] = conform_dataset, [BIOFT_KIND_ATTACK] = conform_attack,
    [BIOFT_KIND_LOSS] = conform_loss,       [BIOFT_KIND_ENGINE] = conform_engine,
};

static size_t table_count(const struct conform_test *t)
{
    size_t n = 0;
    while (t && t[n].name)
        n++;
    return n;
}

size_t conform_count(uint32_t kind)
{
    return kind >= 1 && kind <= PLUGIN_KINDS ? table_count(conform_all) + table_count(tables[kind]) : 0;
}

const struct conform_test *conform_test(uint32_t kind, size_t index)
{
    const size_t common = table_count(conform_all);
    return index < common ? &conform_all[index] : &tables[kind][index - common];
}

void conform_run(const struct conform_params *p, const struct conform_test *test)
{
    struct conform c = { .p = p, .d = &p->plugin->descriptor, .arena = arena_create() };
    p->trace->calling[0] = '\0';
    if (c.arena)
        test->run(&c);
    else
        conform_skip(&c, "out of memory");
    guard_finish(&c);
    arena_destroy(c.arena);
    p->trace->done = 1;
}

const char *conform_status_word(bioft_status status)
{
    static const char *const words[] = {
        "BIOFT_OK",         "BIOFT_ERR_INVALID",     "BIOFT_ERR_MEMORY",    "BIOFT_ERR_IO",
        "BIOFT_ERR_FORMAT", "BIOFT_ERR_UNSUPPORTED", "BIOFT_ERR_CANCELLED",
    };
    return status <= 0 && status >= BIOFT_ERR_CANCELLED ? words[-status] : "an unknown status";
}

void conform_says(struct conform *c, const char *header, const char *name, const char *text)
{
    struct conform_trace *t = c->p->trace;
    snprintf(t->says, sizeof t->says, "%s", text);
    snprintf(t->header, sizeof t->header, "%s", header);
    t->line = conform_line(header, name);
}

void calling(struct conform *c, const char *header, const char *name, const char *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->p->trace->calling, sizeof c->p->trace->calling, format, args);
    va_end(args);
    conform_says(c, header, name, text);
}

void conform_find(struct conform *c, const char *format, ...)
{
    const struct conform_trace *t = c->p->trace;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->findings++;
    c->p->found(c->p->ctx, &(struct conform_finding){ t->calling, text, t->says, t->header, t->line });
}

void conform_skip(struct conform *c, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->skip = true;
    c->p->skipped(c->p->ctx, text);
}

size_t first_difference(const void *a, const void *b, size_t count, size_t size)
{
    const char *x = a, *y = b;
    for (size_t i = 0; i < count; i++)
        if (memcmp(x + i * size, y + i * size, size) != 0)
            return i;
    return SIZE_MAX;
}

size_t first_nonfinite(const float *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(v[i]))
            return i;
    return SIZE_MAX;
}

void random_floats(struct conform *c, const char *stream, uint64_t key, float low, float high, float *ret, size_t count)
{
    random_fill(BIOFT_UNIFORM, c->p->seed, stream, key, 0, ret, count);
    for (size_t i = 0; i < count; i++)
        ret[i] = low + (high - low) * ret[i];
}
