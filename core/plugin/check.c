/* Is an adopted descriptor complete and consistent? What it says of itself, its name and its place. */
#include "plugin/check.h"
#include "base/utf8.h"
#include "plugin/load.h"
#include "plugin/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_LONGEST = 64, STRING_LONGEST = 4096, NOTES_MOST = 64 };
enum { INSTANCE_SANE = 64 << 20 }; /* bytes; what is larger belongs into state or scratch */

void fault(struct faults *f, const char *format, ...)
{
    const bioft_plugin *d = &f->plugin->descriptor;
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (f->text.length > 0)
        text_add(&f->text, "\n");
    text_printf(&f->text, "%s: ", f->plugin->path);
    if (f->several && is_plugin_name(d->name))
        text_printf(&f->text, "plugin '%s': ", d->name);
    text_add(&f->text, line);
}

const char *string_fault(const char *s)
{
    if (!s)
        return "is NULL";
    const size_t length = strnlen(s, STRING_LONGEST + 1);
    if (length == 0)
        return "is empty";
    if (length > STRING_LONGEST)
        return "is longer than 4096 bytes";
    if (utf8_valid((const uint8_t *)s, length) != length)
        return "is not UTF-8";
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return "has a control character or a line break";
    return NULL;
}

/* Texts that may be missing: a line each where they are there. */
static void check_notes(struct faults *f)
{
    const struct plugin *p = f->plugin;
    const bioft_dataset *d = p->descriptor.kind == BIOFT_KIND_DATASET ? &p->api.dataset : NULL;
    const struct {
        const char *what, *text;
    } lines[] = {
        { "layout", d ? d->layout : NULL },
        { "samples", d ? d->samples : NULL },
        { "source", d ? d->source : NULL },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *wrong = lines[i].text ? string_fault(lines[i].text) : NULL;
        if (wrong)
            fault(f, "its %s %s", lines[i].what, wrong);
    }
    for (size_t i = 0; p->descriptor.notes && p->descriptor.notes[i]; i++) {
        const char *wrong = i < NOTES_MOST ? string_fault(p->descriptor.notes[i]) : "is one of more than 64";
        if (wrong) {
            fault(f, "its note %zu %s", i + 1, wrong);
            return;
        }
    }
}

static bool is_name(const char *s, bool letter_first)
{
    if (!s || !*s || strnlen(s, NAME_LONGEST + 1) > NAME_LONGEST)
        return false;
    if (letter_first && !(*s >= 'a' && *s <= 'z'))
        return false;
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

bool is_plugin_name(const char *s) { return is_name(s, false); }

bool is_option_name(const char *s) { return is_name(s, true); }

static void check_strings(struct faults *f)
{
    const bioft_plugin *d = &f->plugin->descriptor;
    const struct {
        const char *what, *text;
        bool may_be_empty;
    } strings[] = {
        { "name", d->name, false },       { "version", d->version, false }, { "author", d->author, false },
        { "license", d->license, false }, { "summary", d->summary, false }, { "reference", d->reference, true },
    };
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        const char *wrong = string_fault(strings[i].text);
        if (wrong && !(strings[i].may_be_empty && strings[i].text && !*strings[i].text))
            fault(f, "its %s %s", strings[i].what, wrong);
    }
}

static void check_name(struct faults *f, const char *file_name)
{
    const char *name = f->plugin->descriptor.name;
    char escaped[TEXT_ESCAPED];
    if (string_fault(name))
        return; /* said already */
    text_escape(escaped, name, strlen(name));
    if (!is_plugin_name(name))
        fault(f, "name '%s': a-z, 0-9 and _ only, at most %d of them", escaped, NAME_LONGEST);
    else if (file_name && strcmp(name, file_name) != 0)
        fault(f, "name '%s' differs from the file's: rename the file to %s.so", name, name);
}

/* A plugin in a folder named for another kind would be found by nobody. */
static void check_folder(struct faults *f)
{
    const uint32_t kind = f->plugin->descriptor.kind;
    const char *path = f->plugin->path, *end = strrchr(path, '/');
    if (!end)
        return;
    const char *start = end;
    while (start > path && start[-1] != '/')
        start--;
    for (uint32_t other = 1; other <= PLUGIN_KINDS; other++) {
        const char *folder = kind_folder(other);
        if (other != kind && strlen(folder) == (size_t)(end - start) && strncmp(folder, start, strlen(folder)) == 0)
            fault(f, "kind is %s, but it lies in the folder %s", kind_word(kind), folder);
    }
}

/* Where the host is written: a pointer's place in the instance, which no option has. */
static void check_host(struct faults *f)
{
    const bioft_plugin *d = &f->plugin->descriptor;
    const size_t bytes = sizeof(const bioft_host *), at = d->host_offset;
    if (d->reserved != 0)
        fault(f, "reserved is %u, not 0", d->reserved);
    if (!(d->flags & BIOFT_PLUGIN_HOST)) {
        if (at != 0)
            fault(f, "host_offset is %zu, but flags lack BIOFT_PLUGIN_HOST", at);
        return;
    }
    if (at % _Alignof(const bioft_host *) != 0)
        fault(f, "host_offset %zu is not aligned to %zu", at, _Alignof(const bioft_host *));
    if (at > d->instance_size || bytes > d->instance_size - at)
        fault(f, "host_offset: bytes %zu to %zu lie outside the instance of %zu", at, at + bytes, d->instance_size);
    for (uint32_t i = 0; i < d->option_count; i++) {
        const bioft_option *o = &d->options[i];
        if (is_option_name(o->name) && o->offset < at + bytes && at < o->offset + option_bytes(o->type))
            fault(f, "option '%s' and the host overlap in the instance", o->name);
    }
}

bioft_status plugin_check(const struct plugin *p, const char *file_name, struct error *err)
{
    struct faults f = { .plugin = p, .several = !file_name };
    const bioft_plugin *d = &p->descriptor;
    bioft_status st = BIOFT_OK;

    check_strings(&f);
    check_notes(&f);
    check_name(&f, file_name);
    if (kind_word(d->kind))
        check_folder(&f);
    else
        fault(&f, "kind %u is unknown to this bioft", d->kind);
    if ((d->flags & ~(uint64_t)BIOFT_PLUGIN_HOST) != 0)
        fault(&f, "unknown flag 0x%llx", (unsigned long long)(d->flags & ~(uint64_t)BIOFT_PLUGIN_HOST));
    check_host(&f);
    if (d->instance_size > INSTANCE_SANE)
        fault(&f, "an instance of %zu bytes makes no sense: keep arrays in host->state or host->scratch",
              d->instance_size);
    check_options(&f);
    if (!d->vtable)
        fault(&f, "its vtable is NULL");
    else if (kind_word(d->kind))
        check_vtable(&f);

    if (f.text.failed)
        st = error_memory(err, "a plugin's faults");
    else if (f.text.length > 0)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s", f.text.data);
    text_free(&f.text);
    return st;
}
