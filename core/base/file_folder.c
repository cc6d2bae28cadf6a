/* Folders: making, listing, and a lock that says who holds it. */
#include "base/file.h"

#include "base/memory.h"
#include "base/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool file_exists(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0;
}

bool file_same(const char *a, const char *b)
{
    struct stat s, t;

    return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

bool file_is_folder(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bioft_status file_make_folder(const char *path, struct error *err)
{
    char *folder = path_absolute(NULL, path), *slash;
    bioft_status st = BIOFT_OK;

    if (!folder)
        return error_memory(err, path);
    slash = folder;
    do {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(folder, 0777) == 0) {
            st = file_sync_folder(folder, err); /* its own entry, in the folder above */
        } else {
            const int code = errno == EEXIST ? ENOTDIR : errno; /* before another call replaces it */
            if (!file_is_folder(folder))
                st = file_error(err, folder, "make this folder", code);
        }
        if (slash)
            *slash = '/';
    } while (slash && st == BIOFT_OK);
    free(folder);
    return st;
}

static bool is_dot(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

bool file_folder_is_empty(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    bool empty = true;

    if (!dir)
        return errno == ENOENT;
    while (empty && (entry = readdir(dir)))
        empty = is_dot(entry->d_name);
    closedir(dir);
    return empty;
}

/* By the name without its slash, as every program that sorts names of folders has it. */
static int compare_names(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t n = strcspn(x, "/"), m = strcspn(y, "/");
    int order = memcmp(x, y, n < m ? n : m);

    return order ? order : (n > m) - (n < m);
}

/* The entry's name, with a slash where it is a folder or a link to one; NULL: out of memory. */
static char *entry_name(DIR *dir, const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    bool folder = entry->d_type == DT_DIR;
    struct stat s;
    char *name;

    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
        folder = fstatat(dirfd(dir), entry->d_name, &s, 0) == 0 && S_ISDIR(s.st_mode);
    name = malloc(n + 2);
    if (!name)
        return NULL;
    memcpy(name, entry->d_name, n);
    memcpy(name + n, folder ? "/" : "", folder ? 2 : 1);
    return name;
}

bioft_status file_list(const char *folder, char ***ret, size_t *ret_count, struct error *err)
{
    DIR *dir = opendir(folder);
    char **names = NULL;
    size_t count = 0, capacity = 0;
    bioft_status st;

    if (!dir)
        return file_error(err, folder, "list", errno);
    for (;;) {
        struct dirent *entry;
        errno = 0;
        entry = readdir(dir);
        if (!entry)
            break;
        if (entry->d_name[0] == '.')
            continue;
        if (!mem_grow(&names, &capacity, count + 1, sizeof *names) || !(names[count] = entry_name(dir, entry))) {
            st = error_memory(err, folder);
            goto fail;
        }
        count++;
    }
    if (errno != 0) {
        st = file_error(err, folder, "list", errno);
        goto fail;
    }
    closedir(dir);
    if (count > 1)
        qsort(names, count, sizeof *names, compare_names);
    *ret = names;
    *ret_count = count;
    return BIOFT_OK;

fail:
    closedir(dir);
    file_list_free(names, count);
    return st;
}

/* ".NAME.PID-N.bioft-part"? The first part is anybody's, the end ours alone. */
static bool is_temporary(const char *name)
{
    const size_t length = strlen(name), tail = strlen(FILE_PART);

    if (name[0] != '.' || length <= tail || strcmp(name + length - tail, FILE_PART) != 0)
        return false;
    const char *end = name + length - tail, *dot = memrchr(name, '.', (size_t)(end - name));
    if (dot == name)
        return false;
    const char *dash = dot + 1 + strspn(dot + 1, "0123456789");
    return dash > dot + 1 && *dash == '-' && dash + 1 < end && dash + 1 + strspn(dash + 1, "0123456789") == end;
}

bioft_status file_sweep(const char *folder, struct error *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    bioft_status st = BIOFT_OK;

    if (!dir)
        return errno == ENOENT ? BIOFT_OK : file_error(err, folder, "list", errno);
    while (st == BIOFT_OK && (entry = readdir(dir)))
        if (is_temporary(entry->d_name) && unlinkat(dirfd(dir), entry->d_name, 0) != 0 && errno != ENOENT)
            st = file_error(err, folder, "remove what a killed run left here", errno);
    closedir(dir);
    return st;
}

void file_list_free(char **names, size_t count)
{
    if (!names)
        return;
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

/* The holder writes its number right after it has locked: for a moment there is none. */
static bioft_status lock_held(int fd, const char *path, struct error *err)
{
    char text[32] = { 0 }, *absolute = path_absolute(NULL, path);
    const char *shown = absolute ? absolute : path;
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0)
        error_set(err, BIOFT_ERR_IO, "%s: in use by process %ld", shown, pid);
    else
        error_set(err, BIOFT_ERR_IO, "%s: in use by another process", shown);
    free(absolute);
    return BIOFT_ERR_IO;
}

/* wait: until it is free or stop is asked for. */
static bioft_status lock(const char *path, int how, bool wait, const struct stop *stop, int *ret, struct error *err)
{
    const struct timespec pause = { .tv_nsec = 20000000 };
    char text[32];
    int n, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    bioft_status st;

    if (fd < 0)
        return file_error(err, path, "lock", errno);
    while (flock(fd, how | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK) {
            st = file_error(err, path, "lock", errno);
            goto fail;
        }
        if (!wait || stop_asked(stop)) {
            st = wait ? error_set(err, BIOFT_ERR_CANCELLED, "stopped") : lock_held(fd, path, err);
            goto fail;
        }
        nanosleep(&pause, NULL);
    }
    n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        st = file_error(err, path, "write", errno);
        goto fail;
    }
    *ret = fd;
    return BIOFT_OK;

fail:
    close(fd);
    return st;
}

bioft_status file_lock(const char *path, int *ret, struct error *err)
{
    return lock(path, LOCK_EX, false, NULL, ret, err);
}

bioft_status file_lock_wait(const char *path, const struct stop *stop, int *ret, struct error *err)
{
    return lock(path, LOCK_EX, true, stop, ret, err);
}

bioft_status file_lock_shared(const char *path, int *ret, struct error *err)
{
    return lock(path, LOCK_SH, false, NULL, ret, err);
}

bool file_lock_holds(int lock, const char *path)
{
    struct stat held, there;

    return fstat(lock, &held) == 0 && stat(path, &there) == 0 && held.st_dev == there.st_dev &&
           held.st_ino == there.st_ino;
}

void file_unlock(int lock)
{
    if (lock < 0)
        return;
    if (ftruncate(lock, 0) < 0) {
        /* The number of a process that is gone stays: harmless, the lock is what counts. */
    }
    close(lock);
}
