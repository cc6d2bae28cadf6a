/* A table of published files, for people: what to fetch, and how without bioft. */
#include "fetch/publication.h"

#include "base/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WHOLE_SUM = 64 };

/* A word of a POSIX shell. */
static void add_quoted(struct text *t, const char *s)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-/:,=@~";

    if (*s && strspn(s, plain) == strlen(s)) {
        text_add(t, s);
        return;
    }
    text_add(t, "'");
    for (; *s; s++)
        text_add_n(t, *s == '\'' ? "'\\''" : s, *s == '\'' ? 4 : 1);
    text_add(t, "'");
}

void publication_add_command(const struct publication *s, const char *folder, struct text *t)
{
    text_printf(t, "bioft fetch %s%s --to ", s->kind == BIOFT_KIND_BACKBONE ? "weights " : "", s->name);
    add_quoted(t, folder);
}

static bool ends_in(const char *name, const char *end)
{
    const size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static void add_unpacking(const struct published_file *f, struct text *t)
{
    const bool zip = ends_in(f->name, ".zip") || ends_in(f->name, ".whl");

    if (zip)
        text_printf(t, "    unzip %s%s %s\n", f->take ? "-j " : "", f->name, f->take ? f->take : "");
    else
        text_printf(t, "    tar -xf %s%s%s\n", f->name, f->take ? " --transform 's,.*/,,' " : "",
                    f->take ? f->take : "");
}

static void add_file(const struct published_file *f, struct text *t)
{
    char size[TEXT_NUMBER];

    text_printf(t, "%s\n", f->url);
    if (f->bytes)
        text_printf(t, "    %" PRIu64 " bytes (%s)\n", f->bytes, text_size(size, f->bytes));
    text_printf(t, "    sha256 %s%s\n", f->sha256,
                strlen(f->sha256) < WHOLE_SUM ? "... (no more digits of it are published)" : "");
}

void publication_add_commands(const struct publication *s, const char *folder, struct text *t)
{
    text_printf(t, "%s: %s\n%s\n", s->name, s->what, s->page);
    if (s->agreement) {
        text_printf(t, "\n%s\n", s->agreement);
        return;
    }
    for (size_t i = 0; i < s->count; i++)
        add_file(&s->files[i], t);
    text_add(t, "\nby hand:\n    mkdir -p ");
    add_quoted(t, folder);
    text_add(t, " && cd ");
    add_quoted(t, folder);
    text_add(t, "\n");
    for (size_t i = 0; i < s->count; i++) {
        text_printf(t, "    curl -fL -C - -O '%s'\n    sha256sum %s\n", s->files[i].url, s->files[i].name);
        if (s->files[i].unpack || s->files[i].take)
            add_unpacking(&s->files[i], t);
    }
}

bool publication_is_there(const struct publication *s, const char *folder)
{
    for (size_t i = 0; i < s->count; i++) {
        char *path = path_join(folder, s->files[i].gives);
        const bool there = path && file_exists(path);
        free(path);
        if (!there)
            return false;
    }
    return s->count > 0;
}
