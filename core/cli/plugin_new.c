/* `bioft plugin new KIND NAME`: a small project for a plugin that already does something right. */
#include "cli/plugin_new.h"

#include "base/text.h"
#include "plugin/registry.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "templates.inc"

struct project {
    const char *folder, *name;
    uint32_t kind;
};

static const char *template_text(const char *name)
{
    for (size_t i = 0; i < sizeof embedded_files / sizeof *embedded_files; i++)
        if (strcmp(embedded_files[i].name, name) == 0)
            return embedded_files[i].text;
    return "";
}

/* The template with its marks filled in. */
static void fill(const struct project *p, const char *text, struct text *ret)
{
    const bool data = p->kind == BIOFT_KIND_DATASET;
    const struct {
        const char *mark, *value;
    } marks[] = {
        { "@NAME@", p->name },
        { "@KIND@", kind_word(p->kind) },
        { "@FOLDER@", kind_folder(p->kind) },
        { "@TESTARGS@", data ? ", '--root', meson.current_source_dir()" : "" },
        { "@TESTOPTIONS@", data ? " --root ." : "" },
    };
    while (*text) {
        size_t i = 0;
        while (i < sizeof marks / sizeof *marks && strncmp(text, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (i < sizeof marks / sizeof *marks) {
            text_add(ret, marks[i].value);
            text += strlen(marks[i].mark);
        } else {
            text_add_n(ret, text++, 1);
        }
    }
}

static bioft_status write_file(const struct project *p, const char *template, const char *name, mode_t mode,
                               struct error *err)
{
    struct text path = { 0 }, text = { 0 };
    bioft_status st = BIOFT_OK;
    text_printf(&path, "%s/%s", p->folder, name);
    fill(p, template_text(template), &text);
    FILE *f = path.failed || text.failed || !text.data ? NULL : fopen(path.data, "wx");
    if (!f || fputs(text.data, f) < 0)
        st = error_set(err, BIOFT_ERR_IO, "%s: %s", path.data ? path.data : name, strerror(errno));
    if (f && fclose(f) != 0 && st == BIOFT_OK)
        st = error_set(err, BIOFT_ERR_IO, "%s: %s", path.data, strerror(errno));
    if (st == BIOFT_OK && mode)
        chmod(path.data, mode);
    text_free(&path);
    text_free(&text);
    return st;
}

static bioft_status check_request(const char *kind, const char *name, uint32_t *ret_kind, struct error *err)
{
    char escaped[TEXT_ESCAPED];
    *ret_kind = kind_by_word(kind);
    if (*ret_kind == 0)
        return error_set(err, BIOFT_ERR_INVALID,
                         "plugin new: '%s' is not a kind: rule, backbone, dataset, attack, loss "
                         "or engine",
                         text_escape(escaped, kind, strlen(kind)));
    if (!*name || strlen(name) > 64 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
        return error_set(err, BIOFT_ERR_INVALID, "plugin new: '%s': a name is of a-z, 0-9 and _, and at most 64 long",
                         text_escape(escaped, name, strlen(name)));
    return BIOFT_OK;
}

/* An engine is more than fits into one file. */
static const char *const engine_headers[] = { "model.h", "operators.h" };

bioft_status plugin_new(const char *kind, const char *name, const char *folder, struct error *err)
{
    struct project p = { .folder = folder ? folder : name, .name = name };
    struct text source = { 0 }, manifest = { 0 }, c_file = { 0 }, yaml_file = { 0 };
    bioft_status st = check_request(kind, name, &p.kind, err);
    if (st != BIOFT_OK)
        return st;
    if (mkdir(p.folder, 0777) != 0)
        return error_set(err, BIOFT_ERR_IO, "plugin new: %s: %s", p.folder,
                         errno == EEXIST ? "is there already; another place: --out DIR" : strerror(errno));
    text_printf(&source, "%s.c", kind_word(p.kind));
    text_printf(&manifest, "%s.yaml", kind_word(p.kind));
    text_printf(&c_file, "%s.c", name);
    text_printf(&yaml_file, "%s.yaml", name);
    if (source.failed || manifest.failed || c_file.failed || yaml_file.failed)
        st = error_memory(err, "a project");
    st = st != BIOFT_OK ? st : write_file(&p, source.data, c_file.data, 0, err);
    st = st != BIOFT_OK ? st : write_file(&p, manifest.data, yaml_file.data, 0, err);
    for (int i = 0; p.kind == BIOFT_KIND_ENGINE && i < 2; i++)
        st = st != BIOFT_OK ? st : write_file(&p, engine_headers[i], engine_headers[i], 0, err);
    st = st != BIOFT_OK ? st : write_file(&p, "meson.build", "meson.build", 0, err);
    st = st != BIOFT_OK ? st : write_file(&p, "README.md", "README.md", 0, err);
    st = st != BIOFT_OK ? st : write_file(&p, "test.sh", "test.sh", 0755, err);
    text_free(&source);
    text_free(&manifest);
    text_free(&c_file);
    text_free(&yaml_file);
    return st;
}
