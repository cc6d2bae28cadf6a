/* The places where libtorch may be, in order, and whether what is there can be used. */
#include "find.h"

#include "abi.h"
#include "elf.h"

#include <dlfcn.h>
#include <elf.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char name[] = "libtorch_cpu.so", variable[] = "BIOFT_TORCH_LIBRARY";

struct search {
    struct found *ret;
    char *why;
    size_t size;
    bool refused; /* why holds the first refusal */
};

static bool exists(const char *folder, const char *file)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/%s", folder, file) < (int)sizeof path && access(path, R_OK) == 0;
}

/* torch/version.py, beside the folder "lib". */
static void read_version(struct found *f)
{
    char path[sizeof f->folder + 16], line[256];
    FILE *file;

    if (snprintf(path, sizeof path, "%s/../version.py", f->folder) >= (int)sizeof path)
        return;
    file = fopen(path, "re");
    while (file && !f->version[0] && fgets(line, sizeof line, file))
        sscanf(line, "__version__ = '%47[^']'", f->version);
    if (file)
        fclose(file);
}

/* A library that is named in DT_NEEDED: beside the one that needs it, by its search path, or where the system looks. */
static bool is_there(const struct elf *e, const char *folder, const char *needed)
{
    static const char origin[] = "$ORIGIN";
    char list[PATH_MAX] = "";
    const char *paths = list;
    void *handle;

    if (!elf_string(e, DT_RUNPATH, 0, list, sizeof list) && !elf_string(e, DT_RPATH, 0, list, sizeof list))
        list[0] = '\0';
    if (exists(folder, needed))
        return true;
    while (*paths) {
        const size_t length = strcspn(paths, ":");
        const bool own = strncmp(paths, origin, strlen(origin)) == 0;
        const size_t skip = own ? strlen(origin) : 0;
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s%.*s", own ? folder : "", (int)(length - skip), paths + skip) <
                (int)sizeof path &&
            exists(path, needed))
            return true;
        paths += length + (paths[length] == ':');
    }
    handle = dlopen(needed, RTLD_LAZY | RTLD_LOCAL);
    if (handle)
        dlclose(handle);
    return handle != NULL;
}

/* The packages that a half-finished installation lacks; the C library's own need no look. */
static bool is_whole(const struct elf *e, const char *folder, char *why, size_t size)
{
    static const char *const families[] = { "libc10", "libtorch", "libcu", "libnv", "libnccl", "libmkl" };
    char needed[NAME_MAX + 1];

    for (size_t i = 0; elf_string(e, DT_NEEDED, i, needed, sizeof needed); i++)
        for (size_t k = 0; k < sizeof families / sizeof *families; k++)
            if (strncmp(needed, families[k], strlen(families[k])) == 0 && !is_there(e, folder, needed)) {
                snprintf(why, size, "%s needs %s, which is not there: install torch again with what it depends on",
                         name, needed);
                return false;
            }
    return true;
}

static bool has_functions(const struct elf *e, const struct found *f, char *why, size_t size)
{
#define TORCH_NAME(result, symbol, parameters) #symbol,
    static const char *const symbols[] = { TORCH_FUNCTIONS(TORCH_NAME) };
#undef TORCH_NAME

    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (!elf_defines(e, symbols[i])) {
            const bool newer = atoi(f->version) > TORCH_MAJOR;
            snprintf(why, size, "libtorch%s%s in %.200s is too %s (it lacks %s): torch %s or %s is needed",
                     f->version[0] ? " " : "", f->version, f->folder, newer ? "new" : "old or no libtorch", symbols[i],
                     TORCH_OLDEST, newer ? "a later 2" : "newer");
            return false;
        }
    return true;
}

static bool usable(struct found *f, char *why, size_t size)
{
    struct elf e;
    bool good;

    read_version(f);
    if (!elf_open(f->file, &e, why, size))
        return false;
    good = has_functions(&e, f, why, size) && is_whole(&e, f->folder, why, size);
    elf_close(&e);
    f->cuda = exists(f->folder, "libtorch_cuda.so") || exists(f->folder, "libtorch_hip.so");
    return good;
}

/* One file; true: found. The first refusal is the one that is told. */
static bool try_file(struct search *s, const char *path)
{
    struct found f = { .version = "" };
    char *slash, why[512];

    if (access(path, F_OK) != 0 || snprintf(f.file, sizeof f.file, "%s", path) >= (int)sizeof f.file)
        return false;
    snprintf(f.folder, sizeof f.folder, "%s", path);
    slash = strrchr(f.folder, '/');
    if (slash)
        *slash = '\0';
    else
        snprintf(f.folder, sizeof f.folder, ".");
    if (usable(&f, why, sizeof why)) {
        *s->ret = f;
        return true;
    }
    if (!s->refused)
        snprintf(s->why, s->size, "%s", why);
    s->refused = true;
    return false;
}

static bool try_in(struct search *s, const char *folder, const char *below)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s%s/%s", folder, below, name) < (int)sizeof path && try_file(s, path);
}

static bool try_pattern(struct search *s, const char *prefix, const char *pattern)
{
    char text[PATH_MAX];
    glob_t found = { 0 };
    bool good = false;

    if (snprintf(text, sizeof text, "%s%s", prefix, pattern) >= (int)sizeof text)
        return false;
    if (glob(text, 0, NULL, &found) == 0)
        for (size_t i = found.gl_pathc; !good && i-- > 0;) /* the highest version of Python first */
            good = try_file(s, found.gl_pathv[i]);
    globfree(&found);
    return good;
}

static bool try_prefix(struct search *s, const char *prefix)
{
    return try_pattern(s, prefix, "/lib/python3*/site-packages/torch/lib/libtorch_cpu.so");
}

/* The prefix of a program in PREFIX/bin: as it is called, where a virtual environment has its own, and resolved. */
static bool try_python(struct search *s, const char *folder)
{
    char path[PATH_MAX], resolved[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/python3", folder) >= (int)sizeof path || access(path, X_OK) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        char *slash;
        if (i == 1 && !realpath(path, resolved))
            return false;
        if (i == 0)
            memcpy(resolved, path, sizeof path);
        for (int up = 0; up < 2 && (slash = strrchr(resolved, '/')); up++)
            *slash = '\0';
        if (try_prefix(s, resolved))
            return true;
    }
    return false;
}

static bool try_path(struct search *s)
{
    const char *path = getenv("PATH");

    while (path && *path) {
        const size_t length = strcspn(path, ":");
        char folder[PATH_MAX];
        if (length > 0 && length < sizeof folder) {
            memcpy(folder, path, length);
            folder[length] = '\0';
            if (try_python(s, folder))
                return true;
        }
        path += length + (path[length] == ':');
    }
    return false;
}

static bool try_environment(struct search *s)
{
    static const char *const prefixes[] = { "VIRTUAL_ENV", "CONDA_PREFIX" };
    const char *home = getenv("HOME");
    char local[PATH_MAX];

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const char *prefix = getenv(prefixes[i]);
        if (prefix && *prefix && try_prefix(s, prefix))
            return true;
    }
    if (try_path(s))
        return true;
    return home && *home && snprintf(local, sizeof local, "%s/.local", home) < (int)sizeof local &&
           try_prefix(s, local);
}

static bool try_system(struct search *s)
{
    static const char *const patterns[] = {
        "/usr/lib/python3/dist-packages/torch/lib/libtorch_cpu.so",
        "/usr/local/lib/python3*/dist-packages/torch/lib/libtorch_cpu.so",
        "/opt/libtorch/lib/libtorch_cpu.so",
        "/usr/local/lib/libtorch_cpu.so*",
        "/usr/lib/*/libtorch_cpu.so*",
        "/usr/lib64/libtorch_cpu.so*",
        "/usr/lib/libtorch_cpu.so*",
    };

    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (try_pattern(s, "", patterns[i]))
            return true;
    return false;
}

/* Torch's package, what holds it, a folder of libraries, or the file itself. */
static bool try_named(struct search *s, const char *folder, const char *who)
{
    static const char *const below[] = { "", "/lib", "/torch/lib" };

    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        if (try_in(s, folder, below[i]))
            return true;
    if (try_prefix(s, folder))
        return true;
    if (!s->refused)
        snprintf(s->why, s->size, "%s names %.200s, where %s does not exist", who, folder, name);
    return false;
}

bool library_find(const char *folder, struct found *ret, char *why, size_t size)
{
    struct search s = { .ret = ret, .why = why, .size = size };
    const char *named = getenv(variable);

    if (folder && *folder)
        return try_named(&s, folder, "the option 'library'");
    if (named && *named)
        return try_named(&s, named, variable);
    if (try_environment(&s) || try_system(&s))
        return true;
    if (!s.refused)
        snprintf(why, size,
                 "no libtorch was found: pip install torch (%s or newer) for the python3 on PATH, or set %s "
                 "to its folder",
                 TORCH_OLDEST, variable);
    return false;
}
