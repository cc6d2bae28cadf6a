/* The values of a plugin's options: found by name, written into an instance, and as text. */
#include "plugin/options.h"

#include <inttypes.h>
#include <string.h>

size_t option_bytes(uint32_t type)
{
    switch (type) {
    case BIOFT_F64: return sizeof(double);
    case BIOFT_I64: return sizeof(int64_t);
    case BIOFT_BOOL:
    case BIOFT_CHOICE: return sizeof(int32_t);
    case BIOFT_STRING:
    case BIOFT_PATH: return sizeof(const char *);
    case BIOFT_F64_LIST:
    case BIOFT_I64_LIST:
    case BIOFT_STRING_LIST: return sizeof(bioft_list);
    default: return 0;
    }
}

size_t option_alignment(uint32_t type) { return option_is_list(type) ? _Alignof(bioft_list) : option_bytes(type); }

bool option_is_list(uint32_t type)
{
    return type == BIOFT_F64_LIST || type == BIOFT_I64_LIST || type == BIOFT_STRING_LIST;
}

const bioft_option *options_flagged(const struct plugin *p, uint32_t flag, size_t *ret_index)
{
    for (uint32_t i = 0; i < p->descriptor.option_count; i++)
        if (p->descriptor.options[i].flags & flag) {
            *ret_index = i;
            return &p->descriptor.options[i];
        }
    return NULL;
}

bioft_status options_defaults(const struct plugin *p, struct arena *arena, struct option_value **ret, struct error *err)
{
    const bioft_plugin *d = &p->descriptor;
    struct option_value *values = arena_array(arena, d->option_count, sizeof *values);
    if (!values)
        return error_memory(err, "option values");
    for (uint32_t i = 0; i < d->option_count; i++) {
        bioft_status st = option_default(&d->options[i], arena, &values[i], err);
        if (st != BIOFT_OK)
            return error_prefix(err, "%s '%s': option '%s': default", kind_word(d->kind), d->name, d->options[i].name);
    }
    *ret = values;
    return BIOFT_OK;
}

const bioft_option *options_find(const struct plugin *p, const char *name, size_t *ret_index)
{
    for (uint32_t i = 0; i < p->descriptor.option_count; i++)
        if (strcmp(p->descriptor.options[i].name, name) == 0) {
            if (ret_index)
                *ret_index = i;
            return &p->descriptor.options[i];
        }
    return NULL;
}

/* Single quotes keep everything as it is; what they cannot hold on one line goes into double quotes. */
static void quoted(const char *s, struct text *ret)
{
    bool control = false;
    for (const char *c = s; *c; c++)
        control = control || (unsigned char)*c < 0x20 || *c == 0x7f;
    text_add(ret, control ? "\"" : "'");
    for (; *s; s++) {
        if (!control && *s == '\'')
            text_add(ret, "''");
        else if (control && ((unsigned char)*s < 0x20 || *s == 0x7f))
            text_printf(ret, "\\x%02x", (unsigned)(unsigned char)*s);
        else if (control && (*s == '"' || *s == '\\'))
            text_printf(ret, "\\%c", *s);
        else
            text_add_n(ret, s, 1);
    }
    text_add(ret, control ? "\"" : "'");
}

static void list_text(const bioft_option *o, const struct option_value *v, struct text *ret)
{
    char number[TEXT_NUMBER];
    text_add(ret, "[");
    for (size_t i = 0; i < v->count; i++) {
        if (i > 0)
            text_add(ret, ", ");
        if (o->type == BIOFT_F64_LIST)
            text_add(ret, text_number(number, v->numbers[i]));
        else if (o->type == BIOFT_I64_LIST)
            text_printf(ret, "%" PRId64, v->integers[i]);
        else
            quoted(v->texts[i], ret);
    }
    text_add(ret, "]");
}

void option_text(const bioft_option *o, const struct option_value *v, struct text *ret)
{
    char number[TEXT_NUMBER];
    switch (o->type) {
    case BIOFT_F64: text_add(ret, text_number(number, v->number)); break;
    case BIOFT_I64: text_printf(ret, "%" PRId64, v->integer); break;
    case BIOFT_BOOL: text_add(ret, v->integer ? "true" : "false"); break;
    case BIOFT_CHOICE: text_add(ret, o->choices[v->integer]); break;
    case BIOFT_STRING:
    case BIOFT_PATH:
        if (v->text)
            quoted(v->text, ret);
        else
            text_add(ret, "null");
        break;
    default: list_text(o, v, ret);
    }
}

void option_type_text(const bioft_option *o, struct text *ret)
{
    static const char *const words[] = {
        [BIOFT_F64] = "number",
        [BIOFT_I64] = "integer",
        [BIOFT_BOOL] = "true or false",
        [BIOFT_STRING] = "text",
        [BIOFT_PATH] = "path",
        [BIOFT_F64_LIST] = "list of numbers",
        [BIOFT_I64_LIST] = "list of integers",
        [BIOFT_STRING_LIST] = "list of texts",
    };
    if (o->type != BIOFT_CHOICE) {
        text_add(ret, words[o->type]);
        return;
    }
    text_add(ret, "one of ");
    for (size_t i = 0; o->choices[i]; i++)
        text_printf(ret, "%s%s", i > 0 ? ", " : "", o->choices[i]);
}

void options_write(const struct plugin *p, const struct option_value *values, void *self)
{
    for (uint32_t i = 0; i < p->descriptor.option_count; i++) {
        const bioft_option *o = &p->descriptor.options[i];
        const struct option_value *v = &values[i];
        char *at = (char *)self + o->offset;
        const int32_t small = (int32_t)v->integer;
        bioft_list list = { .count = v->count, .items = v->numbers };
        if (o->type == BIOFT_I64_LIST)
            list.items = v->integers;
        else if (o->type == BIOFT_STRING_LIST)
            list.items = v->texts;
        switch (o->type) {
        case BIOFT_F64: memcpy(at, &v->number, sizeof v->number); break;
        case BIOFT_I64: memcpy(at, &v->integer, sizeof v->integer); break;
        case BIOFT_BOOL:
        case BIOFT_CHOICE: memcpy(at, &small, sizeof small); break;
        case BIOFT_STRING:
        case BIOFT_PATH: memcpy(at, &v->text, sizeof v->text); break;
        default: memcpy(at, &list, sizeof list);
        }
    }
}
