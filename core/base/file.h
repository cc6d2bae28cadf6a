/* Files: whole reads with a bound, private maps, and writes that appear whole or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "PATH: cannot WHAT: REASON", PATH made absolute, for an errno `code`; BIOFT_ERR_IO. */
bioft_status file_error(struct error *err, const char *path, const char *what, int code);

/* A regular file, or a link to one, open for reading; anything else is refused, and never waited
 * for. ret_size: its size now, or NULL. Closed with close(). */
bioft_status file_open(const char *path, int *ret, uint64_t *ret_size, struct error *err);

/* Reads a regular file of at most `max` bytes; *ret (free()) has a NUL after its end. */
bioft_status file_read(const char *path, uint64_t max, uint8_t **ret, size_t *ret_size, struct error *err);

/* A private read-only map of a regular file. Where the file is cut while it is mapped, zeros are read behind its new
 * end, and who has read asks file_map_check before what came of it counts. Any thread. */
struct mapping;
struct file_map {
    const uint8_t *bytes; /* NULL for an empty file */
    size_t size;
    struct mapping *mapping; /* file_map.c's */
};
bioft_status file_map_open(const char *path, struct file_map *ret, struct error *err);
/* `status`, of what was made of the map; BIOFT_ERR_IO with the file's name where it was cut: then that counts for nothing. */
bioft_status file_map_check(const struct file_map *map, bioft_status status, struct error *err);
/* Reads a byte of each page. */
void file_map_touch(const void *bytes, size_t size);
void file_map_close(struct file_map *map); /* NULL or zero is fine */

/* Writes by a temporary name in the same folder, fsync, rename, fsync of the folder. */
bioft_status file_write(const char *path, const void *bytes, size_t size, struct error *err);

/* A regular file's bytes, written likewise. */
bioft_status file_copy(const char *from, const char *to, struct error *err);

/* The same in pieces: begin, add any number of times, then commit or abort (abort removes the
 * temporary). A failed add or commit has aborted already; abort after that, or on a zeroed struct,
 * does nothing. */
struct file_writer {
    int fd; /* of the temporary; meaningful while `path` is set */
    char *path, *temporary;
};
bioft_status file_begin(const char *path, struct file_writer *ret, struct error *err);
bioft_status file_add(struct file_writer *w, const void *bytes, size_t size, struct error *err);
bioft_status file_commit(struct file_writer *w, struct error *err);
void file_abort(struct file_writer *w);
/* What the temporaries' names end in: ".NAME.PID-N.bioft-part". */
#define FILE_PART ".bioft-part"
/* Removes the temporaries that writers left which were killed. For who alone writes in the folder; fine where there is
 * none. */
bioft_status file_sweep(const char *folder, struct error *err);

/* mkdir -p; a new folder's entry is synced, as a file's is. */
bioft_status file_make_folder(const char *path, struct error *err);
/* Makes an entry of a folder survive a loss of power: the folder that path is in is synced. */
bioft_status file_sync_folder(const char *path, struct error *err);
bool file_exists(const char *path);
/* Do both exist, and are they one, by whatever names? */
bool file_same(const char *a, const char *b);
bool file_is_folder(const char *path);
/* True where the folder does not exist or has no entries. */
bool file_folder_is_empty(const char *path);
/* The names in a folder, bytewise sorted, those beginning with '.' left out; folders end in '/'.
 * Each and the list itself are freed by file_list_free. */
bioft_status file_list(const char *folder, char ***ret, size_t *ret_count, struct error *err);
void file_list_free(char **names, size_t count);
/* Renames over what is there and syncs the folder. */
bioft_status file_rename(const char *from, const char *to, struct error *err);
/* Fine where it does not exist. */
bioft_status file_remove(const char *path, struct error *err);
/* An exclusive lock on PATH, created if need be, held until file_unlock or the process ends.
 * BIOFT_ERR_IO with "in use by process N" where another holds it. */
bioft_status file_lock(const char *path, int *ret, struct error *err);
struct stop; /* stop.h */
/* Waits until it is free. BIOFT_ERR_CANCELLED: asked to stop, which stop may say (NULL: never). */
bioft_status file_lock_wait(const char *path, const struct stop *stop, int *ret, struct error *err);
/* Shared with others of its kind; excludes file_lock and is excluded by it. */
bioft_status file_lock_shared(const char *path, int *ret, struct error *err);
void file_unlock(int lock);
/* Is the file at path still the one that is locked? Not where it, or a folder above it, was removed or replaced. */
bool file_lock_holds(int lock, const char *path);

/* "a/b" from "a" and "b"; b alone where it is absolute. Freed with free(); NULL: out of memory. */
char *path_join(const char *folder, const char *name);
/* Absolute, without "." components and doubled slashes; against `folder` where path is relative
 * (NULL: the working directory). Freed with free(). */
char *path_absolute(const char *folder, const char *path);
/* The same, with the user's home folder for "~" and "~/..." where HOME names one. */
char *path_of_user(const char *folder, const char *path);
/* Can a file system have it, and files of a run below it: parts of at most 255 bytes, 3500 in all? */
bool path_fits(const char *path);
/* The folder part, "." where there is none. Freed with free(). */
char *path_folder(const char *path);

#endif
