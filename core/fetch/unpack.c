/* Unpacks archives by libarchive into a folder that nothing else writes in. The names in an archive are its author's: what would
 * lead out of that folder is refused, and so are links, which would let later names lead out. */
#include "fetch/unpack.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#ifdef FETCH_LIBRARIES
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0644, BLOCK = 1 << 20, OPEN_FOLDERS = 16 };

struct unpacking {
    const struct unpack_params *p;
    struct archive *archive;
    char *work; /* the hidden folder */
    unsigned char *block;
    uint64_t files;
};

static bioft_status broken(const struct unpacking *u, struct error *err)
{
    const char *why = archive_error_string(u->archive);
    return error_set(err, BIOFT_ERR_FORMAT, "%s: cannot be unpacked: %s", u->p->archive, why ? why : "not an archive");
}

/* The entry's name without a leading "./"; "" for the top folder, NULL if it is missing or leads out of the folder. */
static const char *inside(const char *name)
{
    if (!name || *name == '/')
        return NULL;
    while (name[0] == '.' && (name[1] == '/' || name[1] == '\0'))
        name += 1 + strspn(name + 1, "/");
    for (const char *part = name; *part; part += strcspn(part, "/"), part += strspn(part, "/"))
        if (part[0] == '.' && part[1] == '.' && (part[2] == '/' || part[2] == '\0'))
            return NULL;
    return name;
}

static bioft_status copy_bytes(struct unpacking *u, int fd, const char *path, struct error *err)
{
    for (;;) {
        const la_ssize_t n = archive_read_data(u->archive, u->block, BLOCK);
        if (n == 0)
            return BIOFT_OK;
        if (n < 0)
            return broken(u, err);
        if (stop_asked(u->p->stop))
            return error_set(err, BIOFT_ERR_CANCELLED, "%s: stopped while it was unpacked", u->p->archive);
        for (la_ssize_t done = 0; done < n;) {
            const ssize_t wrote = write(fd, u->block + done, (size_t)(n - done));
            if (wrote < 0 && errno != EINTR)
                return file_error(err, path, "write", errno);
            done += wrote > 0 ? wrote : 0;
        }
    }
}

static bioft_status write_entry(struct unpacking *u, const char *path, struct error *err)
{
    char *folder = path_folder(path);
    int fd = -1;

    bioft_status st = folder ? file_make_folder(folder, err) : error_memory(err, path);
    if (st == BIOFT_OK && (fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE)) < 0)
        st = file_error(err, path, "create", errno);
    if (st == BIOFT_OK)
        st = copy_bytes(u, fd, path, err);
    if (fd >= 0 && close(fd) < 0 && st == BIOFT_OK)
        st = file_error(err, path, "write", errno);
    u->files++;
    free(folder);
    return st;
}

static bioft_status one_entry(struct unpacking *u, struct archive_entry *entry, struct error *err)
{
    const char *const said = archive_entry_pathname(entry), *name = inside(said);
    const mode_t type = archive_entry_filetype(entry);
    char shown[TEXT_ESCAPED];

    if (!name)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: the name '%s' in it leads out of the folder; nothing was unpacked",
                         u->p->archive, said ? text_escape(shown, said, strlen(said)) : "");
    if (type == AE_IFDIR && (!*name || u->p->take))
        return BIOFT_OK;
    if ((type != AE_IFREG && type != AE_IFDIR) || archive_entry_hardlink(entry))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: '%s' in it is neither a file nor a folder; nothing was unpacked",
                         u->p->archive, text_escape(shown, name, strlen(name)));
    if (u->p->take && strcmp(name, u->p->take) != 0)
        return BIOFT_OK;
    if (u->p->take && strrchr(name, '/'))
        name = strrchr(name, '/') + 1;
    char *path = path_join(u->work, name);
    bioft_status st = path ? BIOFT_OK : error_memory(err, name);
    if (st == BIOFT_OK)
        st = type == AE_IFDIR ? file_make_folder(path, err) : write_entry(u, path, err);
    free(path);
    return st;
}

static bioft_status all_entries(struct unpacking *u, struct error *err)
{
    struct archive_entry *entry;
    bioft_status st = BIOFT_OK;
    int got = ARCHIVE_EOF;

    while (st == BIOFT_OK && (got = archive_read_next_header(u->archive, &entry)) >= ARCHIVE_WARN &&
           got != ARCHIVE_EOF) {
        st = one_entry(u, entry, err);
        log_write(u->p->log, LOG_PROGRESS, "%s: unpacking, %llu files", u->p->archive, (unsigned long long)u->files);
    }
    if (st == BIOFT_OK && got != ARCHIVE_EOF)
        st = broken(u, err);
    if (st == BIOFT_OK && u->files == 0)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: there is no %s in it", u->p->archive,
                       u->p->take ? u->p->take : "file");
    return st;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *at)
{
    (void)s, (void)type, (void)at;
    return remove(path);
}

/* One name from the hidden folder into the folder; the first pass looks whether something is in the way. */
static bioft_status move_one(const struct unpacking *u, const char *entry, bool moves, struct error *err)
{
    char *name = strndup(entry, strcspn(entry, "/"));
    char *from = name ? path_join(u->work, name) : NULL, *to = name ? path_join(u->p->folder, name) : NULL;
    struct stat s;
    bioft_status st = from && to ? BIOFT_OK : error_memory(err, entry);

    if (st == BIOFT_OK && lstat(to, &s) == 0)
        st = error_set(err, BIOFT_ERR_IO, "%s exists and is left alone: move it away, or use another folder with --to",
                       to);
    else if (st == BIOFT_OK && moves && rename(from, to) < 0)
        st = file_error(err, to, "create", errno);
    free(to);
    free(from);
    free(name);
    return st;
}

/* Names that begin with a dot are not moved: they are nothing that data is read from. */
static bioft_status move_all(const struct unpacking *u, struct error *err)
{
    char **entries = NULL;
    size_t count = 0;

    bioft_status st = file_list(u->work, &entries, &count, err);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; st == BIOFT_OK && i < count; i++)
            st = move_one(u, entries[i], pass == 1, err);
    if (st == BIOFT_OK)
        st = file_sync_folder(u->work, err);
    file_list_free(entries, count);
    return st;
}

static bool set_up(struct archive *a)
{
    return archive_read_support_filter_gzip(a) >= ARCHIVE_WARN &&
           archive_read_support_filter_bzip2(a) >= ARCHIVE_WARN && archive_read_support_filter_xz(a) >= ARCHIVE_WARN &&
           archive_read_support_format_tar(a) >= ARCHIVE_WARN && archive_read_support_format_zip(a) >= ARCHIVE_WARN;
}

static bioft_status unpack_all(const struct unpack_params *p, struct error *err)
{
    struct unpacking u = { .p = p };
    bioft_status st = BIOFT_OK;

    u.work = path_join(p->folder, ".bioft-fetch-unpacking");
    u.block = mem_array(BLOCK, 1);
    u.archive = archive_read_new();
    if (!u.work || !u.block || !u.archive || !set_up(u.archive)) {
        st = error_memory(err, p->archive);
        goto out;
    }
    nftw(u.work, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS); /* what a killed one left: the folder is locked */
    if (mkdir(u.work, 0777) < 0)
        st = file_error(err, u.work, "create", errno);
    else if (archive_read_open_filename(u.archive, p->archive, BLOCK) != ARCHIVE_OK)
        st = broken(&u, err);
    if (st == BIOFT_OK)
        st = all_entries(&u, err);
    if (st == BIOFT_OK)
        st = move_all(&u, err);

out:
    archive_read_free(u.archive);
    if (u.work)
        nftw(u.work, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    free(u.block);
    free(u.work);
    return st;
}

#endif

bioft_status unpack(const struct unpack_params *p, struct error *err)
{
#ifdef FETCH_LIBRARIES
    return unpack_all(p, err);
#else
    return error_set(err, BIOFT_ERR_UNSUPPORTED, "%s: this bioft was built without libcurl and libarchive", p->archive);
#endif
}
