/* Fetches the files of a table one after another. A part of a file lies in the folder under a name of its own, which becomes the
 * file's name, or is unpacked, only when size and sum are right. */
#include "fetch/fetch.h"

#include "base/file.h"
#include "fetch/download.h"
#include "fetch/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool fetch_available(void) { return download_available(); }

static bool is_address(const char *s) { return strncmp(s, "https://", 8) == 0 || strncmp(s, "http://", 7) == 0; }

/* Where a file comes from: an address, or a path. Freed with free(); NULL: out of memory. */
static char *place_of(const struct fetch_params *p, const struct published_file *f)
{
    const size_t length = p->from ? strlen(p->from) : 0;

    if (!p->from)
        return strdup(f->url);
    if (is_address(p->from) && p->from[length - 1] != '/')
        return strdup(p->from);
    if (!is_address(p->from) && !file_is_folder(p->from))
        return strdup(p->from);
    return path_join(p->from, f->name);
}

/* Is the file what is published? path: where it is now. */
static bioft_status verify(const struct published_file *f, const char *path, const char *place, struct error *err)
{
    char sum[SHA256_HEX];
    struct stat s;

    if (stat(path, &s) < 0)
        return file_error(err, path, "read", errno);
    if (f->bytes && (uint64_t)s.st_size != f->bytes)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: %s has %llu bytes, the published file %llu: it is another file, or was cut "
                         "short",
                         f->name, place, (unsigned long long)s.st_size, (unsigned long long)f->bytes);
    const bioft_status st = sha256_file(path, sum, err);
    if (st == BIOFT_OK && strncmp(sum, f->sha256, strlen(f->sha256)) != 0)
        return error_set(
            err, BIOFT_ERR_FORMAT, "%s: %s is not the published file: its SHA-256 is %s, %s is %s", f->name, place, sum,
            strlen(f->sha256) < SHA256_HEX - 1 ? "what is published begins with" : "the published one", f->sha256);
    return st;
}

static void tell_verified(const struct fetch_params *p, const struct published_file *f)
{
    const size_t digits = strlen(f->sha256);

    if (digits < SHA256_HEX - 1)
        log_write(p->log, LOG_INFO, "%s: the first %zu digits of its SHA-256 are right; no more are published", f->name,
                  digits);
    else
        log_write(p->log, LOG_INFO, "%s: its SHA-256 is right", f->name);
}

/* Downloads into `part` and verifies; what was the beginning of another file is fetched again from its first byte. */
static bioft_status get(const struct fetch_params *p, const struct published_file *f, const char *place,
                        const char *part, struct error *err)
{
    const struct download_params d = { .url = place,
                                       .name = f->name,
                                       .path = part,
                                       .bytes = f->bytes,
                                       .timeout = p->timeout,
                                       .log = p->log,
                                       .stop = p->stop };
    struct error ignored;
    bool resumed;

    bioft_status st = download(&d, &resumed, err);
    if (st != BIOFT_OK)
        return st;
    st = verify(f, part, place, err);
    if (st == BIOFT_ERR_FORMAT && resumed) {
        log_write(p->log, LOG_WARNING, "%s: the part that was there is of another file; fetching it from the beginning",
                  f->name);
        st = file_remove(part, err);
        if (st == BIOFT_OK)
            st = download(&d, &resumed, err);
        if (st == BIOFT_OK)
            st = verify(f, part, place, err);
    }
    if (st == BIOFT_ERR_FORMAT)
        file_remove(part, &ignored);
    return st;
}

/* `path` is verified: unpacks it, or puts it under its name. own: it is the downloaded part, not somebody's file. */
static bioft_status put(const struct fetch_params *p, const struct published_file *f, const char *path, bool own,
                        const char *final, struct error *err)
{
    bioft_status st;

    if (!f->unpack && !f->take)
        return own ? file_rename(path, final, err) : file_copy(path, final, err);
    log_write(p->log, LOG_INFO, "%s: unpacking", f->name);
    st = unpack(
        &(struct unpack_params){
            .archive = path, .folder = p->folder, .take = f->take, .log = p->log, .stop = p->stop },
        err);
    if (st == BIOFT_OK && !file_exists(final))
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: there is no '%s' in it, which its table promises", f->name,
                       f->gives);
    return st == BIOFT_OK && own ? file_remove(path, err) : st;
}

/* BIOFT_OK where the published file, or what was unpacked from it, is there. */
static bioft_status there_already(const struct fetch_params *p, const struct published_file *f, const char *final,
                                  struct error *err)
{
    struct error why;

    if (f->unpack || f->take || verify(f, final, final, &why) == BIOFT_OK) {
        log_write(p->log, LOG_INFO, "%s is there: nothing to fetch", final);
        return BIOFT_OK;
    }
    return error_set(err, why.status, "%s\nit is left alone: move it away, or use another folder with --to", why.text);
}

static bioft_status fetch_file(const struct fetch_params *p, const struct published_file *f, struct error *err)
{
    char *place = place_of(p, f), *final = path_join(p->folder, f->gives), *part = NULL;
    struct text name = { 0 };
    bioft_status st = BIOFT_OK;

    text_printf(&name, "%s.bioft-fetch", f->name);
    part = name.failed ? NULL : path_join(p->folder, name.data);
    if (!place || !final || !part) {
        st = error_memory(err, f->name);
    } else if (file_exists(final)) {
        st = there_already(p, f, final, err);
    } else {
        const bool own = is_address(place);
        if (own)
            log_write(p->log, LOG_INFO, "%s: from %s", f->name, place);
        st = own ? get(p, f, place, part, err) : verify(f, place, place, err);
        if (st == BIOFT_OK) {
            tell_verified(p, f);
            st = put(p, f, own ? part : place, own, final, err);
        }
    }
    text_free(&name);
    free(part);
    free(final);
    free(place);
    return st;
}

/* For as long as it is open. *ret: closed with close(). */
static bioft_status lock_folder(const char *folder, int *ret, struct error *err)
{
    bioft_status st = file_make_folder(folder, err);

    *ret = -1;
    if (st != BIOFT_OK)
        return st;
    *ret = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret < 0)
        return file_error(err, folder, "open", errno);
    if (flock(*ret, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, BIOFT_ERR_IO, "%s: another bioft fetch is at work there", folder);
    return BIOFT_OK;
}

bioft_status fetch(const struct fetch_params *p, struct error *err)
{
    const struct publication *s = p->source;
    int lock = -1;

    if (p->from && s->count > 1 && p->from[0] &&
        (is_address(p->from) ? p->from[strlen(p->from) - 1] != '/' : !file_is_folder(p->from)))
        return error_set(err, BIOFT_ERR_INVALID, "--from %s: %s is %zu files: name the folder that has them%s", p->from,
                         s->name, s->count, is_address(p->from) ? ", with a '/' at its end" : "");
    bioft_status st = lock_folder(p->folder, &lock, err);
    for (size_t i = 0; st == BIOFT_OK && i < s->count; i++)
        st = fetch_file(p, &s->files[i], err);
    if (lock >= 0)
        close(lock);
    return st;
}
