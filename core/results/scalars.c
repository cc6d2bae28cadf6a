/* Scalars from metrics.jsonl and from figures. */
#include "results/scalars.h"

#include "base/file.h"
#include "base/text.h"
#include "formats/json.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_METRICS = 1 << 30 };

static bioft_status add(struct scalars *ret, const struct scalar *s, struct error *err)
{
    if (!s->name || !mem_grow(&ret->items, &ret->room, ret->count + 1, sizeof *ret->items))
        return error_memory(err, "metrics");
    ret->items[ret->count++] = *s;
    return BIOFT_OK;
}

/* What is no figure, or another way to say one. */
static bool is_place(const char *key)
{
    static const char *const keys[] = { "time", "unix_time", "epoch", "step" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static double number(const struct json *line, const char *key)
{
    const struct json *v = json_get(line, key);
    return v && v->type == JSON_NUMBER ? v->number : 0.0;
}

static const char *word(const struct json *line, const char *key)
{
    const struct json *v = json_get(line, key);
    return v && v->type == JSON_STRING ? v->text : "";
}

/* A number; null where there was none that is finite. */
static bool value_of(const struct json *v, double *ret)
{
    *ret = v->type == JSON_NUMBER ? v->number : NAN;
    return v->type == JSON_NUMBER || v->type == JSON_NULL;
}

static bioft_status add_line(const struct json *line, struct scalars *ret, struct error *err)
{
    const char *split = word(line, "split"), *stage = word(line, "stage");
    struct scalar s = { .time = number(line, "unix_time"), .step = (int64_t)number(line, "step") };
    bioft_status st = BIOFT_OK;

    if (ret->started <= 0.0)
        ret->started = s.time - number(line, "time");
    for (size_t i = 0; st == BIOFT_OK && i < line->count; i++) {
        const struct json *v = line->items[i];
        if (is_place(line->keys[i]))
            continue;
        if (value_of(v, &s.value)) {
            s.name = arena_printf(ret->arena, "%s/%s/%s", split, stage, line->keys[i]);
            st = add(ret, &s, err);
        }
        for (size_t k = 0; st == BIOFT_OK && v->type == JSON_OBJECT && k < v->count; k++)
            if (value_of(v->items[k], &s.value)) {
                s.name = arena_printf(ret->arena, "%s/%s/%s/%s", split, stage, line->keys[i], v->keys[k]);
                st = add(ret, &s, err);
            }
    }
    return st;
}

bioft_status scalars_metrics(const char *path, struct scalars *ret, struct error *err)
{
    uint8_t *bytes;
    size_t size;

    if (!file_exists(path))
        return BIOFT_OK;
    bioft_status st = file_read(path, MAX_METRICS, &bytes, &size, err);
    if (st != BIOFT_OK)
        return st;
    const char *line;
    size_t length;
    for (size_t at = 0; st == BIOFT_OK && text_next_line((const char *)bytes, size, &at, &line, &length);) {
        struct arena *arena = arena_create();
        struct json *json;
        st = arena ? json_parse(path, line, length, arena, &json, err) : error_memory(err, path);
        if (st == BIOFT_OK)
            st = add_line(json, ret, err);
        arena_destroy(arena);
    }
    free(bytes);
    return st;
}

/* The last step of a stage's metrics; 0: it has none. */
static int64_t last_step(const struct scalars *all, const char *stage)
{
    const size_t length = strlen(stage);
    for (size_t i = all->count; i > 0; i--) {
        const char *at = strchr(all->items[i - 1].name, '/');
        if (at && strncmp(at + 1, stage, length) == 0 && at[1 + length] == '/')
            return all->items[i - 1].step;
    }
    return 0;
}

/* A part of a name: what separates parts does not stand in it. */
static void add_part(struct text *name, const char *part)
{
    if (!part || !*part)
        return;
    text_add(name, "/");
    for (; *part; part++)
        text_add_n(name, *part == '/' ? "_" : part, 1);
}

static const char *name_of(const struct figure *f, struct arena *arena)
{
    char epsilon[TEXT_NUMBER];
    struct text name = { 0 };

    text_add(&name, f->attacked ? "attack" : f->split);
    add_part(&name, f->attacked ? f->attack : f->stage);
    if (f->attacked) {
        if (strcmp(f->attack, ATTACK_WORST) != 0)
            add_part(&name, f->options);
        add_part(&name, f->gradient);
    }
    add_part(&name, f->metric);
    if (f->attacked)
        text_printf(&name, "/epsilon_%s", text_number(epsilon, f->epsilon));
    const char *ret = name.failed ? NULL : arena_text(arena, name.data);
    text_free(&name);
    return ret;
}

/* Two worst cases may differ in their images or attacks alone: the second one's name ends in "_2". */
static const char *new_name(const struct scalars *all, size_t first, const char *name)
{
    const char *ret = name;
    size_t same = 1;

    for (size_t i = first; name && i < all->count; i++)
        if (strcmp(all->items[i].name, ret) == 0) {
            ret = arena_printf(all->arena, "%s_%zu", name, ++same);
            if (!ret)
                break;
            i = first;
        }
    return ret;
}

bioft_status scalars_figures(const struct figure *figures, size_t count, double time, struct scalars *ret,
                             struct error *err)
{
    const size_t first = ret->count;
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        st = add(ret,
                 &(struct scalar){ .name = new_name(ret, first, name_of(&figures[i], ret->arena)),
                                   .time = time,
                                   .step = last_step(ret, figures[i].stage ? figures[i].stage : ""),
                                   .value = figures[i].value },
                 err);
    return st;
}
