/* Files: whole reads with a bound, private maps, and writes that appear whole or not at all. */
#include "base/file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bioft_status file_error(struct error *err, const char *path, const char *what, int code)
{
    char *absolute = path_absolute(NULL, path);
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    error_set(err, BIOFT_ERR_IO, "%s: cannot %s: %s", absolute ? absolute : path, what,
              c ? strerror_l(code, c) : "unknown error");
    if (c)
        freelocale(c);
    free(absolute);
    return BIOFT_ERR_IO;
}

static bioft_status irregular(struct error *err, const char *path)
{
    char *absolute = path_absolute(NULL, path);

    error_set(err, BIOFT_ERR_IO, "%s: not a regular file", absolute ? absolute : path);
    free(absolute);
    return BIOFT_ERR_IO;
}

bioft_status file_open(const char *path, int *ret, uint64_t *ret_size, struct error *err)
{
    /* O_NONBLOCK: a FIFO would wait for its writer before it can be refused. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat s;
    bioft_status st;

    if (fd < 0)
        return file_error(err, path, "open", errno);
    if (fstat(fd, &s) < 0)
        st = file_error(err, path, "open", errno);
    else if (!S_ISREG(s.st_mode))
        st = irregular(err, path);
    else
        st = BIOFT_OK;
    if (st != BIOFT_OK) {
        close(fd);
        return st;
    }
    if (ret_size)
        *ret_size = (uint64_t)s.st_size;
    *ret = fd;
    return BIOFT_OK;
}

static bioft_status too_large(struct error *err, const char *path, uint64_t size, uint64_t max)
{
    char *absolute = path_absolute(NULL, path);

    error_set(err, BIOFT_ERR_FORMAT, "%s: %llu bytes or more, at most %llu allowed", absolute ? absolute : path,
              (unsigned long long)size, (unsigned long long)max);
    free(absolute);
    return BIOFT_ERR_FORMAT;
}

bioft_status file_read(const char *path, uint64_t max, uint8_t **ret, size_t *ret_size, struct error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0, capacity = 0;
    uint64_t expected;
    int fd;
    bioft_status st = file_open(path, &fd, &expected, err);

    if (st != BIOFT_OK)
        return st;
    if (max > SIZE_MAX - 2)
        max = SIZE_MAX - 2;
    if (expected > max) {
        st = too_large(err, path, expected, max);
        goto fail;
    }
    /* Two bytes more than its size: one to see its end, one for the NUL. The size of some kernel
     * files is 0. */
    if (!mem_grow(&bytes, &capacity, (size_t)expected + 2, 1)) {
        st = error_memory(err, path);
        goto fail;
    }
    for (;;) {
        ssize_t n = read(fd, bytes + size, capacity - size - 1);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            st = file_error(err, path, "read", errno);
            goto fail;
        }
        size += (size_t)n;
        if (size > max) {
            st = too_large(err, path, size, max);
            goto fail;
        }
        if (capacity - size < 2 && !mem_grow(&bytes, &capacity, size + 2, 1)) {
            st = error_memory(err, path);
            goto fail;
        }
    }
    close(fd);
    bytes[size] = '\0';
    *ret = bytes;
    *ret_size = size;
    return BIOFT_OK;

fail:
    free(bytes);
    close(fd);
    return st;
}

/* The kernel sends no SIGBUS where it reads a cut map itself: then the bytes are touched first. */
static bioft_status write_all(int fd, const void *bytes, size_t size)
{
    const char *p = bytes;
    bool touched = false;

    while (size > 0) {
        ssize_t n = write(fd, p, size < INT_MAX ? size : INT_MAX);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EFAULT && !touched) {
            file_map_touch(p, size);
            touched = true;
            continue;
        }
        if (n < 0)
            return BIOFT_ERR_IO;
        p += n;
        size -= (size_t)n;
    }
    return BIOFT_OK;
}

bioft_status file_sync_folder(const char *path, struct error *err)
{
    char *folder = path_folder(path);
    bioft_status st = BIOFT_OK;
    int fd;

    if (!folder)
        return error_memory(err, path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        /* A folder that may be written but not read cannot be synced. */
        if (errno != EACCES)
            st = file_error(err, folder, "open", errno);
    } else {
        /* Some file systems have no such thing for folders. */
        if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
            st = file_error(err, folder, "sync", errno);
        close(fd);
    }
    free(folder);
    return st;
}

/* Opens ".NAME.PID-N.bioft-part" beside path, with the modes that the umask leaves (mkstemp's would keep
 * others from reading the results). */
static int open_temporary(const char *path, char **ret)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t size = strlen(path) + 64;
    char *temporary = malloc(size);
    int fd = -1;

    if (!temporary) {
        errno = ENOMEM;
        return -1;
    }
    for (unsigned n = 0; n < 10000 && fd < 0; n++) {
        /* Cut: with what is added the name must stay within NAME_MAX. */
        snprintf(temporary, size, "%.*s.%.200s.%ld-%u" FILE_PART, (int)(name - path), path, name, (long)getpid(), n);
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST && errno != EINTR)
            break;
    }
    if (fd < 0) {
        int code = errno;
        free(temporary);
        errno = code;
        return -1;
    }
    *ret = temporary;
    return fd;
}

bioft_status file_begin(const char *path, struct file_writer *ret, struct error *err)
{
    struct file_writer w = { .fd = -1 };
    struct stat s;

    /* The rename would replace a device or a pipe by a file. */
    if (stat(path, &s) == 0 && !S_ISREG(s.st_mode))
        return irregular(err, path);
    w.path = strdup(path);
    if (!w.path)
        return error_memory(err, path);
    w.fd = open_temporary(path, &w.temporary);
    if (w.fd < 0) {
        int code = errno;
        free(w.path);
        return file_error(err, path, "write", code);
    }
    *ret = w;
    return BIOFT_OK;
}

static void release(struct file_writer *w)
{
    free(w->path);
    free(w->temporary);
    *w = (struct file_writer){ .fd = -1 };
}

void file_abort(struct file_writer *w)
{
    if (!w || !w->path)
        return;
    if (w->fd >= 0)
        close(w->fd);
    unlink(w->temporary);
    release(w);
}

static bioft_status fail_write(struct file_writer *w, int code, struct error *err)
{
    file_error(err, w->path, "write", code);
    file_abort(w);
    return BIOFT_ERR_IO;
}

bioft_status file_add(struct file_writer *w, const void *bytes, size_t size, struct error *err)
{
    if (!w->path)
        return error_set(err, BIOFT_ERR_INVALID, "a file is written after its writing failed");
    if (write_all(w->fd, bytes, size) != BIOFT_OK)
        return fail_write(w, errno, err);
    return BIOFT_OK;
}

bioft_status file_commit(struct file_writer *w, struct error *err)
{
    bioft_status st;
    int fd = w->fd;

    if (!w->path)
        return error_set(err, BIOFT_ERR_INVALID, "a file is committed after its writing failed");
    if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
        return fail_write(w, errno, err);
    w->fd = -1;
    /* On some network file systems only close() tells that the disk is full. */
    if (close(fd) < 0 && errno != EINTR)
        return fail_write(w, errno, err);
    if (rename(w->temporary, w->path) < 0)
        return fail_write(w, errno, err);
    st = file_sync_folder(w->path, err);
    release(w);
    return st;
}

bioft_status file_write(const char *path, const void *bytes, size_t size, struct error *err)
{
    struct file_writer w;
    bioft_status st = file_begin(path, &w, err);

    if (st != BIOFT_OK)
        return st;
    st = file_add(&w, bytes, size, err);
    if (st != BIOFT_OK)
        return st;
    return file_commit(&w, err);
}

bioft_status file_copy(const char *from, const char *to, struct error *err)
{
    struct file_map map = { 0 };
    struct file_writer w = { .fd = -1 };
    bioft_status st = file_map_open(from, &map, err);

    if (st == BIOFT_OK)
        st = file_begin(to, &w, err);
    if (st == BIOFT_OK)
        st = file_map_check(&map, file_add(&w, map.bytes, map.size, err), err);
    if (st == BIOFT_OK)
        st = file_commit(&w, err);
    file_abort(&w);
    file_map_close(&map);
    return st;
}

bioft_status file_rename(const char *from, const char *to, struct error *err)
{
    bioft_status st;

    if (rename(from, to) < 0) {
        int code = errno;
        char *what = NULL;
        st = asprintf(&what, "rename to %s", to) < 0 ? error_memory(err, from) : file_error(err, from, what, code);
        free(what);
        return st;
    }
    return file_sync_folder(to, err);
}

bioft_status file_remove(const char *path, struct error *err)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return file_error(err, path, "remove", errno);
    return BIOFT_OK;
}
