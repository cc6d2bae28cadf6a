/* Text files a line at a time: lists of images, labels and names. */
#ifndef LINES_H
#define LINES_H

#include "dataset_util.h"

enum { LONGEST_LINE = 65536 };

struct lines {
    const bioft_host *host;
    const char *path;
    const uint8_t *at, *end;
    uint64_t number;             /* of the line in `text`, from 1 */
    char text[LONGEST_LINE + 1]; /* without its end, "\n" or "\r\n", and blanks before that */
    size_t length;
};

/* A whole file, gzipped or plain, of at most `max` bytes; a byte order mark in front and empty lines
 * at the end do not count. path must live on. */
bioft_status lines_open(struct lines *l, const bioft_host *host, const char *path, uint64_t max);
/* The next line, the last one with or without an end. *ret_more: 0 behind the last. A line that is
 * too long or has a NUL is refused. */
bioft_status lines_next(struct lines *l, int *ret_more);
/* Fails with the file and the line last read. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
bioft_status
lines_fail(const struct lines *l, const char *format, ...);
/* The next word at *at, ended with a NUL there, *at moved behind it; NULL: no more. */
char *lines_word(char **at);

/* For messages: a copy with unprintable bytes as '?', cut to fit. */
const char *shown(const char *text, char *ret, size_t size);
/* What is wrong with an image's path in a list, or NULL: it must stay below the root. */
const char *path_fault(const char *path);
/* The same of `name` below `folder` ("": the root), where no link may lead out of the root or the folder either. */
const char *listed_fault(const bioft_host *host, const char *folder, const char *name);

#endif
