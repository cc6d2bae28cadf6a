/* For LD_PRELOAD: keeps, below the folder $BIOFT_POWER, what would be on the disk if the power failed: a file's bytes as they
 * were at its last fsync (file-ID), and a folder's entries as they were at its own (folder-ID: ID, kind and name, a line
 * each). ID is the inode with the time of its birth, for inodes are used again. test_resume.py makes a folder of it. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int fsync(int fd);

static void give_up(const char *what)
{
    perror(what);
    abort();
}

/* false: neither a file nor a folder. */
static int identify(int folder, const char *name, char *ret, size_t size, char *kind)
{
    struct statx s;

    if (statx(folder, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &s) != 0)
        return 0;
    *kind = S_ISREG(s.stx_mode) ? 'f' : S_ISDIR(s.stx_mode) ? 'd' : 0;
    snprintf(ret, size, "%llu-%lld-%u", (unsigned long long)s.stx_ino, (long long)s.stx_btime.tv_sec,
             s.stx_btime.tv_nsec);
    return *kind != 0;
}

static FILE *begin(const char *kind, const char *id)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s-%s", getenv("BIOFT_POWER"), kind, id);
    f = fopen(path, "we");
    if (!f)
        give_up(path);
    return f;
}

static void keep_file(int fd, const char *id)
{
    char path[64], bytes[65536];
    ssize_t n;
    int from;
    FILE *to = begin("file", id);

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* it may be open for writing alone */
    from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        give_up(path);
    while ((n = read(from, bytes, sizeof bytes)) > 0)
        fwrite(bytes, 1, (size_t)n, to);
    close(from);
    if (n < 0 || fclose(to) != 0)
        give_up(path);
}

static void keep_folder(int fd, const char *id)
{
    const int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again >= 0 ? fdopendir(again) : NULL;
    FILE *to = begin("folder", id);
    const struct dirent *e;

    if (!folder)
        give_up("a folder");
    while ((e = readdir(folder))) {
        char entry[96], kind;
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            identify(fd, e->d_name, entry, sizeof entry, &kind))
            fprintf(to, "%s %c %s\n", entry, kind, e->d_name);
    }
    closedir(folder);
    if (fclose(to) != 0)
        give_up("a folder");
}

int fsync(int fd)
{
    int (*next)(int);
    char id[96], kind;
    *(void **)&next = dlsym(RTLD_NEXT, "fsync");
    const int result = next(fd), code = errno;

    if (result == 0 && identify(fd, "", id, sizeof id, &kind)) {
        if (kind == 'f')
            keep_file(fd, id);
        else
            keep_folder(fd, id);
    }
    errno = code;
    return result;
}
