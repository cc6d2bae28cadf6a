/* Preloaded: a file whose name ends in $CUT is cut to half its size as soon as it is mapped, so that its reader meets
 * the new end at the same place in every run. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    void *(*next)(void *, size_t, int, int, int, off_t);
    void *symbol = dlsym(RTLD_NEXT, "mmap"), *ret;
    const char *ending = getenv("CUT");
    char link[64], path[4096];
    ssize_t length_of;

    memcpy(&next, &symbol, sizeof next);
    ret = next(address, length, protection, flags, fd, offset);
    if (fd < 0 || !ending || ret == MAP_FAILED)
        return ret;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length_of = readlink(link, path, sizeof path - 1);
    if (length_of < (ssize_t)strlen(ending))
        return ret;
    path[length_of] = '\0';
    if (strcmp(path + length_of - strlen(ending), ending) == 0 && truncate(path, (off_t)(length / 2)) != 0)
        perror(path);
    return ret;
}
