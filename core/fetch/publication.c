/* Reads and checks a table of published files. A table may come from anyone who writes plugins: names that would leave the
 * folder are refused here. */
#include "fetch/publication.h"

#include "base/file.h"
#include "formats/json.h"

#include <stdlib.h>
#include <string.h>

static const char ending[] = ".fetch.json";

enum { MOST_BYTES = 1 << 20, MOST_FILES = 1000, SUM_LEAST = 8, SUM_DIGITS = 64, LONGEST_NAME = 200 };
static const double largest_file = 9007199254740992.0; /* 2^53: beyond it a JSON number is not exact */

struct table {
    const char *path;
    struct arena *arena;
    struct error *err;
};

static bioft_status wrong(const struct table *t, const char *what)
{
    return error_set(t->err, BIOFT_ERR_FORMAT, "%s: %s", t->path, what);
}

/* *ret NULL: the key is absent. */
static bioft_status get_text(const struct table *t, const struct json *object, const char *key, const char **ret)
{
    const struct json *value = json_get(object, key);

    *ret = NULL;
    if (!value)
        return BIOFT_OK;
    if (value->type != JSON_STRING || value->length == 0 || strlen(value->text) != value->length)
        return error_set(t->err, BIOFT_ERR_FORMAT, "%s: '%s' is not a text", t->path, key);
    *ret = value->text;
    return BIOFT_OK;
}

/* Relative, without empty parts, ".", ".." and hidden names: it stays below the folder. */
static bool is_safe(const char *name)
{
    if (!*name || strlen(name) > LONGEST_NAME)
        return false;
    for (const char *part = name;; part += strcspn(part, "/") + 1) {
        if (*part == '/' || *part == '\0' || *part == '.')
            return false;
        if (!part[strcspn(part, "/")])
            return true;
    }
}

/* A single part, of characters that mean nothing to a shell. */
static bool is_plain(const char *name)
{
    return is_safe(name) && name[0] != '-' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-") == strlen(name);
}

static bool is_url(const char *s)
{
    const size_t scheme = strncmp(s, "https://", 8) == 0 ? 8 : strncmp(s, "http://", 7) == 0 ? 7 : 0;

    for (const char *p = s; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("'\"\\`$<>", *p))
            return false;
    return scheme && s[scheme] && s[scheme] != '/';
}

static bioft_status read_bytes(const struct table *t, const struct json *object, uint64_t *ret)
{
    const struct json *bytes = json_get(object, "bytes");

    *ret = 0;
    if (!bytes)
        return BIOFT_OK;
    if (bytes->type != JSON_NUMBER || !(bytes->number >= 1.0) || bytes->number > largest_file ||
        bytes->number != (double)(uint64_t)bytes->number)
        return wrong(t, "'bytes' is not a size");
    *ret = (uint64_t)bytes->number;
    return BIOFT_OK;
}

static bioft_status read_names(const struct table *t, struct published_file *f)
{
    const size_t url_end = strcspn(f->url, "?#");
    const char *slash = f->url + url_end;

    while (slash > f->url && slash[-1] != '/')
        slash--;
    f->name = arena_text_n(t->arena, slash, (size_t)(f->url + url_end - slash));
    if (!f->name)
        return error_memory(t->err, t->path);
    if (!is_plain(f->name))
        return wrong(t, "a 'url' does not end in a file's name");
    if (f->unpack && f->take)
        return wrong(t, "a file has both 'unpack' and 'take'");
    if (f->unpack && !is_plain(f->unpack))
        return wrong(t, "'unpack' is not the name of a file or folder");
    if (f->take && (!is_safe(f->take) || !is_plain(strrchr(f->take, '/') ? strrchr(f->take, '/') + 1 : f->take)))
        return wrong(t, "'take' is not the name of a file in an archive");
    f->gives = f->unpack ? f->unpack : f->take ? f->take : f->name;
    if (f->take && strrchr(f->take, '/'))
        f->gives = strrchr(f->take, '/') + 1;
    return BIOFT_OK;
}

static bioft_status read_file(const struct table *t, const struct json *object, struct published_file *f)
{
    bioft_status st = object->type == JSON_OBJECT ? get_text(t, object, "url", &f->url)
                                                  : wrong(t, "'files' has what is no file");

    if (st == BIOFT_OK)
        st = get_text(t, object, "sha256", &f->sha256);
    if (st == BIOFT_OK)
        st = get_text(t, object, "unpack", &f->unpack);
    if (st == BIOFT_OK)
        st = get_text(t, object, "take", &f->take);
    if (st == BIOFT_OK)
        st = read_bytes(t, object, &f->bytes);
    if (st != BIOFT_OK)
        return st;
    if (!f->url || !is_url(f->url))
        return wrong(t, "a file needs a 'url' that begins with https:// or http://");
    if (!f->sha256 || strspn(f->sha256, "0123456789abcdef") != strlen(f->sha256) || strlen(f->sha256) < SUM_LEAST ||
        strlen(f->sha256) > SUM_DIGITS)
        return wrong(t, "a file needs a 'sha256' of 64 lower-case hexadecimal digits, or its first 8 or more");
    return read_names(t, f);
}

static bioft_status read_files(const struct table *t, const struct json *files, struct publication *s)
{
    struct published_file *items;
    bioft_status st = BIOFT_OK;

    if (!files || files->type != JSON_ARRAY || files->count < 1 || files->count > MOST_FILES)
        return wrong(t, "needs 'files', a list, or 'agreement'");
    items = arena_array(t->arena, files->count, sizeof *items);
    if (!items)
        return error_memory(t->err, t->path);
    for (size_t i = 0; st == BIOFT_OK && i < files->count; i++) {
        st = read_file(t, files->items[i], &items[i]);
        for (size_t k = 0; st == BIOFT_OK && k < i; k++)
            if (strcmp(items[k].gives, items[i].gives) == 0 || strcmp(items[k].name, items[i].name) == 0)
                st = wrong(t, "two files have one name");
    }
    s->files = items;
    s->count = files->count;
    return st;
}

static bioft_status read_publication(const struct table *t, const struct json *root, struct publication *s)
{
    bioft_status st = root->type == JSON_OBJECT ? get_text(t, root, "what", &s->what) : wrong(t, "not a JSON object");

    if (st == BIOFT_OK)
        st = get_text(t, root, "page", &s->page);
    if (st == BIOFT_OK)
        st = get_text(t, root, "agreement", &s->agreement);
    if (st == BIOFT_OK && (!s->what || !s->page || !is_url(s->page)))
        st = wrong(t, "needs 'what', a text, and 'page', an address");
    if (st != BIOFT_OK)
        return st;
    if (!s->agreement)
        return read_files(t, json_get(root, "files"), s);
    return json_get(root, "files") ? wrong(t, "has both 'files' and 'agreement'") : BIOFT_OK;
}

bioft_status publication_read(const char *path, uint32_t kind, const char *name, struct arena *arena,
                              const struct publication **ret, struct error *err)
{
    const struct table t = { path, arena, err };
    struct publication *s = arena_array(arena, 1, sizeof *s);
    struct json *root = NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;

    *ret = NULL;
    bioft_status st = s ? file_read(path, MOST_BYTES, &bytes, &size, err) : error_memory(err, path);
    if (st == BIOFT_OK)
        st = json_parse(path, (const char *)bytes, size, arena, &root, err);
    if (st == BIOFT_OK && !(s->name = arena_text(arena, name)))
        st = error_memory(err, path);
    if (st == BIOFT_OK) {
        s->kind = kind;
        st = read_publication(&t, root, s);
    }
    if (st == BIOFT_OK)
        *ret = s;
    free(bytes);
    return st;
}

bioft_status publication_find(const struct registry *r, uint32_t kind, const char *name, struct arena *arena,
                              const struct publication **ret, struct error *err)
{
    char *path = NULL;

    *ret = NULL;
    bioft_status st = registry_beside(r, kind, name, ending, &path, err);
    if (st == BIOFT_OK && path)
        st = publication_read(path, kind, name, arena, ret, err);
    free(path);
    return st;
}

bioft_status publication_names(const struct registry *r, uint32_t kind, char ***ret, size_t *ret_count,
                               struct error *err)
{
    return registry_beside_names(r, kind, ending, ret, ret_count, err);
}
