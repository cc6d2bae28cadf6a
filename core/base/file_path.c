/* Paths, as text: nothing here looks at the disk. */
#include "base/file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* a, then b with a slash between where there is none. */
static char *concat(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    int slash = n > 0 && a[n - 1] != '/';
    char *ret = malloc(n + (size_t)slash + m + 1);

    if (!ret)
        return NULL;
    memcpy(ret, a, n);
    if (slash)
        ret[n] = '/';
    memcpy(ret + n + slash, b, m + 1);
    return ret;
}

char *path_join(const char *folder, const char *name) { return concat(name[0] == '/' ? "" : folder, name); }

/* Takes out "." components and empty ones, in place. ".." stays: links decide what it means. */
static void tidy(char *path)
{
    char *out = path;
    const char *in = path;

    while (*in) {
        size_t n;
        while (*in == '/')
            in++;
        n = strcspn(in, "/");
        if (n > 0 && !(n == 1 && in[0] == '.')) {
            *out++ = '/';
            memmove(out, in, n);
            out += n;
        }
        in += n;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

static char *working_folder(void)
{
    for (size_t size = 256; size <= 1 << 20; size *= 2) {
        char *folder = malloc(size);
        if (!folder)
            return NULL;
        if (getcwd(folder, size))
            return folder;
        free(folder);
    }
    return NULL;
}

char *path_absolute(const char *folder, const char *path)
{
    char *base = NULL, *full = NULL, *ret = NULL;

    if (path[0] == '/') {
        ret = concat("", path);
    } else if (folder && folder[0] == '/') {
        ret = concat(folder, path);
    } else {
        base = working_folder();
        full = base ? concat(base, folder ? folder : "") : NULL;
        ret = full ? concat(full, path) : NULL;
    }
    free(full);
    free(base);
    if (ret)
        tidy(ret);
    return ret;
}

char *path_of_user(const char *folder, const char *path)
{
    const char *home = getenv("HOME");

    if (path[0] != '~' || (path[1] && path[1] != '/') || !home || home[0] != '/')
        return path_absolute(folder, path);
    return path_absolute(home, path[1] ? path + 2 : "");
}

char *path_folder(const char *path)
{
    size_t n = strlen(path);
    char *ret;

    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n == 0)
        return concat("", ".");
    ret = malloc(n + 1);
    if (!ret)
        return NULL;
    memcpy(ret, path, n);
    ret[n] = '\0';
    return ret;
}

bool path_fits(const char *path)
{
    enum { LONGEST = 3500 }; /* PATH_MAX, less what lies in an output folder */

    if (strlen(path) > LONGEST)
        return false;
    for (size_t n; *path; path += n + (path[n] == '/'))
        if ((n = strcspn(path, "/")) > NAME_MAX)
            return false;
    return true;
}
