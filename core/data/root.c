/* A dataset's root: absolute paths, and names without "..". */
#include "data/root.h"

#include "base/file.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LONGEST_NAME = 4095 };

bioft_status root_init(struct root *r, const char *path, struct error *err)
{
    *r = (struct root){ 0 };
    if (!path)
        return BIOFT_OK;
    r->path = path_absolute(NULL, path);
    if (!r->path)
        return error_memory(err, "a dataset's root");
    r->real = realpath(r->path, NULL);
    return BIOFT_OK;
}

void root_finish(struct root *r)
{
    free(r->path);
    free(r->real);
    *r = (struct root){ 0 };
}

static bool has_parent_component(const char *name)
{
    for (const char *p = name; *p; p += strcspn(p, "/")) {
        p += strspn(p, "/");
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
            return true;
    }
    return false;
}

bioft_status root_path(const struct root *r, const char *name, char **ret, struct error *err)
{
    char shown[TEXT_ESCAPED];
    char *full;

    if (strlen(name) > LONGEST_NAME)
        return error_set(err, BIOFT_ERR_FORMAT, "a file's name of more than %d bytes", LONGEST_NAME);
    if (name[0] != '/' && !r->path)
        return error_set(err, BIOFT_ERR_INVALID, "no root given: name the folder of the data with 'root'");
    if (name[0] != '/' && has_parent_component(name))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: the name '%s' leaves the folder", r->path,
                         text_escape(shown, name, strlen(name)));
    full = path_absolute(r->path, name);
    if (!full)
        return error_memory(err, "a file's name");
    *ret = full;
    return BIOFT_OK;
}

int root_kind(const struct root *r, const char *name)
{
    struct stat s;
    char *full;
    int kind = 0;

    if (root_path(r, name, &full, NULL) != BIOFT_OK)
        return 0;
    if (stat(full, &s) == 0)
        kind = S_ISREG(s.st_mode) ? 1 : S_ISDIR(s.st_mode) ? 2 : 0;
    free(full);
    return kind;
}

static bool is_below(const char *path, const char *folder)
{
    const size_t n = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool root_holds(const struct root *r, const char *folder, const char *name)
{
    char *base = NULL, *full = NULL, *real = NULL, *real_base = NULL;
    bool holds = false;

    if (name[0] == '/' || has_parent_component(name) || root_path(r, folder, &base, NULL) != BIOFT_OK)
        goto end;
    full = path_join(base, name);
    if (!full)
        goto end;
    real = realpath(full, NULL);
    if (!real)
        holds = errno != ENOMEM;
    else
        holds = r->real && is_below(real, r->real);
    if (real && !holds && (real_base = realpath(base, NULL)))
        holds = is_below(real, real_base);
end:
    free(real_base);
    free(real);
    free(full);
    free(base);
    return holds;
}

bioft_status root_open(const char *full, int *ret, struct error *err)
{
    const int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return error_set(err, BIOFT_ERR_IO, "%s: %s", full, strerror(errno));
    *ret = fd;
    return BIOFT_OK;
}
