/* Private maps of files, and what happens when such a file is cut: the kernel then sends SIGBUS to whoever reads behind
 * its new end (mmap(2)). A handler puts zeros there and marks the map, so that the reader goes on and is told by
 * file_map_check(). Reading files into memory instead takes four times as long, and the memory. */
#include "base/file.h"

#include "base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* One map; never freed but used again, so that the handler may walk the list while others change it. */
struct mapping {
    _Atomic uintptr_t begin, end; /* 0: free */
    atomic_bool cut;
    int fd;
    char *path;
    struct mapping *next; /* does not change */
};

/* A handler can reach nothing else, and a signal has one handler in a process. */
static struct {
    pthread_mutex_t lock; /* of all but what the handler reads */
    struct mapping *_Atomic list;
    struct sigaction before;
} maps = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Zeros from the page at `address` to the end of its map; false: in no map. */
static bool put_zeros(uintptr_t address)
{
    for (struct mapping *m = atomic_load(&maps.list); m; m = m->next) {
        const uintptr_t begin = atomic_load(&m->begin), end = atomic_load(&m->end);
        const uintptr_t page = address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);

        if (!begin || address < begin || address >= end)
            continue;
        if (mmap((void *)page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            return false;
        atomic_store(&m->cut, true);
        return true;
    }
    return false;
}

/* Another's fault is left to who handled it before: the instruction runs again. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    const int code = errno;

    (void)context;
    if (!put_zeros((uintptr_t)info->si_addr))
        sigaction(number, &maps.before, NULL);
    errno = code;
}

/* A plugin's library may have put its own handler there since. */
static void catch_faults(void)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK }, now;

    if (sigaction(SIGBUS, NULL, &now) != 0 || ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fault))
        return;
    sigemptyset(&action.sa_mask);
    maps.before = now;
    sigaction(SIGBUS, &action, NULL);
}

/* Takes fd. NULL: out of memory. */
static struct mapping *enter(const char *path, int fd, const void *bytes, size_t size)
{
    char *copy = strdup(path);
    struct mapping *m;

    pthread_mutex_lock(&maps.lock);
    catch_faults();
    for (m = atomic_load(&maps.list); m && m->path; m = m->next)
        ;
    if (!m && copy && (m = mem_array(1, sizeof *m))) {
        m->next = atomic_load(&maps.list);
        atomic_store(&maps.list, m);
    }
    if (m && copy) {
        m->path = copy;
        m->fd = fd;
        atomic_store(&m->end, (uintptr_t)bytes + size);
        atomic_store(&m->begin, (uintptr_t)bytes);
    }
    pthread_mutex_unlock(&maps.lock);
    if (m && copy)
        return m;
    free(copy);
    return NULL;
}

bioft_status file_map_open(const char *path, struct file_map *ret, struct error *err)
{
    struct file_map map = { 0 };
    uint64_t size;
    void *bytes;
    int fd;
    bioft_status st = file_open(path, &fd, &size, err);

    if (st != BIOFT_OK)
        return st;
    if (size > SIZE_MAX) {
        st = file_error(err, path, "map", EFBIG);
    } else if (size > 0) {
        bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) {
            st = file_error(err, path, "map", errno);
        } else {
            map = (struct file_map){ .bytes = bytes,
                                     .size = (size_t)size,
                                     .mapping = enter(path, fd, bytes, (size_t)size) };
            if (!map.mapping) {
                munmap(bytes, (size_t)size);
                st = error_memory(err, path);
            }
        }
    }
    if (!map.mapping)
        close(fd);
    if (st == BIOFT_OK)
        *ret = map;
    return st;
}

/* What is cut off the file's last page is zeros without a fault. */
static bool is_cut(const struct file_map *map)
{
    struct stat s;

    return map->mapping &&
           (atomic_load(&map->mapping->cut) || (fstat(map->mapping->fd, &s) == 0 && (uint64_t)s.st_size < map->size));
}

bioft_status file_map_check(const struct file_map *map, bioft_status status, struct error *err)
{
    char *absolute;

    if (!is_cut(map))
        return status;
    absolute = path_absolute(NULL, map->mapping->path);
    error_set(err, BIOFT_ERR_IO, "%s: cannot be read to its end: it was cut while it was in use, or its disk fails",
              absolute ? absolute : map->mapping->path);
    free(absolute);
    return BIOFT_ERR_IO;
}

void file_map_touch(const void *bytes, size_t size)
{
    const volatile char *p = bytes;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (size_t at = 0; at < size; at += page)
        (void)p[at];
    if (size)
        (void)p[size - 1];
}

void file_map_close(struct file_map *map)
{
    if (!map)
        return;
    if (map->mapping) {
        struct mapping *m = map->mapping;
        pthread_mutex_lock(&maps.lock);
        atomic_store(&m->begin, 0);
        atomic_store(&m->end, 0);
        atomic_store(&m->cut, false);
        close(m->fd);
        free(m->path);
        m->path = NULL;
        pthread_mutex_unlock(&maps.lock);
    }
    if (map->bytes)
        munmap((void *)(uintptr_t)map->bytes, map->size);
    *map = (struct file_map){ 0 };
}
